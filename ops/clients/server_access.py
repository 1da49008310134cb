"""HTTP to Prometheus or Alertmanager as the settings say: by URL, through the API server's proxy, or as a tenant."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from formats.json_types import JsonValue
from ops.clients import credentials
from ops.clients.hints import Hints
from ops.clients.http import DEFAULT_ADVICE, Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.tenant import tenant_http

# SCHEME:NAME:PORT/PREFIX, as in the URL of the API server's proxy; SCHEME and PREFIX may be left out.
SERVICE = re.compile(r"(?:(https?):)?(?!https?:)([^\s:/]+):([^\s:/]+)((?:/[^\s/]+)*)/?")


@dataclass(frozen=True)
class ServiceAddress:
    """A Service: `port` is its number or its name, `scheme` is https, http or "", `prefix` is "" or begins with `/`."""

    scheme: str
    name: str
    port: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The Service that a setting names, which is written as `SERVICE` says."""
        found = SERVICE.fullmatch(text)
        assert found, "the settings' reader has looked"
        scheme, name, port, prefix = found.groups(default="")
        return cls(scheme, name, port, prefix)

    @property
    def stem(self) -> str:
        """How the setting says it, without the prefix."""
        return ":".join(filter(None, (self.scheme, self.name, self.port)))


def server_http(
    server: Mapping[str, JsonValue],
    cluster: Callable[[], tuple[Kubernetes, str]],
    *,
    name: str,
    advice: str = "",
    by_verb: bool = False,
) -> Http:
    """HTTP to a server of the settings (components.settings.Server, as a mapping).

    `cluster`: where its Service is, and in which namespace, for a server without a URL. `name`: Prometheus or
    Alertmanager. `by_verb`: what is said of credentials is for a verb. Raises Misconfigured for
    a file or a kubeconfig that is no use.
    """
    kind = name.lower()
    if server.get("tenant"):
        return tenant_http(server["url"], server["tenant"], name=name)
    if server.get("url"):
        given = server.get("credentials") or {"settings": kind}
        hints = credentials.hints(given, setting=f"{kind}Url")
        return Http(
            server["url"],
            name=name,
            headers=credentials.headers(given),
            verify=credentials.tls(given),
            advice=advice or DEFAULT_ADVICE,
            hints=credentials.read_by_a_verb(hints, given) if by_verb else hints,
        )
    service = ServiceAddress.parse(server["service"])
    kubernetes, namespace = cluster()
    return kubernetes.service_http(
        namespace,
        service.name,
        service.port,
        scheme=service.scheme,
        prefix=service.prefix,
        name=name,
        hints=_through_the_proxy(kind, service),
    )


def _through_the_proxy(kind: str, service: ServiceAddress) -> Hints:
    """What to do about an answer that came by the API server: it keeps our credentials, and has none of its own."""
    plain = f"{service.name}:{service.port}{service.prefix}"
    by_url = f"set {kind}Url"
    return Hints(
        unauthorized=f"the API server's proxy passes no credentials on: {by_url}, with {kind}User and {kind}Password, "
        f"or {kind}Token",
        client_certificate=f"the API server's proxy has no client certificate for it: {by_url}, with {kind}CertFile "
        f"and {kind}KeyFile",
        wants_tls=f"set {kind}Service to https:{plain}",
        without_tls=f"set {kind}Service to {plain}: it speaks no TLS",
        login=f"the API server's proxy passes no credentials on: {by_url}, with {kind}Token",
        setting=f"{kind}Service",
        stem=service.stem,
    )
