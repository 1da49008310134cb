"""What the verbs say of a shadow, on a real Prometheus and a real Alertmanager that run our files."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import rules
from ops import build_tools, cli, targets
from ops.checks import live_routing
from ops.diagnosis import mail_delivery
from ops.diagnosis.case import load_case
from tests.support import real_servers
from tests.support.our_routes import ROUTING, receiver_of

pytestmark = pytest.mark.skipif(
    not (build_tools.find("prometheus") and build_tools.find("alertmanager")), reason="run `make tools` first"
)
NAME = "APIP95LatencyHigh"
USUAL = receiver_of(NAME)  # as long as it is no shadow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The sandbox's folder, whose state names these two servers."""
    folder = tmp_path_factory.mktemp("servers")
    (folder / "password").write_text("none")
    text = ROUTING.text.replace("/etc/alertmanager/smtp/password", str(folder / "password"))
    with (
        real_servers.alertmanager(folder, text) as alertmanager,
        real_servers.prometheus(folder, "global: {}\n") as prometheus,
    ):
        nowhere = "http://127.0.0.1:9"
        state = {"prometheus_url": prometheus.url, "alertmanager_url": alertmanager.url}
        (folder / "home").mkdir()
        (folder / "home" / "state.json").write_text(
            json.dumps({**state, "application_url": nowhere, "mail_url": nowhere}), "utf-8"
        )
        yield folder / "home"


@pytest.fixture
def shadow(home: Path, monkeypatch: pytest.MonkeyPatch) -> rules.Alert:
    """One of our alerts, with the label, for all readers."""
    known = rules.alerts
    found = known()[NAME]
    made = replace(found, labels={**found.labels, "stage": rules.SHADOW})
    monkeypatch.setattr(rules, "alerts", lambda *_, **__: {**known(), NAME: made})
    monkeypatch.setenv("SANDBOX_HOME", str(home))
    return made


@pytest.mark.usefixtures("shadow")
def test_a_test_of_a_shadow_is_answered_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["test-alert", NAME, "--target", "sandbox"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{NAME} is a shadow (label stage: shadow): Alertmanager tells nobody, so no mail is waited for" in said
    assert f"--label stage= sends it as without the label, to {USUAL}" in said


@pytest.mark.usefixtures("shadow")
def test_a_dry_run_shows_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["test-alert", NAME, "--target", "sandbox", "--dry-run"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "to api-performance-shadow" in said and "told nobody: a shadow" in said and "mail to" not in said
    assert cli.run(["test-alert", NAME, "--target", "sandbox", "--dry-run", "--label", "stage="]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"to {USUAL}" in said and "mail to" in said and "shadow" not in said


def test_it_is_in_order_that_nobody_is_told_of_it_and_a_fault_if_somebody_is(shadow: rules.Alert) -> None:
    target = targets.load("sandbox")
    config = target.alertmanager.status().config
    arrived = {NAME: [shadow.label_set]}
    assert live_routing.paths(config, ROUTING, [shadow], arrived).status == "pass"
    loud = {**config, "route": {**config["route"], "routes": config["route"]["routes"][1:]}}
    found = live_routing.paths(loud, ROUTING, [shadow], arrived)
    assert (found.status, found.detail.partition(";")[0]) == (
        "fail", f"{NAME} is a shadow, and {USUAL} is told of it"
    )  # fmt: skip


@pytest.mark.usefixtures("shadow")
def test_a_diagnosis_says_that_it_is_meant() -> None:
    step = mail_delivery.received(load_case(targets.load("sandbox"), NAME))
    assert (step.status, step.detail) == (
        "pass", f"as intended, {NAME} tells nobody: a shadow (label stage: shadow)"
    )  # fmt: skip
