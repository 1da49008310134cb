"""The chart `prometheus-community/prometheus` with its Alertmanager: a life on the objects that it renders."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

import routing
import rules
from formats.json_types import JsonObject
from ops.errors import OpsError
from ops.sandbox.mounts import Mounts
from tests.e2e import chart_objects
from tests.e2e.chart_objects import ALERTMANAGER, SERVER
from tests.e2e.rig import OURS, Rig
from tests.support.limits import changed, other
from tests.support.waiting import until

THEIRS = {"PlatformTargetDown", "StripeWebhooksStopped"}
RECEIVERS = {str(receiver["name"]) for receiver in routing.load().parts(None).receivers}
RULES = {*rules.alerts(), *rules.recordings()}
FILES = [f"/etc/config/{file}.yml" for file in ("api-performance-alerts", "api-performance-recordings", "watchdog")]
# docs/stacks/prometheus-chart.md has these; the addresses are the sandbox's.
NAMED = {"prometheusConfigMap": SERVER, "alertmanagerConfigMap": ALERTMANAGER}
SHARED = {**NAMED, "rulesMode": "shared", "sharedRulesConfigMap": SERVER, "prometheusReload": "sidecar"}
PASSWORD = {"smtpPassword": "hunter2", "smtpPasswordFile": "/etc/api-monitoring/password"}


@pytest.fixture
def chart(rig: Rig) -> Rig:
    install(rig)
    return rig


def install(rig: Rig) -> None:
    """The release `prometheus` in the place of the hand-made stack: the same servers, texts and rules."""
    for name in ("prometheus", "alertmanager"):
        rig.delete("deployments", name)
    handmade = {name: rig.before[f"configmap/{name}"] for name in ("prometheus-config", "prometheus-rules")}
    handmade["alertmanager-config"] = rig.before["configmap/alertmanager-config"]
    for manifest in (*chart_objects.config_maps(handmade), *chart_objects.workloads()):
        rig.cluster.apply(manifest)
    for name in handmade:
        rig.delete("configmaps", name)
    rig.settle()
    until(lambda: rig.rules() == THEIRS and rig.receivers() == {"default", "billing"})


@contextmanager
def config_reloader(rig: Rig) -> Iterator[None]:
    """What the container beside Prometheus does: a reload after each change of a file in /etc/config."""
    folder = Mounts(rig.sandbox.home).folder("prometheus", "/etc/config")
    over = threading.Event()

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".new")}

    def follow() -> None:
        seen: dict[str, bytes] = {}
        while not over.wait(0.2):
            with suppress(OSError, OpsError):  # a file is being replaced; Prometheus starts, or refuses its files
                if (now := files()) != seen:
                    rig.sandbox.prometheus.reload()
                    seen = now

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def helm_upgrade(rig: Rig, *rule_files: str) -> None:
    """Both texts as the chart has them, with these entries more in the values."""
    prometheus = chart_objects.prometheus_yml(rig.before["configmap/prometheus-config"]["prometheus.yml"], *rule_files)
    text = chart_objects.alertmanager_yml(rig.before["configmap/alertmanager-config"]["alertmanager.yml"])
    rig.write(SERVER, {"prometheus.yml": prometheus})
    rig.write(ALERTMANAGER, {"alertmanager.yml": text})


def standing(rig: Rig) -> JsonObject:
    """Every object, and what the metadata of the chart's ConfigMaps say."""
    metadata = {name: rig.cluster.items("configmaps")[name]["metadata"] for name in (SERVER, ALERTMANAGER)}
    said = {f"metadata of {name}": (one["labels"], one["annotations"]) for name, one in metadata.items()}
    return {**rig.objects(), **said}


def pids(rig: Rig) -> list[int]:
    assert rig.sandbox.state is not None
    return [int(rig.sandbox.state.processes[server]["pid"]) for server in ("prometheus", "alertmanager")]


def change_a_limit(rig: Rig) -> None:
    """Preview, `up`, and Prometheus runs it."""
    alert = rules.alerts()["APIP95LatencyHigh"]
    file = rig.program / f"rules/{alert.file.name}"
    file.write_text(changed(alert, other(alert))(file.read_text("utf-8")), encoding="utf-8")
    assert set(rig.preview()) == {"update"}
    assert other(alert) in "".join(rig.said)
    rig.up()
    expressions = {rule.name: rule.query for group in rig.sandbox.prometheus.rules() for rule in group.rules}
    assert expressions[alert.name].endswith(other(alert))
    assert rig.preview() == {}


def test_a_life_of_keys_beside_the_charts_own(chart: Rig) -> None:
    """`rulesMode: shared` into the very ConfigMap that has prometheus.yml. No pod restarts."""
    chart.configure(**SHARED)
    with config_reloader(chart):
        before = standing(chart)
        words = chart.refused(chart.preview)
        assert f"monitoring/{SERVER}/prometheus.yml: rule_files has no entry for {', '.join(FILES)}: add them" in words
        assert standing(chart) == before

        helm_upgrade(chart, *FILES)  # of files that are not there yet, which Prometheus accepts
        before, processes = standing(chart), pids(chart)
        planned = chart.preview()
        said = "".join(chart.said)
        assert f"Prometheus is taken to be Deployment monitoring/{SERVER}, as there is no Deployment prometheus" in said
        assert f"Deployment monitoring/{SERVER} has no container prometheus; by its image, prometheus-server is" in said
        assert f"Alertmanager is taken to be StatefulSet monitoring/{ALERTMANAGER}, as there is no Deployment" in said
        assert (
            f"Helm (release prometheus) wrote ConfigMap monitoring/{ALERTMANAGER}: each `helm upgrade` writes" in said
        )
        assert f"Helm (release prometheus) wrote ConfigMap monitoring/{SERVER}" not in said, "our keys stay"
        assert standing(chart) == before, "a preview writes nothing"

        assert chart.up() == planned
        assert chart.rules() == RULES | THEIRS and RECEIVERS | {"default", "billing"} == chart.receivers()
        for name in ("deployment/" + SERVER, "statefulset/" + ALERTMANAGER):
            assert chart.objects()[name] == before[name]
        assert chart.objects()[f"configmap/{SERVER}"].items() >= before[f"configmap/{SERVER}"].items()
        assert chart.preview() == {}
        assert chart.preview(refresh=True) == {}, "".join(chart.said)
        change_a_limit(chart)

        # Somebody else: a `helm upgrade`, and a rule of theirs by hand.
        chart.write(SERVER, {"alerting_rules.yml": "# edited\n" + chart.text(SERVER, "alerting_rules.yml")})
        helm_upgrade(chart, *FILES)
        assert chart.preview() == {"update": 1}
        assert f"our part of monitoring/{ALERTMANAGER}/alertmanager.yml is gone or was changed" in "".join(chart.said)
        chart.up()
        assert chart.rules() == RULES | THEIRS and chart.receivers() >= RECEIVERS
        assert pids(chart) == processes

        chart.destroy()
        wanted = copy.deepcopy(before)
        rewritten = wanted[f"configmap/{SERVER}"]
        rewritten["alerting_rules.yml"] = "# edited\n" + rewritten["alerting_rules.yml"]
        assert standing(chart) == wanted
        assert chart.rules() == THEIRS and chart.receivers() == {"default", "billing"}


def test_a_life_of_a_folder_of_its_own(chart: Rig) -> None:
    """`rulesMode: dedicated`: nothing in the chart's values; the pods get mounts, and prometheus.yml our line."""
    with config_reloader(chart):
        before = standing(chart)
        chart.configure(**NAMED, **PASSWORD, prometheusReload="sidecar")
        assert "prometheus-server-configmap-reload watches /etc/config and not " in chart.refused(chart.preview)

        chart.configure(**NAMED, **PASSWORD)
        planned = chart.preview()
        said = "".join(chart.said)
        for name in (f"Deployment monitoring/{SERVER}", f"StatefulSet monitoring/{ALERTMANAGER}"):
            assert f"{name} gets a mount, so its pods restart" in said
        for name in (SERVER, ALERTMANAGER):
            assert f"Helm (release prometheus) wrote ConfigMap monitoring/{name}: each `helm upgrade` writes" in said
        assert standing(chart) == before

        assert chart.up() == planned
        assert chart.rules() == RULES | THEIRS and chart.receivers() >= RECEIVERS
        assert chart.preview(refresh=True) == {}, "".join(chart.said)
        change_a_limit(chart)

        helm_upgrade(chart)
        chart.alter(SERVER, lambda pod: pod.update(terminationGracePeriodSeconds=77))
        chart.settle()
        until(lambda: chart.rules() == THEIRS)
        assert chart.preview() == {"update": 3}, "both texts, and the proof"
        said = "".join(chart.said)
        for place in (f"{SERVER}/prometheus.yml", f"{ALERTMANAGER}/alertmanager.yml"):
            assert f"our part of monitoring/{place} is gone or was changed" in said
        chart.up()
        until(lambda: chart.rules() == RULES | THEIRS)
        assert chart.receivers() >= RECEIVERS

        chart.destroy()
        wanted = copy.deepcopy(before)
        wanted[f"deployment/{SERVER}"]["template"]["spec"]["terminationGracePeriodSeconds"] = 77
        assert standing(chart) == wanted
        assert not {f"configmap/{name}" for name in OURS} & chart.objects().keys()
        until(lambda: chart.rules() == THEIRS)
        assert chart.receivers() == {"default", "billing"}
