"""The layouts on which people run these servers, a class each; docs/compatibility.md has a row for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import routing
from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import Prometheus
from tests.e2e import chart_objects, test_chart_layout, test_secret_text, test_workloads
from tests.e2e.layouts_served import KubePrometheus, KubePrometheusStack, OneCortex, ThreeCortexes
from tests.e2e.lives import EDITED, Layout
from tests.e2e.test_secret_text import Kept
from tests.support.replicated import Replicated, replicated

PASSWORD = {"smtpPassword": "hunter2", "smtpPasswordFile": "/etc/api-monitoring/password"}


class ByHand(Layout):
    name = "by-hand"
    title = "by hand: a Deployment each; rules in a folder of ours, dashboards by the sidecar"
    page = "by-hand"
    places: tuple[tuple[str, str], ...] = (  # ConfigMap and key of each text
        ("prometheus-config", "prometheus.yml"),
        ("alertmanager-config", "alertmanager.yml"),
    )

    def texts(self) -> dict[str, str]:
        return {f"{config_map}/{key}": self.rig.text(config_map, key) for config_map, key in self.places}

    def write(self, name: str, text: str) -> None:
        config_map, _, key = name.partition("/")
        self.rig.write(config_map, {key: text})


class Shared(ByHand):
    name = "shared"
    title = "by hand, `rulesMode: shared`: keys in the ConfigMap that they mount"

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG002
        theirs = self.rig.before["configmap/prometheus-rules"]
        self.places = (("alertmanager-config", "alertmanager.yml"), *(("prometheus-rules", key) for key in theirs))
        self.rig.configure(rulesMode="shared")
        yield


class Replaced(ByHand):
    name = "replaced"
    title = "by hand, `alertmanagerReplace: true`: the whole text is ours"
    places = (("alertmanager-config", "alertmanager.yml"),)
    our_receivers = frozenset(str(receiver["name"]) for receiver in routing.load().config["receivers"])

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG002
        self.rig.configure(alertmanagerReplace=True)
        yield

    def runs(self, our_rules: set[str], our_receivers: set[str]) -> bool:
        self.their_receivers = frozenset() if our_receivers else Layout.their_receivers
        return super().runs(our_rules, our_receivers)

    def foreign_edit(self) -> None:
        """An edit of the whole text is refused by name; where the old text was put back, ours goes there again."""
        ((name, ours),) = self.texts().items()
        self.write(name, EDITED + ours)
        assert "somebody has changed it since we wrote it" in self.rig.refused(self.rig.preview)
        self.write(name, self.texts_before[name])
        assert self.rig.preview()["update"] >= 1
        self.rig.up()
        assert self.runs_ours()

    def gives_back(self) -> None:
        assert self.texts() == self.texts_before


class Chart(ByHand):
    name = "chart"
    title = "chart prometheus-community/prometheus, rules in a folder of ours"
    page = "prometheus-chart"
    places = ((chart_objects.SERVER, "prometheus.yml"), (chart_objects.ALERTMANAGER, "alertmanager.yml"))

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG002
        test_chart_layout.install(self.rig)
        self.settings()
        with test_chart_layout.config_reloader(self.rig):
            yield

    def settings(self) -> None:
        self.rig.configure(**test_chart_layout.NAMED, **PASSWORD)

    def stored(self) -> object:
        return test_chart_layout.standing(self.rig)


class ChartShared(Chart):
    name = "chart-shared"
    title = "chart prometheus-community/prometheus, `rulesMode: shared` into its own ConfigMap"
    places = ((chart_objects.SERVER, "alerting_rules.yml"), (chart_objects.ALERTMANAGER, "alertmanager.yml"))

    def settings(self) -> None:
        test_chart_layout.helm_upgrade(self.rig, *test_chart_layout.FILES)
        self.rig.configure(**test_chart_layout.SHARED)


class StatefulSets(ByHand):
    name = "stateful-sets"
    title = "both servers in a StatefulSet each, found by looking"
    page = ""

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG002
        test_workloads.in_sets(self.rig)
        self.rig.configure(**PASSWORD)
        yield


class Replicas(ByHand):
    name = "replicas"
    title = "two replicas of Prometheus and a cluster of three Alertmanagers"
    page = "reaching-servers"
    running: Replicated

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:
        folder: Path = request.getfixturevalue("tmp_path")
        with replicated(self.rig.sandbox.home, folder) as self.running:
            self.rig.configure(**self.running.settings)
            yield

    def servers(self) -> tuple[list[Prometheus], list[Alertmanager]]:
        return self.running.prometheus, self.running.alertmanager


class SecretText(Layout):
    name = "secret"
    title = "Alertmanager's text in a Secret that the pods mount"
    page = "kube-prometheus"
    key = "alertmanager.yaml"
    their_receivers = frozenset(test_secret_text.THEIRS)
    kept: Kept

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG002
        self.kept = test_secret_text.mounted(self.rig, self.key)
        test_secret_text.configure(self.kept)
        yield

    def texts(self) -> dict[str, str]:
        return {self.key: self.kept.text()}

    def write(self, name: str, text: str) -> None:  # noqa: ARG002
        self.kept.write(text)

    def up(self) -> None:
        super().up()
        self.kept.nothing_is_seen()

    def limit(self) -> None:
        super().limit()
        self.kept.nothing_is_seen()


class PackedSecretText(SecretText):
    name = "secret-packed"
    title = "the same, packed (`alertmanager.yaml.gz`)"
    key = "alertmanager.yaml.gz"


BY_HAND: tuple[type[Layout], ...] = (
    *(ByHand, Shared, Replaced, Chart, ChartShared, StatefulSets, Replicas),
    *(SecretText, PackedSecretText),
)
BY_OPERATOR: tuple[type[Layout], ...] = (KubePrometheusStack, KubePrometheus)
TENANTS: tuple[type[Layout], ...] = (OneCortex, ThreeCortexes)
EVERY = (*BY_HAND, *BY_OPERATOR, *TENANTS)
