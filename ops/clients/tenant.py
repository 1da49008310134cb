"""The APIs by which Mimir and Cortex take a tenant's rules and its Alertmanager's configuration.

Neither has a version to compare, and neither says what runs: that is Prometheus' and Alertmanager's API, below
`/prometheus` and `/alertmanager`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import yaml

from formats.json_types import JsonObject, JsonValue
from ops.clients import credentials
from ops.clients.http import Http
from ops.errors import BadAnswer, NotFound, Refused

if TYPE_CHECKING:
    import httpx

ADVICE = "is rulerUrl (or tenantUrl) right?"
IF_UNAUTHORIZED = "check tenantId, and tenantToken, or tenantUser with tenantPassword"
# Below the URL. Mimir's own is below its prefix for Prometheus, which is /prometheus where nobody has changed it.
RULES = {"mimir": "/prometheus/config/v1/rules", "cortex": "/api/v1/rules"}
CONFIG = "/api/v1/alerts"
_YAML = {"Content-Type": "application/yaml"}
# What they say, in a 404, where there is nothing; anything else is said by a server that does not know the path.
_NOTHING = ("no rule groups found", "does not exist", "storage object not found")


def is_not_configured(missing: NotFound) -> bool:
    """Whether a 404 of a tenant's Alertmanager says that it runs nothing for this tenant."""
    return "not configured" in missing.words


@contextmanager
def unless_not_configured() -> Iterator[None]:
    """Around a question to an Alertmanager that may run nothing for the tenant. Raises NotFound for any other 404."""
    try:
        yield
    except NotFound as missing:
        if not is_not_configured(missing):
            raise


def tenant_http(url: str, tenant: Mapping[str, JsonValue], *, name: str) -> Http:
    """A service at `url`, asked as this tenant (components.settings.Tenant, as a mapping).

    Raises Misconfigured for a certificate or a key that cannot be read.
    """
    given = {"settings": "tenant", **(tenant.get("credentials") or {})}
    organisation = {"X-Scope-OrgID": tenant["id"]} if tenant.get("id") else {}
    hints = replace(credentials.hints(given, setting="rulerUrl (or tenantUrl)"), unauthorized=IF_UNAUTHORIZED)
    return Http(
        url,
        name=name,
        headers={**organisation, **credentials.headers(given)},
        verify=credentials.tls(given),
        advice=ADVICE,
        hints=hints,
    )


class _Api:
    def __init__(self, http: Http, setting: str) -> None:
        self.http, self._setting = http, setting

    def __str__(self) -> str:
        return self.http.url

    def _request(self, method: str, path: str, content: str | None = None) -> "httpx.Response | None":
        """The answer; None where there is no such object. Raises ops.errors."""
        try:
            return self.http.request(method, path, content=content, headers=_YAML if content is not None else None)
        except NotFound as missing:
            if any(words in missing.words for words in _NOTHING):
                return None
            raise Refused(
                f"{self.http.name} at {self.http.url} does not know {path} (404): check {self._setting}, and that the "
                "API is enabled there",
                status=404,
                words=missing.words,
            ) from None
        except Refused as refusal:
            if "org id" not in refusal.words:
                raise
            raise Refused(f"{refusal}: check tenantId", status=refusal.status, words=refusal.words) from None

    def _parsed(self, response: "httpx.Response", path: str) -> JsonObject:
        try:
            found = yaml.load(response.text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe one
        except yaml.YAMLError:
            found = None
        if not isinstance(found, dict):
            raise BadAnswer(
                f"{self.http.name} at {self.http.url} answered {path} with something else than its YAML: check "
                f"{self._setting}"
            )
        return found


class Ruler(_Api):
    """A tenant's rules. Every method raises `ops.errors` errors only."""

    def __init__(self, http: Http, api: str) -> None:
        super().__init__(http, "rulerUrl and rulerApi")
        self._path = RULES[api]

    def groups(self, namespace: str) -> dict[str, JsonObject]:
        """The groups that are stored in a namespace, by name."""
        path = self._at(namespace)
        response = self._request("GET", path)
        groups = self._parsed(response, path).get(namespace) or [] if response else []
        return {str(group.get("name")): group for group in groups}

    def write(self, namespace: str, group: str) -> None:
        """Store a group (YAML), in place of the one of that name. Raises Refused where it is not valid."""
        self._request("POST", self._at(namespace), group)

    def delete(self, namespace: str, name: str) -> None:
        """Delete a group; one that is not there is none to delete."""
        self._request("DELETE", self._at(namespace, name))

    def _at(self, *names: str) -> str:
        return "/".join([self._path, *(quote(name, safe="") for name in names)])


@dataclass(frozen=True)
class TenantConfig:
    """A tenant's Alertmanager configuration, byte for byte, and its template files by name."""

    text: str
    templates: Mapping[str, str]


class TenantAlertmanager(_Api):
    """The configuration that is stored for a tenant's Alertmanager. Every method raises `ops.errors` errors only."""

    def __init__(self, http: Http) -> None:
        super().__init__(http, "rulerUrl (or tenantUrl)")

    def read(self) -> TenantConfig | None:
        """What is stored; None where there is nothing."""
        response = self._request("GET", CONFIG)
        if response is None:
            return None
        found = self._parsed(response, CONFIG)
        return TenantConfig(str(found.get("alertmanager_config") or ""), dict(found.get("template_files") or {}))

    def write(self, config: TenantConfig) -> None:
        """Store a configuration in place of the one that is there. Raises Refused where it is not valid."""
        body = {"template_files": dict(config.templates), "alertmanager_config": config.text}
        # All in quotes, with escapes: every byte of the text arrives as it is.
        self._request("POST", CONFIG, yaml.safe_dump(body, default_style='"', width=float("inf")))

    def delete(self) -> None:
        """Delete what is stored, with its templates."""
        self._request("DELETE", CONFIG)
