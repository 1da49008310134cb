"""Refuses configurations with which a server of the sandbox would connect beyond loopback."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import yaml

from formats.json_types import JsonObject, JsonValue
from ops.clients import http
from ops.sandbox.sandbox_errors import SandboxError

# Keys of Prometheus' and Alertmanager's configurations under which an address stands.
_ADDRESSES = ("url", "api_server", "smarthost", "targets", "address", "host", "hosts", "proxy", "server", "endpoint")
# Receivers that need no address: without one they use a built-in or a global address.
_SERVICES = {
    "slack_configs": ("api_url",),
    "pagerduty_configs": ("url",),
    "opsgenie_configs": ("api_url",),
    "victorops_configs": ("api_url",),
    "pushover_configs": (),
    "telegram_configs": ("api_url",),
    "webex_configs": ("api_url",),
    "wechat_configs": ("api_url",),
    "sns_configs": ("api_url",),
    "discord_configs": ("webhook_url",),
    "msteams_configs": ("webhook_url",),
    "msteamsv2_configs": ("webhook_url",),
    "jira_configs": ("api_url",),
    "rocketchat_configs": ("api_url",),
    "mattermost_configs": ("webhook_url",),
    "incidentio_configs": ("url",),
}
# Discoveries that do not connect, or only to an address that is checked by itself.
_LOCAL_DISCOVERIES = ("file_sd_configs", "http_sd_configs", "kubernetes_sd_configs")
# Links for people, to which no server connects.
_LINKS = ("external_url", "generator_url", "client_url", "runbook_url", "dashboard_url", "title_link", "image_url")


def refuse_beyond_loopback(server: str, name: str, text: str) -> None:
    """Raise SandboxError where `text`, a configuration of `server`, names an address that is not on loopback.

    Rule files are accepted, as nothing connects for them; so is what does not parse, as the server refuses it.
    """
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    if not isinstance(parsed, dict) or "groups" in parsed:
        return
    for where, address in [*_addresses(parsed, ""), *_services(parsed)]:
        if not is_loopback(address):
            raise SandboxError(
                f"{name} would make {server} connect to {address} ({where}), and nothing in the sandbox connects "
                f"beyond loopback; use a local address there, or leave it out in the sandbox"
            )


def is_loopback(address: str) -> bool:
    """Whether `address` (a URL, HOST:PORT or HOST) is on this machine; a path on disk is."""
    if address.startswith("/") or not address:
        return True
    host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    return http.is_loopback(host)


def _addresses(node: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            here = f"{path}.{key}" if path else str(key)
            if isinstance(value, str) and _is_address(str(key)):
                yield here, value
            elif isinstance(value, list) and str(key) in _ADDRESSES:
                yield from ((here, item) for item in value if isinstance(item, str))
            if isinstance(value, (dict, list)) and key not in (
                "headers",
                "annotations",
                "labels",
                "external_labels",
                "details",
            ):
                yield from _addresses(value, here)
    elif isinstance(node, list):
        for item in node:
            yield from _addresses(item, path)


def _is_address(key: str) -> bool:
    return key not in _LINKS and (key in _ADDRESSES or key.endswith(("_url", "_smarthost", "_host", "_address")))


def _services(config: JsonObject) -> Iterator[tuple[str, str]]:
    for receiver in config.get("receivers") or ():
        for kind, keys in _SERVICES.items():
            for entry in (receiver.get(kind) or ()) if isinstance(receiver, dict) else ():
                if not any(key in entry for key in keys):
                    yield f"receiver {receiver.get('name')}, {kind}", f"the service behind {kind}"
    for job in config.get("scrape_configs") or ():
        for kind in job if isinstance(job, dict) else ():
            if kind.endswith("_sd_configs") and kind not in _LOCAL_DISCOVERIES:
                yield f"job {job.get('job_name')}, {kind}", f"the service behind {kind}"
