"""The two servers: how each reloads, and what of ours it runs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from components.live.cluster import config_map, connections, tenant_text
from components.live.cluster.secret_key import key_of
from components.live.provider import Props, warn
from components.live.running import compare, expressions, operator_names, operator_readback
from components.live.running.wanted import Wanted
from components.live.text import marked_lists
from components.live.text.edit_errors import EditRefused
from components.live.text.routing_merge import receiver_names
from formats.json_types import JsonObject, JsonValue
from ops.clients import workloads
from ops.clients.prometheus import RunningGroup
from ops.clients.replicas import Replica, Replicas
from ops.clients.server import Server
from ops.clients.server_access import ServiceAddress
from ops.clients.tenant import is_not_configured
from ops.clients.workloads import WantedWorkload
from ops.errors import Forbidden, NoCommand, NotFound, OpsError, Refused, Unauthorized


class ServerCheck(ABC):
    """One replica of a server. `props`: a proof's inputs with `wanted` decoded (components.live.running.wanted)."""

    kind: ClassVar[str]
    client: Server

    def __init__(self, props: Props, replica: Replica) -> None:
        self.props, self.name, self.pod = props, replica.name, replica.pod

    @abstractmethod
    def not_running(self) -> list[str]:
        """A sentence for each thing that does not run as wanted. Raises ops.errors."""

    @abstractmethod
    def still_running(self, wanted: Wanted) -> list[str]:
        """A sentence for each thing of `wanted` (`rules`, `routing`) that runs. Raises ops.errors."""

    def reload_failed(self) -> list[str]:
        """That its last reload failed, as its own metric says. Raises ops.errors."""
        ok = self.client.metric(f"{self.kind}_config_last_reload_successful")
        return ["its last reload failed: it would not start again with the files as they are"] if ok == 0 else []

    def reload(self) -> list[str]:
        """Make it read its files again, as the settings say. Returns what it refuses. Raises EditRefused."""
        match self.props[self.kind]["reload"]:
            case "signal":
                return self._signal()
            case "lifecycle":
                try:
                    self.client.reload()
                except Unauthorized:
                    raise  # the message names the credentials
                except Forbidden as error:
                    if 'cannot create resource "' in error.words:  # the API server's, not the server's own
                        raise EditRefused(
                            f"this account may not reload {self.name} ({error.words}): its role needs create on "
                            "services/proxy and pods/proxy (docs/rbac/deploy.yml)"
                        ) from None
                    raise EditRefused(
                        f"{self.name} does not reload on request ({error.words or error.status}): start it with "
                        f"--web.enable-lifecycle, or set {self.kind}Reload to sidecar or signal"
                    ) from None
                except Refused as error:
                    words = error.words
                    if self.props[self.kind].get("secret_name"):
                        words = "its reason may quote the Secret, and stands in its log"
                    return [*self._refused_parts(), f"it refuses its files: {words}"]
        return []

    def _refused_parts(self) -> list[str]:
        return []

    def _signal(self) -> list[str]:
        """SIGHUP to the server's process, by running `kill` in its pod, or in each of its pods that run.

        Raises EditRefused.
        """
        from ops.clients import pod_exec  # imported here, as kr8s takes 0.1 s and most stacks do not need it

        props, cluster = self.props, connections.kubernetes(self.props)
        try:
            found = workloads.find(cluster, WantedWorkload.of(props["namespace"], props[self.kind]))
        except NotFound as missing:
            raise EditRefused(f"no pod gets SIGHUP: {missing}") from None
        pods = workloads.running(cluster.pods(props["namespace"], found.selector))
        if self.pod:
            pods = [pod for pod in pods if pod["metadata"]["name"] == self.pod]
        for pod in pods:
            access = (props.get("kubeconfig"), props.get("context"))  # Pulumi keeps no property that is None
            name = pod["metadata"]["name"]
            try:
                pod_exec.run(*access, props["namespace"], name, found.container, ["kill", "-HUP", "1"])
            except Forbidden as error:
                raise EditRefused(
                    f"this account may not send SIGHUP to {self.name} in pod {props['namespace']}/{name} "
                    f"({error.words}): its role needs get and create on pods/exec, or set {self.kind}Reload to "
                    "lifecycle or sidecar"
                ) from None
            except NoCommand:
                raise EditRefused(
                    f"the image of container {found.container} in pod {props['namespace']}/{name} has no `kill`, so "
                    f"{self.name} cannot get SIGHUP there: set {self.kind}Reload to lifecycle or sidecar"
                ) from None
        return [] if pods else [f"no pod of {found.title} runs, so none got SIGHUP"]


class PrometheusCheck(ServerCheck):
    """Prometheus and our rules."""

    kind = "prometheus"

    def __init__(self, props: Props, replica: Replica) -> None:
        super().__init__(props, replica)
        self.client = self.prometheus = connections.prometheus(props, replica.http)

    def not_running(self) -> list[str]:
        """Rules that do not run as written, cannot be evaluated, or a failed reload. Raises ops.errors."""
        groups = self._groups()
        faults = compare.rules_not_running(self.props["rules"], groups)
        if faults:
            return faults
        for rule in compare.unevaluated(
            self.props["rules"], groups
        ):  # the first evaluation may be an interval away: evaluate it now
            try:
                self.prometheus.query(rule.query)
            except Refused as error:
                faults.append(f"{rule.name} cannot be evaluated: {error.words}")
        return faults or self.reload_failed()

    def still_running(self, wanted: Wanted) -> list[str]:
        """Rules of `wanted` that run. Raises ops.errors."""
        return compare.rules_still_running(wanted["rules"], self._groups())

    def _refused_parts(self) -> list[str]:
        """The rules that it refuses: Prometheus names them only in its log."""
        return expressions.refused(self.prometheus, self.props["rules"])

    def _groups(self) -> list[RunningGroup]:
        """The groups from our files only: while the mode changes, the same rules also run from other files."""
        folder, apart = str(self.props.get("folder") or "").rstrip("/"), bool(self.props.get("apart"))
        groups = self.prometheus.rules()
        if namespace := self.props.get("ruler_namespace"):
            return [group for group in groups if group.file == namespace]
        if ours := (self.props.get("operated") or {}).get("rules"):  # the operator names a file NAMESPACE-OBJECT-UID
            return [group for group in groups if f"/{self.props['namespace']}-{ours['name']}" in group.file]
        return [group for group in groups if not folder or (f"{folder}/" in group.file) != apart]


class AlertmanagerCheck(ServerCheck):
    """Alertmanager and our routing."""

    kind = "alertmanager"

    def __init__(self, props: Props, replica: Replica) -> None:
        super().__init__(props, replica)
        self.client = self.alertmanager = connections.alertmanager(props, replica.http)

    def not_running(self) -> list[str]:
        """Parts of the routing that do not run as written, or a failed reload. Raises ops.errors."""
        config = self._config()
        if config is None:
            return ["it has no configuration for the tenant yet"]
        ours = operator_names.our_part(config, self.props)
        faults = operator_readback.not_taken_up(ours, self.props)
        faults = faults or compare.routing_not_running(self.props["routing"], ours)
        return faults or operator_readback.added_matcher(config, self.props) or self.reload_failed()

    def still_running(self, wanted: Wanted) -> list[str]:
        """Receivers of `wanted` that run, and that no text of others declares. Raises ops.errors."""
        running = self._config()
        if running is None:
            return []
        config = operator_names.our_part(running, self.props)
        declared, left = self._declared()
        for name in {*compare.running_receivers(wanted["routing"], config)} & left:
            warn(
                f"receiver {name} still runs, as the text of {self.name} has it without our marks: take it out there "
                "if it is not meant to stay"
            )
        return compare.routing_still_running(wanted["routing"], config, declared)

    def _config(self) -> Mapping[str, JsonValue] | None:
        """What runs; None where Mimir or Cortex runs nothing for the tenant. Raises ops.errors."""
        try:
            return self.alertmanager.status().config
        except NotFound as missing:
            if is_not_configured(missing):
                return None
            raise

    def _declared(self) -> tuple[set[str], set[str]]:
        """Receivers that the live text has, which may go on running; and those of them that no part of ours has."""
        if operator_names.prefix(self.props):
            return set(), set()  # only the operator makes such names
        server = self.props[self.kind]
        if server.get("tenant"):
            return self._declared_by_tenant(server["tenant"])
        at = key_of(self.props["namespace"], server)
        try:
            found = config_map.read(connections.kubernetes(self.props), at)
            declared = receiver_names(found.text)
            bare = marked_lists.remove(found.text, at.key)
        except (OpsError, EditRefused):
            return set(), set()
        return declared, set() if found.replaced else receiver_names(bare)

    def _declared_by_tenant(self, tenant: JsonObject) -> tuple[set[str], set[str]]:
        try:
            found = tenant_text.read(connections.tenant_alertmanager(tenant), "routing")
            declared = receiver_names(found.text)
            bare = marked_lists.remove(found.text, f"{self.name}'s configuration")
        except (OpsError, EditRefused):
            return set(), set()
        return declared, set() if found.replaced else receiver_names(bare)


_CHECKS: Sequence[type[ServerCheck]] = (PrometheusCheck, AlertmanagerCheck)


def kinds(props: Props) -> list[str]:
    """The servers that the inputs name."""
    return [check.kind for check in _CHECKS if props.get(check.kind)]


def replica_checks(props: Props, kind: str, *, reload: bool) -> tuple[list[ServerCheck], Replicas]:
    """One for each replica of a server that can be asked, and `reload`ed. Raises ops.errors."""
    found = connections.replicas(props, kind, ("get", "create") if reload else ("get",))
    (check,) = (check for check in _CHECKS if check.kind == kind)
    return [check(props, replica) for replica in found.each], found


def stuck_pods(props: Props, kind: str) -> list[str]:
    """The pods behind a server's Service that do not run, each with its state; none where they cannot be seen."""
    server = props[kind]
    if server.get("tenant") or server.get("url"):
        return []
    try:
        name = ServiceAddress.parse(str(server["service"])).name
        cluster = connections.kubernetes(props)
        pods = workloads.behind_service(cluster, props["namespace"], cluster.service(props["namespace"], name))
    except OpsError:
        return []
    states = {pod["metadata"]["name"]: workloads.pod_state(pod) for pod in pods}
    return [f"pod {name} is {state}" for name, state in states.items() if state != "Running"]
