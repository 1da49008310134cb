"""`tune`: which limit follows, which are refused, and that one number changes while every other byte stays."""

import json
import math
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashboards
import metrics
import rules
from ops.errors import Findings
from ops.repo import files, tracking
from ops.tuning import margins, propose
from ops.tuning.margins import Margin
from ops.window import Values, Window, iso, stamp
from tests.support import past
from tests.support.waiting import PATIENCE

END = math.floor(time.time() / 60) * 60 - 120
# They start from the limits that the past was made for, whatever stands in rules/ today.
ALERTS, CONTRACT = past.alerts(), metrics.load().reading(rules.recordings())
P95, CRITICAL = ALERTS["APIP95LatencyHigh"], ALERTS["APIP95LatencyCritical"]
OVER = Window(0, 3000, 30)
PRODUCTIONS = ("--document", "docs/tracking.md", "--limits", "docs/limits.md")


def values(*numbers: float) -> Values:
    return Values(OVER, tuple((30.0 * (at + 1), number) for at, number in enumerate(numbers)))


# ── which limit follows ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seen", "limit"),
    [(1000, 1200), (1001, 1300), (416, 500), (470, 570), (833, 1000), (4200, 5000), (83.3, 100), (0.4, 0.48)],
)
def test_a_limit_is_rounded_away_from_firing_or_to_a_bucket_close_by(seen: float, limit: float) -> None:
    assert propose.proposed(P95, values(*[seen] * 100), Margin(buffer=0.2), CONTRACT) == limit


@given(st.floats(1e-6, 1e9), st.booleans())
def test_rounding_keeps_two_digits_and_never_comes_closer_to_firing(value: float, upward: bool) -> None:
    rounded = propose.rounded(value, upward=upward)
    assert rounded == pytest.approx(value, rel=0.11)
    assert rounded >= value * (1 - 1e-9) if upward else rounded <= value * (1 + 1e-9)
    assert len(f"{rounded:.12e}".split("e")[0].rstrip("0").replace(".", "")) <= 2


def test_the_guides_buffers() -> None:
    assert margins.margin(P95) == Margin(0.2, because="the deployment guide's buffer")
    assert margins.margin(ALERTS["DatabaseQueryLatencyHigh"]).buffer == 0.3
    named = set(margins.every()) - {"other"}
    ours = {name for name, alert in ALERTS.items() if alert.is_house}
    tasks = [f"write the margin of {name} in ops/tuning/margins.yml: buffer, or keep" for name in sorted(ours - named)]
    tasks += [f"delete {name} from ops/tuning/margins.yml: there is no such alert" for name in sorted(named - ours)]
    assert not tasks, "; ".join(tasks)
    assert all(entry.because or entry.keep for entry in margins.every().values())


def test_an_incident_does_not_raise_the_limit_that_tells_of_it() -> None:
    assert propose.proposed(P95, values(*[400.0] * 96, *[9000.0] * 4), margins.margin(P95), CONTRACT) == 500
    errors = ALERTS["APIErrorRateHigh"]  # has a value only while there are errors
    with pytest.raises(Findings, match="had a value 4 % of the time"):
        propose.proposed(errors, values(*[math.nan] * 96, *[0.2] * 4), margins.margin(errors), CONTRACT)
    often = values(*[math.nan] * 500, *[0.02] * 400, *[0.2] * 10)
    assert propose.proposed(errors, often, margins.margin(errors), CONTRACT) == 0.04


def test_a_critical_limit_is_never_made_tighter_by_calm_days() -> None:
    margin = margins.margin(CRITICAL)
    assert propose.proposed(CRITICAL, values(*[90.0] * 100), margin, CONTRACT) == CRITICAL.limit.value
    assert propose.proposed(CRITICAL, values(*[6000.0] * 100), margin, CONTRACT) == 12000


@pytest.mark.parametrize(
    ("name", "seen", "says"),
    [
        ("APIP95LatencyHigh", [math.nan] * 100, "its signal had a value 0 % of the time"),
        ("APIP95LatencyHigh", [1.0] * 10, "too rarely to compute a limit"),
        ("APIP95LatencyHigh", [0.0] * 100, "no limit can be computed from that"),
        ("APIErrorBudgetBurnFast", [1.0] * 100, "does not depend on what was observed: it follows from the objective"),
        ("APIMetricsAbsent", [1.0] * 100, "does not depend on"),
    ],
)
def test_no_limit_follows_from_too_little(name: str, seen: list[float], says: str) -> None:
    with pytest.raises(Findings, match=re.escape(says)):
        propose.proposed(ALERTS[name], values(*seen), margins.margin(ALERTS[name]), CONTRACT)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("APIP95LatencyHigh", math.nan, "nan is not a finite number"),
        ("APIP95LatencyHigh", math.inf, "inf is not a finite number"),
        ("APIP95LatencyHigh", 0, "would always fire above 0"),
        ("APIP95LatencyCritical", 30000, "APIP95LatencyCritical can never fire"),
        ("DatabasePoolQueueTimeHigh", 10000, "can never fire"),
        ("APIErrorRateCritical", 1, "can never fire above 1, its signal is a share"),
        ("APIP95LatencyHigh", CRITICAL.limit.value, "would not fire before APIP95LatencyCritical"),
        ("APIP95LatencyCritical", P95.limit.value, "would not fire before APIP95LatencyCritical"),
        ("APIErrorRateHigh", 0.5, "would not fire before APIErrorRateCritical"),
    ],
)
def test_limits_that_make_no_sense_are_refused(name: str, value: float, says: str) -> None:
    with pytest.raises(Findings, match=re.escape(says)):
        propose.check(ALERTS[name], value, ALERTS, CONTRACT, margins.margin(ALERTS[name]))


def test_the_limits_that_stand_make_sense() -> None:
    standing = rules.alerts()
    for alert in standing.values():
        if not alert.is_watchdog:
            propose.check(alert, alert.limit.value, standing, CONTRACT, margins.margin(alert))


def test_half_the_window_must_have_data() -> None:
    propose.enough(P95, values(*[math.nan] * 50))
    with pytest.raises(Findings, match="there is data for 24 min 30 s of the 50 min"):
        propose.enough(P95, values(*[1.0] * 49))


# ── the verb, on a copy of the project ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with past.prometheus(tmp_path_factory.mktemp("past"), hours=25, end=END) as address:
        yield address


@dataclass
class Project:
    """A copy of the project that may be written to."""

    folder: Path
    home: Path

    def tune(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ops", "tune", "--target", "sandbox", "--end", str(END), *arguments],
            cwd=self.folder, env={"SANDBOX_HOME": str(self.home), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    def bytes(self) -> dict[str, bytes]:
        """Every file that a tuning might touch."""
        found = [*(self.folder / "rules").glob("*.yml"), *(self.folder / "dashboards").iterdir()]
        found += (self.folder / "docs").iterdir()
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(found) if path.is_file()}


@pytest.fixture
def project(tmp_path: Path, url: str) -> Project:
    folder = tmp_path / "project"
    for name in ("formats", "rules", "routing", "metrics", "dashboards", "components", "ops"):
        shutil.copytree(files.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml", "docs/limits.md", "docs/tracking.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(files.ROOT / name, folder / name)
    past.write_rules(folder / "rules")
    board = folder / "dashboards" / dashboards.FILE.name
    drawn = dashboards.draw_limits(json.loads(board.read_text("utf-8")), rules.alerts(folder / "rules"))
    board.write_text(dashboards.text(drawn), "utf-8")
    past.target(tmp_path / "home", url)
    return Project(folder, tmp_path / "home")


def test_a_limit_is_tuned_everywhere_at_once_and_nothing_else_changes(project: Project) -> None:
    before = project.bytes()
    done = project.tune("APIP95LatencyHigh", "--because", "P95 is 750 ms | on a <calm> day", *PRODUCTIONS)
    assert done.returncode == 0, done.stderr
    for said in ("APIP95LatencyHigh: > 1000 → > 900", "would have fired once", "is no bucket of"):
        assert said in done.stdout
    after = project.bytes()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "rules/api-performance-alerts.yml",
        "dashboards/api-performance-baseline.json",
        "docs/tracking.md",
        "docs/limits.md",
    }
    old, new = (b["rules/api-performance-alerts.yml"].split(b"\n") for b in (before, after))
    assert [(a, b) for a, b in zip(old, new, strict=True) if a != b] == [(b"          > 1000", b"          > 900")]
    assert old.index(b"          > 1000") + 1 == P95.limit_line

    tuned = rules.alerts(project.folder / "rules")
    assert tuned["APIP95LatencyHigh"].limit.value == 900
    model = json.loads(after["dashboards/api-performance-baseline.json"])
    drawn = dashboards.text(dashboards.draw_limits(model, tuned))
    assert drawn.encode() == after["dashboards/api-performance-baseline.json"]

    (change,) = tracking.changes(after["docs/tracking.md"].decode(), where="t")
    assert (change.alert, change.before, change.after) == ("APIP95LatencyHigh", "> 1000", "> 900")
    assert (change.target, change.reason) == ("sandbox", "P95 is 750 ms | on a <calm> day")
    assert change.window == f"{stamp(END - 86400)} to {stamp(END)} UTC"
    assert change.fired == f"APIP95LatencyHigh (once, 50 min, from {stamp(END - 3000)} UTC)"
    assert f"  warning: an incident is in the window: {change.fired} fired; unless this is normal" in done.stdout
    assert re.match(
        r"in the 24 h to .* UTC 95 % of the time it was at most 750 ms \(average 9\d\d ms, peak 4800 ms\), "
        r"\+ 20 % is 900 ms; "
        r"it would have fired once \(\d+ min( \d+ s)?\) with > 1000, once \(.*\) with > 900$",
        change.evidence,
    )
    listed = after["docs/limits.md"].decode()
    assert "- `APIP95LatencyHigh`: `> 1000` → `> 900`" in listed
    assert f"from `sandbox`, {change.window}; alerts that fired in it: {change.fired}. In the 24 h to" in listed

    again = project.tune("APIP95LatencyHigh", "--because", "the same", *PRODUCTIONS)
    assert (again.returncode, project.bytes()) == (0, after)
    assert "already > 900; nothing to change" in again.stdout


def test_what_was_seen_in_the_sandbox_is_recorded_there(project: Project) -> None:
    before = project.bytes()
    done = project.tune("APIP95LatencyHigh", "--because", "practice")
    assert done.returncode == 0, done.stderr
    after = project.bytes()
    assert not [name for name in after if after[name] != before[name] and name.startswith("docs/")]
    own, log = project.home / "tracking.md", project.home / "limits.md"
    assert f"Written: {own}, {log}, dashboards/" in done.stdout
    assert "These are figures of the sandbox: production's record has none of them" in done.stdout
    assert [one.after for one in tracking.changes(own.read_text("utf-8"), where="t")] == ["> 900"]
    assert "- `APIP95LatencyHigh`: `> 1000` → `> 900`" in log.read_text("utf-8")


def test_a_chosen_limit_and_the_answer_for_programs(project: Project) -> None:
    before = project.bytes()
    done = project.tune("APIP95LatencyHigh", "--to", "4900", "--format", "json", "--dry-run")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["from"], answer["to"], answer["changes"], answer["written"]) == ("> 1000", "> 4900", True, [])
    assert answer["backtest"]["before"]["fired"] == 1
    assert (answer["window"]["end"], answer["alerts"][0]["alert"]) == (iso(END), "APIP95LatencyHigh")
    assert answer["warnings"][0].startswith("an incident is in the window: APIP95LatencyHigh (once, 50 min, from ")
    assert answer["backtest"]["after"] == {"fired": 0, "seconds": 0}
    assert project.bytes() == before


def test_without_a_name_every_alert_is_looked_at_and_nothing_written(project: Project) -> None:
    before = project.bytes()
    done = project.tune("--format", "json")
    assert done.returncode == 0, done.stderr
    found = {one["alert"]: one for one in json.loads(done.stdout)["proposals"]}
    assert set(found) == {name for name, one in ALERTS.items() if not one.is_watchdog}
    assert found["APIP95LatencyHigh"]["to"] == "> 900"
    assert found["DatabaseQueryLatencyHigh"]["to"] == "> 50"
    assert found["APIErrorBudgetBurnFast"]["why"].startswith("kept: ")
    assert found["WebhookProcessingFailuresHigh"]["to"] is None
    assert project.bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["APIP95LatencyHigh"], 2, 'give --because "…"'),
        (
            ["apip95latencyhigh", "--dry-run"],
            2,
            "there is no alert 'apip95latencyhigh' in rules/; did you mean APIP95LatencyHigh?",
        ),
        (["--because", "x"], 2, "need an alert"),
        (["APIP95LatencyHigh", "--to", "much", "--dry-run"], 2, "--to 'much' is not a number"),
        (["APIP95LatencyHigh", "--to", "6000", "--because", "x"], 1, "would not fire before APIP95LatencyCritical"),
        (["APIP95LatencyHigh", "--window", "7d", "--because", "x"], 1, "there is data for 2"),  # 24 h to 25 h
        (["APIErrorBudgetBurnSlow", "--because", "x"], 1, "does not depend on what was observed"),
        (["APIP95LatencyHigh", "--because", "x", "--document", "docs/limits.md"], 2, "limits.md has no markers"),
        (["APIP95LatencyHigh", "--because", "x", "--limits", "none.md"], 2, "none.md does not exist; create it"),
        (["APIP95LatencyHigh", "--because", "x", *PRODUCTIONS[:3], "docs/tracking.md"], 2, "name the same file"),
    ],
)
def test_bad_input_gets_one_sentence_and_nothing_is_written(
    project: Project, arguments: list[str], code: int, says: str
) -> None:
    before = project.bytes()
    done = project.tune(*arguments)
    assert done.returncode == code, done.stderr
    told = done.stderr.strip().split("\n")
    assert says in told[-1]
    assert all(line.endswith("…") for line in told[:-1])
    assert project.bytes() == before


def test_one_file_that_is_read_only_stops_all(project: Project) -> None:
    name = "rules/api-performance-alerts.yml"  # the last one to be written
    (project.folder / name).chmod(0o444)
    before = project.bytes()
    done = project.tune("APIP95LatencyHigh", "--because", "x")
    assert (done.returncode, project.bytes()) == (2, before)
    assert f"{name} is read-only" in done.stderr
