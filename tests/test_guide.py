"""The deployment guide from its top to its bottom, in the sandbox, by verbs alone: each step with its evidence."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rules
from ops.cli import VERBS
from ops.sandbox.lifecycle import Sandbox
from tests.support.checkout import ROOT
from tests.support.our_panels import panel_of
from tests.support.our_routes import receiver_of
from tests.support.waiting import PATIENCE

OPERATING = (ROOT / "docs" / "operating.md").read_text("utf-8")
COUNT = sum(alert.group == "api_performance" for alert in rules.alerts().values())


@dataclass(frozen=True)
class Step:
    """A section of the guide, the command that does its work, how that ends, and what its answer has to say."""

    section: str
    command: str  # {tmp} is a folder of the test's own
    says: Sequence[str]  # regular expressions
    exits: int = 0
    makes: Sequence[str] = ()  # files, none of them empty


STEPS = (
    Step(
        "Prerequisites, steps 1 to 3 and the verification of each",
        "verify --target sandbox --wait 60 --all",
        (
            r"(?m)^✓ metrics-endpoint ",
            r"(?m)^✓ scrape-target ",
            rf"(?m)^✓ rules/api_performance +{COUNT} alerts as in rules/",
            r"(?m)^✓ routing/paths +all \d+ alerts reach their receivers",
            r"(?m)^✓ query/API P95 latency ",
            rf"(?m)^✓ panel/{re.escape(panel_of('APIP95LatencyHigh'))} ",
            r"(?m)^sandbox: \d+ passed, 0 failed, \d+ skipped$",
        ),
    ),
    Step(
        "Test alert routing",
        "test-alert --target sandbox",
        (
            r"✓ mail +received '⚠️  API Performance Warning: TestAPIAlert'",
            r"✓ recipients +admin@rsolv.dev, alerts@rsolv.dev",
            r"✓ resolved-mail +received '✅  Resolved: API Performance Warning: TestAPIAlert'",
        ),
    ),
    Step(
        "Test alert routing: a critical alert, looked at and not sent",
        "test-alert APIP95LatencyCritical --target sandbox --dry-run",
        (
            rf"to {receiver_of('APIP95LatencyCritical')}, grouped by alertname",
            r"subject +🚨  API Performance Critical: APIP95LatencyCritical",
        ),
    ),
    Step(
        "Record observations",
        "baseline --target sandbox --window 2h --document {tmp}/tracking.md --pictures {tmp}/pictures",
        (r"- Average P95 latency: [\d.]+ ms", r"- Processing success rate: [\d.]+%", r"Recorded in .*tracking\.md"),
        makes=("tracking.md", "pictures/APIP95LatencyHigh.svg"),
    ),
    Step(
        "Threshold tuning",
        "tune APIP95LatencyHigh --target sandbox --window 2h --dry-run --because guide",
        (r"APIP95LatencyHigh: > \d+ → > \d+", r"observed: .*\+ 20 %", r"Nothing was written"),
    ),
    Step(
        "Would it have fired?",
        "backtest --target sandbox --window 2h --picture {tmp}/backtest.png",
        (r"APIP95LatencyHigh +> ", r"WebhookProcessingFailuresHigh +> ", r"\d+ mails? in all"),
        makes=("backtest.png",),
    ),
    Step(
        "The deployment as files, for who applies them by hand",
        "render --target sandbox --out {tmp}/rendered",
        (r"wrote .*configmap-prometheus-rules\.yaml", r"wrote .*alertmanager-config-alertmanager\.yml"),
        makes=(
            "rendered/manifests/configmap-prometheus-rules.yaml",
            "rendered/dashboards/api-performance-baseline.json",
        ),
    ),
    # it needs a history, which an engine alone writes: tests/e2e/test_rollback_walk.py walks it where there is one
    Step("Rollback", "rollback --help", (r"--part", r"--dry-run", r"--unlock")),
    Step(
        "Troubleshooting: alerts not firing",
        "diagnose alerts --target sandbox",
        (r"(?m)^✓ mail relay ", r"Nothing is broken between the rules and the mailbox\."),
    ),
    Step(
        "Troubleshooting: metrics not showing",
        "diagnose dashboard --target sandbox",
        (r"(?m)^✓ scrape target ", r"Nothing is broken between the application and the panels\."),
    ),
    Step(
        "Troubleshooting: high alert volume",
        "diagnose volume --target sandbox",
        (r"(?m)^[✓–] history ", r"No alert sends too many mails\."),  # –: not evaluated yet
    ),
    Step(
        "Success criteria: all but the hours that they ask for, and a baseline in the sandbox's document",
        "verify --target sandbox --success-criteria",
        (
            rf"✓ All alert rules are loaded in Prometheus \({COUNT} in api_performance\)",
            r"✓ Alertmanager shows the updated routing",
            r"✓ The test alert was received by mail",
            r"✗ No false-positive alerts in the first 6 hours",
        ),
        exits=1,
    ),
    Step(
        "Weekly review, and the record of the deployment",
        "report --target sandbox --window 2h --out {tmp}/report.html --by Ada --note first",
        (r"report\.html",),
        makes=("report.html",),
    ),
)


def test_from_top_to_bottom(sandbox: Sandbox, tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "tracking.md", tmp_path)
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home), "COLUMNS": "160", "NO_COLOR": "1"}
    for step in STEPS:
        words = step.command.format(tmp=tmp_path).split()
        done = subprocess.run(
            [sys.executable, "-m", "ops", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,  # what has its own interval is waited for by it
            check=False,
        )
        evidence = f"{step.section}: bin/ops {' '.join(words)}\n{done.stdout}{done.stderr}"
        assert done.returncode == step.exits, evidence
        for piece in step.says:
            assert re.search(piece, done.stdout + done.stderr), f"{piece!r} is missing\n{evidence}"
        for name in step.makes:
            assert (tmp_path / name).stat().st_size, evidence
    recorded = (tmp_path / "tracking.md").read_text("utf-8")
    assert "Average P95 latency" in recorded
    assert "Ada" in (tmp_path / "report.html").read_text("utf-8")


def test_the_manual_has_every_verb_of_the_guide() -> None:
    """A verb that the guide does not need stands in docs/commands.md alone (tests/test_reference.py)."""
    used = {step.command.split()[0] for step in STEPS}
    assert [verb for verb in used if f"`bin/ops {verb}" not in OPERATING] == []
    assert set(re.findall(r"`bin/ops ([a-z-]+)", OPERATING)) <= set(VERBS)
