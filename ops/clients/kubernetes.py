"""A client of the Kubernetes API: reading, patching, and the service proxy.

Requests use `ops.clients.http`, so that errors and time limits are those of all clients. Address and credentials come
from `ops.clients.kube_access`.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from formats.json_types import JsonObject, JsonValue
from ops.clients.hints import Hints
from ops.clients.http import Http
from ops.clients.kube_access import ClusterAccess, access
from ops.errors import Forbidden

if TYPE_CHECKING:
    import httpx

_READING = {"get", "list", "watch"}
_REVIEWS = {"authorization.k8s.io", "authentication.k8s.io"}


class Kubernetes:
    """One cluster. Every method raises `ops.errors` errors only; safe to use from several threads.

    `kubeconfig` is a path (or several, joined with `:`), the contents of such a file, or None for what kubectl would
    use: `$KUBECONFIG`, `~/.kube/config`, or the service account of the pod. `context` chooses one in it.
    Nothing is read before the first request. `timeout` in seconds.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        context: str | None = None,
        *,
        timeout: float = 10.0,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._kubeconfig = kubeconfig or None
        self._context = context or None
        self._timeout = timeout
        self._transport = transport
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._credentials: ClusterAccess | None = None

    @property
    def url(self) -> str:
        """The address of the API server."""
        return self._client().url

    def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonValue:
        """GET an API path such as `/api/v1/namespaces/monitoring/services/prometheus`."""
        return self._client().decode(self._request("GET", path, params=params))

    def merge(
        self,
        path: str,
        body: Mapping[str, JsonValue],
        *,
        strategic: bool = False,
        field_manager: str = "api-performance",
        dry_run: bool = False,
    ) -> "httpx.Response":
        """PATCH an object with a JSON merge patch, or a `strategic` one, which knows list entries by their names.

        `dry_run`: only ask whether the API would accept it.
        """
        kind = "strategic-merge-patch" if strategic else "merge-patch"
        return self._request(
            "PATCH",
            path,
            params={"fieldManager": field_manager, **({"dryRun": "All"} if dry_run else {})},
            json=body,
            headers={"Content-Type": f"application/{kind}+json"},
        )

    def delete(self, path: str, *, uid: str) -> None:
        """Delete the object at this path, if it is still the one of this `uid`. Raises NotFound, Conflict."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        self._request("DELETE", path, json=body)

    def deployment(self, namespace: str, name: str) -> JsonObject:
        """Read a Deployment, as the API gives it."""
        found: JsonObject = self.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        return found

    def service(self, namespace: str, name: str) -> JsonObject:
        """Read a Service, as the API gives it."""
        found: JsonObject = self.get(f"/api/v1/namespaces/{namespace}/services/{name}")
        return found

    def pods(self, namespace: str, selector: str) -> list[JsonObject]:
        """The pods with these labels (`app=prometheus`), as the API gives them."""
        found: list[JsonObject] = self.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector})["items"]
        return found

    def service_http(
        self,
        namespace: str,
        service: str,
        port: int | str,
        *,
        name: str,
        scheme: str = "",
        prefix: str = "",
        timeout: float = 10.0,
        advice: str = "",
        hints: Hints = Hints(),  # noqa: B008 - it is frozen
    ) -> Http:
        """HTTP to a Service through the API server's proxy: no port-forward, no ingress.

        `port`: its number or name. `scheme`: `https` where the Service speaks it; its certificate is not checked.
        `prefix`: "", or a path that begins with `/`. Credentials for the Service cannot be sent: the API server takes
        them for its own, and does not pass them on.

        The account needs `get` on `services/proxy` in that namespace, and `create` for a reload.
        """
        return self._proxied(
            f"{namespace}/services/{_schemed(scheme)}{service}:{port}",
            prefix,
            name=name,
            timeout=timeout,
            advice=advice or f"is Service {service} in namespace {namespace} there, with ready pods behind it?",
            hints=hints,
        )

    def pod_http(
        self,
        namespace: str,
        pod: str,
        port: int | str,
        *,
        name: str,
        scheme: str = "",
        prefix: str = "",
        hints: Hints = Hints(),  # noqa: B008 - it is frozen
    ) -> Http:
        """HTTP to one pod through the API server's proxy; the arguments are those of `service_http`.

        The account needs `get` on `pods/proxy` in that namespace, and `create` for a reload.
        """
        return self._proxied(
            f"{namespace}/pods/{_schemed(scheme)}{pod}:{port}",
            prefix,
            name=name,
            timeout=10.0,
            advice=f"does pod {pod} in namespace {namespace} run?",
            hints=hints,
        )

    def _proxied(self, what: str, prefix: str, *, name: str, timeout: float, advice: str, hints: Hints) -> Http:
        """HTTP through the proxy of `what`, which is NAMESPACE/KIND/SCHEME:NAME:PORT."""
        with self._lock:
            access = self._access()
        root = f"{access.server.rstrip('/')}/api/v1/namespaces/{what}/proxy"
        url = f"{root}{prefix}"
        return self._client_for(access, url, root=root, hints=hints, name=name, timeout=timeout, advice=advice)

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether this account may do `verb` (get, create, …) on a core `resource` such as `pods/proxy`."""
        kind, _, part = resource.partition("/")
        asked = {"namespace": namespace, "verb": verb, "resource": kind, "subresource": part}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self._client().decode(self._request("POST", path, json=review))
        return bool((answer.get("status") or {}).get("allowed"))

    def is_read_only(self, namespace: str) -> bool:
        """Whether this account may change nothing there; False where the API server does not know all that it may."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        status = self._client().decode(self._request("POST", path, json=review)).get("status") or {}
        # Everybody may ask what he may do, which is a `create` in one of these groups.
        changing = [
            rule
            for rule in status.get("resourceRules") or ()
            if not _READING.issuperset(rule["verbs"]) and not _REVIEWS.issuperset(rule.get("apiGroups") or ())
        ]
        return bool(status) and not status.get("incomplete") and not changing

    def close(self) -> None:
        """Close the connections, and drop the credentials."""
        with self._lock:
            self._credentials = None
            if self._http is not None:
                self._http.close()
                self._http = None

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> "httpx.Response":
        """One request; expired credentials (401) are renewed once."""
        try:
            return self._client().request(method, path, params=params, json=json, headers=headers)
        except Forbidden as refusal:
            if refusal.status != 401:
                raise
        self.close()
        return self._client().request(method, path, params=params, json=json, headers=headers)

    def _client(self) -> Http:
        with self._lock:
            if self._http is None:
                access = self._access()
                self._http = self._client_for(
                    access,
                    access.server,
                    name="the Kubernetes API",
                    timeout=self._timeout,
                    advice=f"is the cluster up, and is context {access.context!r} right?",
                )
            return self._http

    def _client_for(
        self,
        access: ClusterAccess,
        url: str,
        *,
        name: str,
        timeout: float,
        advice: str,
        root: str | None = None,
        hints: Hints = Hints(),  # noqa: B008 - it is frozen
    ) -> Http:
        bearer = [("Authorization", f"Bearer {access.token}")] if access.token else []
        return Http(
            url,
            name=name,
            timeout=timeout,
            headers=[*bearer, *access.acting_as],
            verify=access.verify,
            advice=advice,
            transport=self._transport,
            proxy=access.proxy,
            server_name=access.server_name,
            root=root,
            hints=hints,
        )

    def _access(self) -> ClusterAccess:
        """Read the kubeconfig and fetch credentials, once."""
        if self._credentials is None:
            self._credentials = access(self._kubeconfig, self._context)
        return self._credentials


def _schemed(scheme: str) -> str:
    return f"{scheme}:" if scheme else ""
