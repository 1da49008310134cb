"""Diagnosis of panels without data: from the application's metrics to Grafana's data source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dashboards
import metrics
import rules
from dashboards import Dashboard, Panel
from formats.json_types import JsonValue
from ops.checks import live_dashboard as dashboard_checks
from ops.checks import prerequisites
from ops.checks.metric_sources import Sources
from ops.clients.grafana import Grafana
from ops.diagnosis import live_metrics
from ops.diagnosis.chain import (
    Diagnosis,
    Link,
    Step,
    broken,
    check_links,
    deploy_command,
    from_check,
    log_command,
    not_applicable,
    ok,
    verb_command,
)
from ops.errors import Forbidden, Misconfigured, NotFound, OpsError
from ops.targets import Target
from ops.words import agree, brief, count_noun


@dataclass(frozen=True)
class Case:
    """The panels of a diagnosis. `named`: one was chosen by its title."""

    target: Target
    board: Dashboard
    panels: Sequence[Panel]
    named: bool


def load_case(target: Target, title: str | None) -> Case:
    """All panels with a query, or the one whose title has these words; Misconfigured unless there is exactly one."""
    board = dashboards.load(native=target.native)
    every = [panel for panel in board.panels if panel.queries]
    if title is None:
        return Case(target, board, every, named=False)
    exact = [panel for panel in every if panel.title.lower() == title.lower()]
    chosen = exact or [panel for panel in every if title.lower() in panel.title.lower()]
    if len(chosen) != 1:
        titles = ", ".join(panel.title for panel in chosen or every)
        raise Misconfigured(f"{'more than one' if chosen else 'no'} panel is called {title!r}; there are {titles}")
    return Case(target, board, chosen, named=True)


def diagnose(case: Case) -> Diagnosis:
    """Check the links from the application to Grafana, up to the first broken one."""
    target = case.target
    prometheus = log_command(target, target.settings.prometheus)
    grafana = f"curl -v {target.grafana.url}/api/health" if target.grafana else ""
    links = [
        Link("prometheus", lambda: from_check(prerequisites.prometheus(target), prometheus), prometheus),
        Link("metrics endpoint", lambda: endpoint(target), prometheus),
        Link("scrape target", lambda: scraped(target), prometheus),
        Link("metrics present", lambda: metrics_present(case), prometheus),
        Link("query returns data", lambda: returns_data(case), prometheus),
        Link("grafana", lambda: from_check(prerequisites.grafana(target), grafana), grafana),
        Link("dashboard", lambda: deployed(case), grafana),
        Link("data source", lambda: data_source(case), grafana),
    ]
    return check_links(target.name, f"dashboard {case.panels[0].title}" if case.named else "dashboard", links)


def endpoint(target: Target) -> Step:
    """The application answers /metrics from here, or at least for Prometheus."""
    try:
        return from_check(prerequisites.metrics_endpoint(target), "")
    except OpsError as error:
        if prerequisites.scrape_target(target).status == "pass":
            return not_applicable(f"{error}; but Prometheus scrapes it")
        return broken(str(error), f"curl -v {target.application_url}/metrics")


def scraped(target: Target) -> Step:
    """Prometheus scrapes the application."""
    check = prerequisites.scrape_target(target)
    if check.status == "pass" or target.is_sandbox:
        return from_check(check, f"curl -v {target.application_url}/metrics")
    config_map = f"kubectl -n {target.settings.namespace} get configmap prometheus-config -o yaml"
    return from_check(check, f"{config_map} | grep -A 10 {target.settings.scrape_job}")


def metrics_present(case: Case) -> Step:
    """Every metric that the panels read has a sample now; recorded ones are checked after those that they read."""
    target, recordings = case.target, rules.recordings(native=case.target.native)
    read: dict[str, str] = {}
    for panel in case.panels:
        for query in _queries(case, panel):
            for name in [selector.name for selector in metrics.selectors(query)]:
                for source in _sources(name, recordings):
                    read.setdefault(source, panel.title)
    found = live_metrics.names(target, read)
    for name, title in sorted(read.items(), key=lambda item: item[0] in recordings):
        if name in found:
            continue
        if name in recordings:
            sources = Sources(target, target.contract, rules.load(native=target.native))
            why = sources.early(name) or sources.absent(name)
            return broken(f"panel {title!r} reads {name}: {why}", verb_command(target, "verify --wait 20"))
        said = live_metrics.missing(target, target.contract, name)
        return broken(f"panel {title!r} reads {name}: {said}", f"curl -s {target.application_url}/metrics | grep '^#'")
    return ok(
        f"{agree(len(read), 'the one', f'all {len(read)}')} that {'it reads' if case.named else 'the panels read'}"
    )


def returns_data(case: Case) -> Step:
    """Each panel has a number. Broken where a query fails, or a filter in it matches nothing."""
    target, quiet, series = case.target, [], 0
    sources = Sources(target, target.contract, rules.load(native=target.native))
    for panel in case.panels:
        answers = []
        for query in _queries(case, panel):
            names = {selector.name for selector in metrics.selectors(query)}
            outcome = dashboard_checks.data(target.prometheus, query, names, sources)
            if isinstance(outcome, int):
                answers.append(outcome)
            elif not outcome.quiet:
                return broken(f"panel {panel.title!r}: {outcome.why}", deploy_command(target))
        if answers:
            series += sum(answers)
            continue
        for query in _queries(case, panel):
            # a result without a number: there was no traffic
            if not target.prometheus.query(query) and (
                emptied := live_metrics.emptying_matchers(target.prometheus, query)
            ):
                return broken(
                    f"panel {panel.title!r} is empty: {emptied}; correct the query in dashboards/",
                    f"curl -s {target.application_url}/metrics | grep {metrics.selectors(query)[0].name} | head",
                )
        quiet.append(panel.title)
    if quiet:
        said = f"no number, without traffic, in {brief(quiet)}"
        return ok(f"{series} series; {said}" if series else said)
    return ok(f"{series} series in {count_noun(len(case.panels), 'panel')}")


def deployed(case: Case) -> Step:
    """Grafana has the dashboard as it is deployed from here."""
    drawn = dashboards.deployed(case.board, rules.alerts(stack=case.target.name, native=case.target.native))
    return from_check(dashboard_checks.present(case.target, drawn), deploy_command(case.target))


def data_source(case: Case) -> Step:
    """Grafana has a Prometheus data source, and it works."""
    grafana = case.target.grafana
    if grafana is None:
        return not_applicable("no Grafana here")
    try:
        found = [source for source in grafana.data_sources() if source.get("type") == "prometheus"]
    except Forbidden:
        return not_applicable(
            f"this account may not list the data sources; look at {grafana.url}/connections/datasources as an admin"
        )
    if not found:
        return broken(
            f"Grafana at {grafana.url} has no data source of type prometheus; "
            f"add one with the URL {case.target.prometheus.url}",
            f"curl -s {grafana.url}/api/datasources",
        )
    chosen = next((source for source in found if source.get("isDefault")), found[0])
    where = f"{chosen.get('name')} ({chosen.get('url')})"
    next_ = f"curl -s {grafana.url}/api/datasources/uid/{chosen.get('uid')}/health"
    state = _data_source_health(grafana, str(chosen.get("uid")))
    if state is None:
        return ok(f"{where}; this account cannot read its state")
    if str(state.get("status", "")).upper() != "OK":
        return broken(
            f"data source {where} does not work: {state.get('message')}; correct its URL or credentials", next_
        )
    return ok(f"{where}: {state.get('message')}")


def _data_source_health(grafana: Grafana, uid: str) -> Mapping[str, JsonValue] | None:
    try:
        found: Mapping[str, JsonValue] = grafana.http.get_json(f"/api/datasources/uid/{uid}/health")
    except (NotFound, Forbidden):
        return None
    except OpsError as error:  # Grafana answers 400 or 500 for a data source that does not work
        return {"status": "ERROR", "message": str(error)}
    return found


def _queries(case: Case, panel: Panel) -> list[str]:
    """The panel's queries as Grafana would send them when the dashboard is opened."""
    variables = dashboard_checks.variables(case.board.model)
    return [dashboard_checks.substitute(query, variables) for query in panel.queries]


def _sources(name: str, recordings: Mapping[str, rules.Recording]) -> list[str]:
    """The metrics that a recording reads, then its own name; for another metric only its name."""
    if name not in recordings:
        return [name]
    inputs = [one.name for one in metrics.selectors(recordings[name].expr)]
    return [*(source for one in inputs for source in _sources(one, recordings)), name]
