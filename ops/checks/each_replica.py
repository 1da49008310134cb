"""Does every replica run what we wrote? A Service, or a balancer, answers for one of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Literal

from components.live.running import compare
from formats.versions import number
from ops.checks import Check, failed, passed, skipped
from ops.checks import live_routing as routing_checks
from ops.checks import live_rules as rule_checks
from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import Prometheus
from ops.clients.replicas import Replica, Replicas
from ops.errors import OpsError
from ops.targets import Target
from ops.words import brief, count_noun
from routing import Routing
from rules import RuleFile

RULES, ROUTING = "rules/replicas", "routing/replicas"


def run_rules(target: Target, files: Sequence[RuleFile]) -> Check:
    """Every replica of Prometheus runs our rules. Raises ops.errors."""

    def problem(replica: Replica) -> str | None:
        prometheus = Prometheus(replica.http, of_tenant=target.prometheus.of_tenant)
        live = prometheus.rules()
        found = (rule_checks.group_problem(prometheus, file, group, live) for file in files for group in file.groups)
        return next(filter(None, found), None) or _failure(rule_checks.reload(prometheus))

    return _check(RULES, target.replicas("prometheus"), problem)


def run_routing(target: Target, routing: Routing) -> Check:
    """Every replica of Alertmanager runs our routing. Raises ops.errors."""
    written = routing_checks.written_routing(routing, target)

    def problem(replica: Replica) -> str | None:
        alertmanager = Alertmanager(replica.http, of_tenant=target.alertmanager.of_tenant)
        config = routing_checks.our_part(alertmanager.status().config, target)
        if faults := compare.routing_not_running(written, config):
            return f"{brief(faults, 2)}; {routing_checks.DEPLOY}"
        return _failure(routing_checks.reload(alertmanager))

    found = target.replicas("alertmanager")
    peers = 0 if target.alertmanager.of_tenant else target.alertmanager.status().peers
    if len(found.each) < peers and not found.unseen:
        return skipped(
            ROUTING,
            f"only one of {count_noun(peers, 'replica')} was looked at, as this address leads to any of them: list the "
            "URL of each in alertmanagerUrl, or leave it empty for the API server's proxy",
        )
    return _check(ROUTING, found, problem)


def versions(target: Target, kind: Literal["prometheus", "alertmanager"]) -> Check:
    """Whether all replicas of a server are of one version; that they are not is no fault of what is deployed.

    Raises ops.errors.
    """
    name, found = f"versions/{kind}", target.replicas(kind)
    if found.unseen:
        return skipped(name, found.unseen)
    by_version: dict[str, list[str]] = {}
    for replica in found.each:
        client = Prometheus(replica.http) if kind == "prometheus" else Alertmanager(replica.http)
        with suppress(OpsError):  # another check names one that does not answer
            by_version.setdefault(client.version(), []).append(replica.name)
    oldest_first = sorted(by_version, key=lambda version: (number(version) or (0, 0), version))
    if len(oldest_first) < 2:
        who = "one replica, " if len(found.each) == 1 else "all that answer are "
        return passed(name, f"{who}{oldest_first[0]}" if oldest_first else "none answers")
    each = ", ".join(f"{version} ({brief(by_version[version])})" for version in oldest_first)
    return skipped(
        name,
        f"its replicas are of different versions, {each}: upgrade all of them; until then our files may use only what "
        f"{oldest_first[0]} knows",
    )


def _check(name: str, found: Replicas, problem: Callable[[Replica], str | None]) -> Check:
    if found.unseen:
        return skipped(name, found.unseen)
    if len(found.each) == 1:
        return passed(name, "there is one replica")
    lagging = list(_lagging(found.each, problem))
    if lagging:
        return failed(name, "; ".join(lagging))
    return passed(name, f"all {len(found.each)} run it: {brief([replica.name for replica in found.each])}")


def _lagging(replicas: Iterable[Replica], problem: Callable[[Replica], str | None]) -> Iterator[str]:
    for replica in replicas:
        try:
            found = problem(replica)
        except OpsError as error:
            yield str(error)
        else:
            if found:
                yield f"{replica.name}: {found}"


def _failure(check: Check) -> str | None:
    return check.detail if check.status == "fail" else None
