"""The Kubernetes API, as far as it is needed here: reading, compare-and-swap of a ConfigMap, and the service proxy.

kr8s reads the kubeconfig and obtains the credentials (contexts, certificates, exec plugins, in-cluster); the requests
go through our own HTTP seam, so that errors, time limits and threads are the same as everywhere. Besides, kr8s has no
time limit of its own, and its blocking API runs every call of the process in one event loop.
"""

import asyncio
import contextlib
import os
import ssl
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from ops.clients.http import Http
from ops.errors import Forbidden, Misconfigured

_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """What a ConfigMap holds; `resource_version` names this very state of it."""

    namespace: str
    name: str
    data: Mapping[str, str]
    resource_version: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """Where an API server is, and how it is spoken to."""

    server: str
    token: str | None
    verify: ssl.SSLContext | bool
    proxy: str | None
    server_name: str | None
    context: str


class Kubernetes:
    """One cluster. Every method raises `ops.errors` errors and nothing else; safe to use from several threads.

    `kubeconfig` is a path (or several, joined with `:`), the contents of such a file, or None for what kubectl would
    use: `$KUBECONFIG`, `~/.kube/config`, or the service account of the pod. `context` chooses one in it.
    Nothing is read or connected before the first request.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        context: str | None = None,
        *,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._kubeconfig = kubeconfig or None
        self._context = context or None
        self._timeout = timeout
        self._transport = transport
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._known: Access | None = None

    @property
    def url(self) -> str:
        """Where the API server is."""
        return self._connected().url

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """GET an API path such as `/api/v1/namespaces/monitoring/services/prometheus`."""
        return self._connected().decode(self._request("GET", path, params=params))

    def config_map(self, namespace: str, name: str) -> ConfigMap:
        """Read a ConfigMap; NotFound when there is none."""
        return _config_map(self.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}"))

    def replace_config_map(
        self, namespace: str, name: str, data: Mapping[str, str], resource_version: str
    ) -> ConfigMap:
        """Write `data` in place of what the ConfigMap holds, provided that it still is at `resource_version`.

        Labels, annotations, binaryData and owners stay. Conflict when somebody else wrote meanwhile: read again.
        """
        path = f"/api/v1/namespaces/{namespace}/configmaps/{name}"
        # The resourceVersion inside a merge patch makes it a compare-and-swap; None removes a key.
        current = self.config_map(namespace, name)
        gone = {key: None for key in current.data if key not in data}
        body = {"metadata": {"resourceVersion": resource_version}, "data": {**data, **gone}}
        return _config_map(self._connected().decode(self.merge(path, body)))

    def merge(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        strategic: bool = False,
        field_manager: str = "api-performance",
        dry_run: bool = False,
    ) -> httpx.Response:
        """PATCH an object with a JSON merge patch, or a `strategic` one, which knows list entries by their names.

        `dry_run`: only see whether the API would take it from us.
        """
        kind = "strategic-merge-patch" if strategic else "merge-patch"
        return self._request(
            "PATCH",
            path,
            params={"fieldManager": field_manager, **({"dryRun": "All"} if dry_run else {})},
            json=body,
            headers={"Content-Type": f"application/{kind}+json"},
        )

    def deployment(self, namespace: str, name: str) -> dict[str, Any]:
        """Read a Deployment, as the API gives it."""
        found: dict[str, Any] = self.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        return found

    def service(self, namespace: str, name: str) -> dict[str, Any]:
        """Read a Service, as the API gives it."""
        found: dict[str, Any] = self.get(f"/api/v1/namespaces/{namespace}/services/{name}")
        return found

    def pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """The pods with these labels (`app=prometheus`), as the API gives them."""
        found: list[dict[str, Any]] = self.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector})[
            "items"
        ]
        return found

    def service_http(
        self, namespace: str, service: str, port: int | str, *, name: str, timeout: float = 10.0, advice: str = ""
    ) -> Http:
        """HTTP to a Service through the API server's proxy: no port-forward, no ingress.

        The account needs `get` on `services/proxy` in that namespace, and `create` for a reload.
        """
        with self._lock:
            access = self._access()
        return self._seam(
            access,
            f"{access.server.rstrip('/')}/api/v1/namespaces/{namespace}/services/{service}:{port}/proxy",
            name=name,
            timeout=timeout,
            advice=advice or f"is Service {service} in namespace {namespace} there, with ready pods behind it?",
        )

    def close(self) -> None:
        """Give the connections back, and forget the credentials."""
        with self._lock:
            self._known = None
            if self._http is not None:
                self._http.close()
                self._http = None

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; credentials that have run out are renewed once."""
        try:
            return self._connected().request(method, path, **options)
        except Forbidden as no:
            if no.status != 401:
                raise
        self.close()
        return self._connected().request(method, path, **options)

    def _connected(self) -> Http:
        with self._lock:
            if self._http is None:
                access = self._access()
                self._http = self._seam(
                    access,
                    access.server,
                    name="the Kubernetes API",
                    timeout=self._timeout,
                    advice=f"is the cluster up, and is context {access.context!r} right?",
                )
            return self._http

    def _seam(self, access: Access, url: str, *, name: str, timeout: float, advice: str) -> Http:
        headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        return Http(
            url,
            name=name,
            timeout=timeout,
            headers=headers,
            verify=access.verify,
            advice=advice,
            transport=self._transport,
            proxy=access.proxy,
            server_name=access.server_name,
        )

    def _access(self) -> Access:
        """Read the kubeconfig and fetch credentials, once; in a thread of its own, as the caller may run a loop."""
        if self._known is None:
            with ThreadPoolExecutor(1, thread_name_prefix="kubeconfig") as alone:
                self._known = alone.submit(lambda: asyncio.run(access(self._kubeconfig, self._context))).result()
        return self._known


async def access(kubeconfig: str | None, context: str | None) -> Access:
    """Address and credentials of a cluster; Misconfigured with one sentence when there are none."""
    from kr8s._auth import KubeAuth  # 0.3 s to import: only for those who reach a cluster

    if kubeconfig is not None and "\n" in kubeconfig.strip():
        source: str | dict[str, Any] = _contents(kubeconfig)
        what = "the kubeconfig given as text"
    else:
        paths = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        files = [Path(path).expanduser() for path in paths.split(os.pathsep)]
        source = os.pathsep.join(map(str, files))
        what = f"kubeconfig {paths}"
        if not any(path.is_file() for path in files) and (kubeconfig is not None or not _IN_CLUSTER.is_file()):
            raise Misconfigured(f"{what} does not exist; set KUBECONFIG, or kubeconfig in the stack's settings")
    auth = KubeAuth(kubeconfig=source, context=context)
    try:
        await auth.reauthenticate()
        verify = await auth.ssl_context()
    except Exception as error:  # kr8s raises whatever its parts raise
        raise Misconfigured(f"{what} cannot be used ({_sentence(error)}); try `kubectl get pods` with it") from error
    finally:
        _forget(auth)
    return Access(
        server=str(auth.server),
        token=str(auth.token).strip() if auth.token else None,
        verify=verify,
        proxy=auth.proxy,
        server_name=auth.tls_server_name,
        context=context or auth.active_context or "in-cluster",
    )


def _contents(text: str) -> dict[str, Any]:
    """A kubeconfig given as text."""
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Misconfigured("the kubeconfig given as text is not YAML; pass a path, or the file's contents") from error
    if not isinstance(parsed, dict) or "clusters" not in parsed:
        raise Misconfigured("the kubeconfig given as text has no clusters; pass a path, or the file's contents")
    return parsed


def _forget(auth: Any) -> None:
    """Delete the key and certificates that kr8s unpacked into temporary files, now that the TLS context holds them."""
    ours = {**auth._cluster, **auth._user}
    for key, attribute in (
        ("client-key-data", "client_key_file"),
        ("client-certificate-data", "client_cert_file"),
        ("certificate-authority-data", "server_ca_file"),
    ):
        path = getattr(auth, attribute)
        if key in ours and path and Path(path).parent == Path(tempfile.gettempdir()):
            with contextlib.suppress(OSError):
                Path(path).unlink()


def _config_map(found: Mapping[str, Any]) -> ConfigMap:
    metadata = found["metadata"]
    return ConfigMap(
        namespace=metadata["namespace"],
        name=metadata["name"],
        data=found.get("data") or {},
        resource_version=metadata["resourceVersion"],
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )


def _sentence(error: Exception) -> str:
    """An error of somebody else's in one line."""
    return " ".join(str(error).split()) or type(error).__name__
