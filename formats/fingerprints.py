"""Short hashes of values, by which a state, a diff or a person tells one from another."""

import hashlib
import json


def fingerprint(value: object, digits: int = 10) -> str:
    """So many hexadecimal digits of the SHA-256 of a value as JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
