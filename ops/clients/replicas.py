"""Each replica of a server by itself: what a Service answers is one of them, and the next request may reach another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from formats.json_types import JsonObject, JsonValue
from ops.clients import workloads
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.server_access import ServiceAddress, server_http
from ops.errors import Forbidden, NoService, NotFound
from ops.words import count_noun

_PROXY = "pods/proxy"
_REVISIONS = ("pod-template-hash", "controller-revision-hash")  # labels of pods: of which state of their workload


@dataclass(frozen=True)
class Replica:
    """One replica, and how messages name it.

    `pod`: its name; None where it is reached by a URL, or by whatever the Service chooses.
    """

    http: Http
    name: str
    pod: str | None = None


@dataclass(frozen=True)
class Replicas:
    """The replicas that can be asked. `unseen`: why others cannot, as a clause; "" where all can.

    `changing`: their workload is replacing pods, so that some may be starting or about to go.
    """

    each: Sequence[Replica]
    unseen: str = ""
    changing: bool = False


def at_urls(https: Sequence[Http]) -> Replicas:
    """Those that the settings list by their URLs."""
    return Replicas([Replica(http, f"{http.name} at {http.url}" if len(https) > 1 else http.name) for http in https])


def replicas_of(
    server: Mapping[str, JsonValue],
    cluster: Callable[[], tuple[Kubernetes, str]],
    *,
    name: str,
    verbs: Sequence[str] = ("get",),
    advice: str = "",
    by_verb: bool = False,
) -> Replicas:
    """Each replica of a server of the settings, by its URL or its pod; the arguments are those of `server_http`.

    `verbs`: what is to be done to it through the API server. Raises what `server_http` does, and ops.errors.
    """

    def http(server: Mapping[str, JsonValue]) -> Http:
        return server_http(server, cluster, name=name, advice=advice, by_verb=by_verb)

    if server.get("tenant"):
        return at_urls([http(server)])
    if server.get("url"):
        urls = (server["url"], *(server.get("more_urls") or ()))
        return at_urls([http({**server, "url": url}) for url in urls])
    return behind_service(*cluster(), ServiceAddress.parse(str(server["service"])), through=http(server), verbs=verbs)


def behind_service(
    cluster: Kubernetes, namespace: str, service: ServiceAddress, *, through: Http, verbs: Sequence[str] = ("get",)
) -> Replicas:
    """Every pod that a Service selects and that runs, each by the API server's pod proxy.

    One pod, or a Service without a selector, is asked `through` the Service. So are several where this account may not
    do `verbs` on pods/proxy. Raises ops.errors where there is no way to the cluster.
    """
    name, title = service.name, through.name
    through_service = Replica(through, title)
    try:
        found = cluster.service(namespace, name)
        pods = workloads.behind_service(cluster, namespace, found)
    except (Forbidden, NotFound, NoService):  # a request through the Service says what is wrong
        return Replicas([through_service])
    if len(pods) < 2:
        return Replicas([through_service])
    lacking = [verb for verb in verbs if not cluster.may(verb, _PROXY, namespace)]
    if lacking:
        return Replicas(
            [through_service],
            f"only one of {count_noun(len(pods), 'pod')} behind Service {namespace}/{name} was looked at: this account "
            f"lacks {' and '.join(lacking)} on {_PROXY}",
        )
    target = _target_port(found, service.port)
    each = []
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        called = str(pod["metadata"]["name"])
        title_of_pod = f"{title} in pod {called}"
        http = cluster.pod_http(
            namespace,
            called,
            _number(target, pod),
            scheme=service.scheme,
            prefix=service.prefix,
            name=title_of_pod,
            hints=through.hints,
        )
        each.append(Replica(http, title_of_pod, called))
    return Replicas(each, changing=len({_revision(pod) for pod in pods}) > 1)


def _target_port(service: JsonObject, port: str) -> int | str:
    """The port of the pods for a port of the Service, which is given by its number or name."""
    ports: list[JsonObject] = service["spec"].get("ports") or []
    for one in ports:
        if port in (str(one.get("port")), one.get("name")):
            target: int | str = one.get("targetPort") or one["port"]
            return target
    return port


def _number(port: int | str, pod: JsonObject) -> int | str:
    """The number of a pod's port that a Service calls `port`."""
    for container in pod["spec"]["containers"]:
        for one in container.get("ports") or ():
            if one.get("name") == port:
                number: int = one["containerPort"]
                return number
    return port


def _revision(pod: JsonObject) -> str:
    labels = pod["metadata"].get("labels") or {}
    return next((labels[name] for name in _REVISIONS if name in labels), "")
