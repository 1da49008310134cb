"""The guide's first checks: do the servers run and answer?"""

import time

from components.settings import Server
from ops.checks import Check, Grace, failed, passed, skipped
from ops.clients import metrics_page, workloads
from ops.clients.alertmanager import Alertmanager
from ops.clients.kubernetes import Kubernetes
from ops.clients.prometheus import Prometheus
from ops.clients.server_access import ServiceAddress
from ops.clients.workloads import NotOne, WantedWorkload
from ops.errors import BadAnswer, NoService, NotFound, OpsError
from ops.targets import Target
from ops.words import brief, count_noun

STARTING = 60.0  # seconds from its start within which Prometheus may know no target yet


def prometheus(target: Target) -> Check:
    """Prometheus answers and is ready. Raises Unreachable when nothing answers."""
    return _ready("prometheus", "Prometheus", target.prometheus, target.settings.prometheus)


def alertmanager(target: Target) -> Check:
    """Alertmanager answers and is ready. Raises Unreachable when nothing answers."""
    return _ready("alertmanager", "Alertmanager", target.alertmanager, target.settings.alertmanager)


def _ready(name: str, title: str, client: Prometheus | Alertmanager, server: Server) -> Check:
    if client.ready():
        return passed(name, f"ready at {client.url}")
    return failed(
        name,
        f"{title} at {client.url} is not ready; wait a minute, then read the log of {server.named}",
    )


def pods(target: Target, server: Server) -> Check:
    """The pods that run a server are all ready: those of its workload, or behind its Service where it has none."""
    name, namespace = f"pods/{server.named.partition('/')[2]}", target.settings.namespace
    if server.tenant:
        return skipped(name, f"{server.url} is Mimir or Cortex, whose pods are not looked at")
    if target.kubernetes is None:
        return skipped(name, "this target has no Kubernetes API")
    try:
        selector = _selector(target.kubernetes, namespace, server)
        every = target.kubernetes.pods(namespace, selector) if selector else []
    except NotOne as error:
        return failed(name, str(error))
    except OpsError as error:
        # The servers were reached by their URLs, so the cluster is not needed for the other checks.
        return skipped(name, str(error))
    if target.is_sandbox and not every:
        return skipped(name, "the sandbox runs its servers as processes, not as pods")
    if selector is None:
        return failed(
            name,
            f"namespace {namespace} has neither {server.named} nor a Service {server.service}; "
            f"set {server.kind}Workload or {server.kind}Service in the stack's configuration",
        )
    found = workloads.running(every)
    if not found:
        ended = f"; {brief([pod['metadata']['name'] for pod in every])} ended or is being deleted" if every else ""
        return failed(
            name, f"no pod with the labels {selector} runs{ended}; look at `kubectl -n {namespace} get events`"
        )
    states = {pod["metadata"]["name"]: workloads.pod_state(pod) for pod in found}
    wrong = [pod for pod, state in states.items() if state != "Running"]
    if wrong:
        what = brief([f"{pod} is {states[pod]}" for pod in wrong])
        return failed(name, f"{what}; look at `kubectl -n {namespace} describe pod {wrong[0]}`")
    return passed(name, f"{len(found)} running: {brief(list(states))}")


def _selector(kubernetes: Kubernetes, namespace: str, server: Server) -> str | None:
    """The selector of a server's pods; None where there is neither its workload nor its Service."""
    try:
        return workloads.find(kubernetes, WantedWorkload.of(namespace, vars(server))).selector or None
    except NotFound:
        try:  # one that the operator makes mounts no ConfigMap of the settings
            labels = (
                kubernetes.service(namespace, ServiceAddress.parse(server.service).name)["spec"].get("selector") or {}
            )
        except (NotFound, NoService):
            return None
    return ",".join(f"{key}={value}" for key, value in labels.items()) or None


def grafana(target: Target) -> Check:
    """Grafana answers, and its database works."""
    if target.grafana is None:
        return skipped("grafana", "no Grafana is installed here" if target.is_sandbox else "grafanaMode is off")
    state = target.grafana.health()
    if state["database"] != "ok":
        return failed(
            "grafana",
            f"Grafana at {target.grafana.url} reports its database as {state['database']!r}; read its log",
        )
    return passed("grafana", f"{state.get('version', 'ready')} at {target.grafana.url}")


def metrics_endpoint(target: Target) -> Check:
    """The application's /metrics answers with metrics. Raises BadAnswer for an empty page, as the client does."""
    page = metrics_page.read(target.application)
    if not page.readings:
        raise BadAnswer(
            f"the application at {target.application_url} answered /metrics with an empty page; is PromEx on?"
        )
    return passed(
        "metrics-endpoint", f"{count_noun(len(page.names()), 'series name')} at {target.application_url}/metrics"
    )


def scrape_target(target: Target, grace: Grace | None = None) -> Check:
    """Prometheus scrapes the application, and at least one target is up. `grace`: for the next scrape."""
    name, job = "scrape-target", target.settings.scrape_job
    if target.prometheus.of_tenant:
        return skipped(name, "Mimir and Cortex do not scrape: what sends to them does")
    every = target.prometheus.targets()
    ours = [found for found in every if found.job == job]
    if not ours:
        started = target.prometheus.metric("process_start_time_seconds")
        if not every and started is not None and time.time() - started < STARTING:
            why = "it looks for its targets within seconds of a start"
            return failed(
                name,
                "Prometheus has only just started and knows no target yet; look again in a minute",
                Grace(STARTING, why),
            )
        others = brief(sorted({found.job for found in every})) or "no job at all"
        return failed(
            name,
            f"Prometheus has no scrape job {job!r} (it has {others}); "
            "set scrapeJob, or add the job to scrape_configs of prometheus.yml",
        )
    down = [found for found in ours if found.health != "up"]
    if len(down) == len(ours):
        first = down[0]
        why = first.last_error or "not scraped yet"
        return failed(name, f"{job} at {first.url} is {first.health} ({why}); try `curl -v {first.url}`", grace)
    partly = f", {len(down)} down: {down[0].url} ({down[0].last_error})" if down else ""
    return passed(name, f"{job}: {len(ours) - len(down)} up{partly}")


def delivery(target: Target) -> Check:
    """Prometheus has an Alertmanager to send to."""
    if target.prometheus.of_tenant:
        return skipped("delivery", "to which Alertmanager the ruler of Mimir or Cortex sends cannot be asked")
    found = target.prometheus.alertmanagers()
    if not found:
        return failed(
            "delivery",
            f"Prometheus at {target.prometheus.url} has no Alertmanager to send alerts to; "
            "correct `alerting.alertmanagers` in prometheus.yml",
        )
    return passed("delivery", f"Prometheus sends to {brief(found)}")
