"""Policy `no-plain-secrets`: a password or a token is marked as a secret, so that the state has it encrypted."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from refusals.seen import CONFIG_MAP, CONFIG_MAP_PATCH, SECRET, Marker, Seen, leaves, setting

SCHEMA: Final = {
    "secretInputs": setting(
        ["auth", "authorization", "kubeconfig", "password", "secret", "smtpPassword", "token"],
        "inputs that hold a secret wherever they stand",
    ),
    # As Alertmanager and Prometheus call them; each has a twin ..._file, which is no secret.
    "secretFields": setting(
        [
            *("auth_password", "auth_secret", "smtp_auth_password", "smtp_auth_secret", "password", "credentials"),
            *("bearer_token", "bot_token", "client_secret", "token", "user_key", "secret_key", "api_secret"),
            *("api_key", "routing_key", "service_key", "slack_api_url", "opsgenie_api_key", "victorops_api_key"),
        ],
        "fields that hold a secret in a configuration that is written into a ConfigMap",
    ),
}


def refuse(seen: Seen, given: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each input that holds a secret in plain text, never with its value.

    `given`: the settings of SCHEMA. Of `seen.inputs`, what is marked as a secret is HIDDEN.
    """
    if seen.type == SECRET:
        for part in ("data", "stringData"):
            for key, value in leaves(seen.at(part)):
                if _is_plain(value):
                    yield _sentence(seen, f"{part}.{key}")
    names = set(given["secretInputs"])
    found = dict.fromkeys(key for key, value in leaves(seen.inputs) if key in names and _is_plain(value))
    yield from (_sentence(seen, key) for key in found)
    for field in _fields(seen, given["secretFields"]):
        yield (
            f"{seen.label} would write {field} in plain text into a ConfigMap, which everybody who may read ConfigMaps "
            f"can read: use {field}_file and a Secret"
        )


def _sentence(seen: Seen, what: str) -> str:
    return (
        f"{seen.label} has {what} in plain text: set it by `pulumi config set --secret`, and pass it on with "
        "pulumi.Output.secret"
    )


def _is_plain(value: object) -> bool:
    """Whether it is a text that the state would show. A marker is hidden, or not known before the update."""
    return isinstance(value, str) and bool(value)


def _fields(seen: Seen, fields: list[str]) -> list[str]:
    """The fields with a secret in the texts that are written into ConfigMaps: YAML, or JSON in one line."""
    texts = [seen.at("ours")] if seen.dynamic("ConfigText") else []
    if seen.type in (CONFIG_MAP, CONFIG_MAP_PATCH):
        texts = [value for _, value in leaves(seen.at("data"))]
    begin, value = r"(?:^|[\s{,-])[\"']?", r"[\"']?\s*:[ \t]*(?![\"']{2})[^\s#,}\]]"
    found = re.compile(rf"{begin}({'|'.join(map(re.escape, fields))}){value}", re.MULTILINE)
    every = (match[1] for one in texts if not isinstance(one, Marker) for match in found.finditer(str(one)))
    return list(dict.fromkeys(every)) if fields else []
