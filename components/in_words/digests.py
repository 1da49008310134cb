"""Short digests of what has no words."""

import hashlib
import json

from formats.json_types import JsonValue


def digest(value: JsonValue) -> str:
    """Six hexadecimal digits that change with the value: enough to see that it is another one."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:6]
