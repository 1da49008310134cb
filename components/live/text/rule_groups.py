"""Rule groups as an API takes and gives them: one by one, in the server's own spelling."""

from collections.abc import Iterable, Mapping

import yaml

from formats.durations import seconds
from formats.json_types import JsonObject, JsonValue

_DURATIONS = ("interval", "for", "keep_firing_for", "query_offset", "evaluation_delay")


def split(text: str) -> dict[str, str]:
    """The groups of a rule file, each as YAML by itself: name → text. Comments are not kept."""
    return {
        str(group["name"]): yaml.safe_dump(group, sort_keys=False, allow_unicode=True, width=10**6)
        for group in yaml.safe_load(text)["groups"]
    }


def same(ours: str, stored: Mapping[str, JsonValue]) -> bool:
    """Whether a group is stored as we wrote it, spelled in whatever way: `60s` is `1m`, and a 0 says nothing."""
    return bool(_normalised(yaml.safe_load(ours)) == _normalised(stored))


def differences(ours: Mapping[str, str], stored: Mapping[str, Mapping[str, JsonValue]]) -> list[str]:
    """A few words for each group of ours that is not stored as we wrote it."""
    found = []
    for name, text in ours.items():
        if name not in stored:
            found.append(f"group {name} is gone")
        elif not same(text, stored[name]):
            found.append(f"group {name} was changed by somebody else")
    return found


def strangers(ours: Iterable[str], stored: Iterable[str]) -> list[str]:
    """The names of the stored groups that are not ours."""
    return sorted({*stored} - {*ours})


def _normalised(value: JsonValue, key: str = "") -> JsonValue:
    if isinstance(value, Mapping):
        found: JsonObject = {name: _normalised(item, name) for name, item in value.items()}
        return {name: item for name, item in found.items() if item not in (None, "", 0, {}, [], False)}
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    if key in _DURATIONS:
        try:
            return seconds(str(value))
        except ValueError:
            return str(value)
    return value.strip() if key == "expr" and isinstance(value, str) else value
