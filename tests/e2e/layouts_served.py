"""The layouts on which others write what the servers run: the Prometheus Operator, and a tenant of Cortex."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import Prometheus
from ops.clients.tenant import TenantConfig
from tests.e2e import operated, test_cortex, test_secret_text
from tests.e2e.lives import ALERT, RECEIVERS, Layout
from tests.e2e.operated import Operated
from tests.e2e.test_secret_text import Kept
from tests.support import cortex
from tests.support.cortex import Cortex
from tests.support.limits import other

# ── by the Prometheus Operator ────────────────────────────────────────────────────────────────────────


class KubePrometheusStack(Layout):
    name = "operator"
    title = "kube-prometheus-stack: PrometheusRule and AlertmanagerConfig objects"
    page = "kube-prometheus"
    our_receivers = frozenset(f"{operated.OURS}{name}" for name in RECEIVERS)
    operator: Operated

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.operator = request.getfixturevalue("operator")
        yield

    def stored(self) -> object:
        kinds = ("prometheusrules", "alertmanagerconfigs")
        made = {
            kind: {name: self.operator.get(kind, name)["spec"] for name in self.operator.names(kind)} for kind in kinds
        }
        return self.rig.objects(), made

    def texts(self) -> dict[str, str]:
        return {}

    def foreign_edit(self) -> None:
        """Somebody changes a rule in our object: a look at the objects sees it, and `up` after one puts it right."""
        name = f"api-monitoring-{ALERT.file.name.removesuffix('.yml')}"
        spec = self.operator.get("prometheusrules", name)["spec"]
        for rule in spec["groups"][0]["rules"]:
            if rule.get("alert") == ALERT.name:
                rule["expr"] = rule["expr"].replace(other(ALERT), "> 9000")
        self.operator.patch("prometheusrules", name, {"spec": spec})
        assert self.rig.preview(refresh=True)["update"] >= 1
        self.rig.up(refresh=True)
        assert self.rig.preview(refresh=True) == {}, "".join(self.rig.said)


class KubePrometheus(KubePrometheusStack):
    name = "operator-secret"
    title = "kube-prometheus: PrometheusRule objects, Alertmanager's text in the Secret that the operator reads"
    their_receivers = frozenset(test_secret_text.THEIRS)
    our_receivers = frozenset(RECEIVERS)
    kept: Kept

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.operator = request.getfixturevalue("operator")
        with test_secret_text.read_by(self.operator) as self.kept:
            yield

    def texts(self) -> dict[str, str]:
        return {self.kept.key: self.kept.text()}

    def write(self, name: str, text: str) -> None:  # noqa: ARG002
        self.kept.write(text)

    def foreign_edit(self) -> None:
        super().foreign_edit()
        Layout.foreign_edit(self)
        self.kept.nothing_is_seen()


# ── tenants ───────────────────────────────────────────────────────────────────────────────────────────


class OneCortex(Layout):
    name = "cortex"
    title = "Cortex, one process: a tenant's ruler and Alertmanager"
    page = "mimir-cortex"
    replicas = 1
    their_rules = frozenset({"PlatformDown"})
    running: Cortex
    tenant = ""

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:
        folder: Path = request.getfixturevalue("tmp_path")
        with cortex.cortex(folder, self.replicas) as self.running:
            self.tenant = test_cortex.with_a_tenant(self.running, self.rig)
            yield

    def stored(self) -> object:
        return self.rig.objects(), test_cortex.stored(self.running, self.tenant)

    def servers(self) -> tuple[list[Prometheus], list[Alertmanager]]:
        return [self.running.prometheus(self.tenant)], [self.running.alertmanager(self.tenant)]

    def texts(self) -> dict[str, str]:
        config = self.running.config(self.tenant).read()
        return {"tenant": config.text if config else ""}

    def write(self, name: str, text: str) -> None:  # noqa: ARG002
        self.running.config(self.tenant).write(TenantConfig(text, test_cortex.TEMPLATES))


class ThreeCortexes(OneCortex):
    name = "cortex-replicas"
    title = "Cortex, three replicas that share rules and Alertmanagers"
    replicas = 3
