"""Short digests of what has no words."""

from formats.fingerprints import fingerprint
from formats.json_types import JsonValue


def digest(value: JsonValue) -> str:
    """Six hexadecimal digits that change with the value: enough to see that it is another one."""
    return fingerprint(value, 6)
