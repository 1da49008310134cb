"""`diagnose coverage` on a real Prometheus with a past that is known by the number, and on a real Alertmanager."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import rules
from ops import build_tools, cli, targets
from ops.diagnosis import alert_coverage
from ops.diagnosis.alert_coverage import Nearness
from ops.targets import Target
from rules import Alert
from tests.support import past, real_servers
from tests.support.our_routes import ROUTING
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(
    not (build_tools.find("prometheus") and build_tools.find("alertmanager")), reason="run `make tools` first"
)
END = int(time.time()) // 60 * 60 - 1200  # longer ago than Prometheus looks back for a sample
HOURS = 4
ALERTS = past.alerts()
SLOW = "APIP95LatencyHigh"
QUERIES = "rsolv_prom_ex_ecto_query_duration_milliseconds"
REQUESTS = "phoenix_http_request_duration_milliseconds"
THEIRS = {
    "SlowForThem": {
        "expr": f"histogram_quantile(0.9, sum by (le) (rate({REQUESTS}_bucket[5m]))) > 2000",
        "labels": {"severity": "warning", "component": "api"},
    },
    "QueriesForThem": {
        "expr": "theirs:queries > 2000",
        "labels": {"severity": "page"},
    },
    "NothingOfOurs": {"expr": "node_load1 > 1", "labels": {"severity": "warning", "component": "api"}},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The sandbox's folder, whose state names a Prometheus with that past and rules of others, and an Alertmanager."""
    folder = tmp_path_factory.mktemp("servers")
    (folder / "password").write_text("none")
    (folder / "theirs.yml").write_text(
        yaml.safe_dump(
            {
                "groups": [
                    {
                        "name": "theirs",
                        "rules": [
                            {
                                "record": "theirs:queries",
                                "expr": f"sum(rate({QUERIES}_sum[5m]))",
                            },
                            *({"alert": name, **rule} for name, rule in THEIRS.items()),
                        ],
                    }
                ]
            }
        )
    )
    (folder / "past.om").write_text(past.traffic(END - HOURS * 3600, END, END - 3600), "utf-8")
    data = folder / "data"
    create = ("tsdb", "create-blocks-from", "--quiet", "openmetrics", folder / "past.om", data)
    subprocess.run([build_tools.path("promtool"), *create], check=True)
    text = ROUTING.text.replace("/etc/alertmanager/smtp/password", str(folder / "password"))
    config = f"rule_files: [{rules.FOLDER}/*.yml, {folder}/theirs.yml]\n"
    (folder / "alertmanager").mkdir()
    with (
        real_servers.prometheus(folder, config, data=data) as prometheus,
        real_servers.alertmanager(folder / "alertmanager", text) as alertmanager,
    ):
        until(lambda: any(group.name == "theirs" for group in prometheus.rules()), "the rules are not loaded")
        past.target(folder / "home", prometheus.url)
        state = json.loads((folder / "home" / "state.json").read_text("utf-8"))
        state["alertmanager_url"] = alertmanager.url
        (folder / "home" / "state.json").write_text(json.dumps(state), "utf-8")
        yield folder / "home"


@pytest.fixture
def target(home: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    monkeypatch.setenv("SANDBOX_HOME", str(home))
    return targets.load("sandbox")


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Alert], None]:
    """Let this be the one alert that there is."""
    return lambda alert: monkeypatch.setattr(rules, "alerts", lambda *_, **__: {alert.name: alert})


def looked_at(target: Target, hours: float = HOURS) -> Nearness:
    (found,) = alert_coverage.measure(target, (END - hours * 3600, float(END))).alerts
    return found


def with_limit(name: str, value: float) -> Alert:
    alert = ALERTS[name]
    return replace(alert, limit=replace(alert.limit, value=value, text=f"{alert.limit.operator} {value:g}"))


def test_how_near_and_how_long(target: Target, only: Callable[[Alert], None]) -> None:
    """P95 is 750 ms, and 4800 ms in the last hour."""
    only(with_limit(SLOW, 1000))
    slow = looked_at(target)
    assert (slow.fires, slow.impossible, slow.held_back) == (True, "", 0)
    assert slow.value == pytest.approx(4800, rel=0.02) and slow.share == pytest.approx(4.8, rel=0.02)
    assert slow.at is not None and slow.at > END - 3600
    assert 3300 < slow.longest <= 3660 and slow.of_for == pytest.approx(slow.longest / 600)
    assert slow.with_value > 0.9
    only(with_limit(SLOW, 4900))
    near = looked_at(target)
    assert (near.fires, near.longest, near.impossible) == (False, 0, "") and 0.9 < (near.share or 0) < 1


def test_a_stretch_that_is_shorter_than_for_is_a_share_of_it(target: Target, only: Callable[[Alert], None]) -> None:
    only(replace(with_limit(SLOW, 1000), for_=2 * 3600.0))
    short = looked_at(target)
    assert not short.fires and short.of_for is not None and 0.4 < short.of_for < 0.52


def test_below_the_limit_is_near_where_low_values_are_bad(target: Target, only: Callable[[Alert], None]) -> None:
    alert = with_limit(SLOW, 600)
    only(replace(alert, limit=replace(alert.limit, operator="<", text="< 600")))
    found = looked_at(target)
    assert found.value == pytest.approx(750, rel=0.02) and found.share == pytest.approx(600 / 750, rel=0.02)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: with_limit(SLOW, 30000), r"reads 30000 milliseconds at most \(its last finite bucket\)|reads 30000"),
        (lambda: with_limit("APIErrorRateHigh", 1.0), r"its signal stays below 1, and its limit is > 1; lower"),
        (
            lambda: replace(with_limit(SLOW, 1000), signal="sum(rate(phoenix_http_reqests_total[5m]))"),
            r"keeps no sample of phoenix_http_reqests_total, which it reads: rsolv-platform is not scraped",
        ),
        (
            lambda: replace(with_limit(SLOW, 1000), signal=ALERTS[SLOW].signal.replace(">= 20", ">= 2000000")),
            r"over the limit for 5\d min on end, longer than its `for`, and its guards .* were never true",
        ),
        (
            lambda: replace(with_limit(SLOW, 1000), signal=f'sum(rate({REQUESTS}_count{{status="teapot"}}[5m]))'),
            r"status=\"teapot\" matches none of its series: status is '200', '500'",
        ),
    ],
    ids=["bucket", "what the signal can reach", "missing metric", "guard", "matcher"],
)
def test_what_makes_it_impossible_is_said(
    change: Callable[[], Alert],
    why: str,
    target: Target,
    only: Callable[[Alert], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    alert = change()
    only(alert)
    found = looked_at(target)
    assert re.search(why, found.impossible), found.impossible
    assert cli.run(["diagnose", "coverage", "--target", "sandbox", "--window", f"{HOURS}h", "--end", str(END)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"✗ {alert.name} cannot fire: " in said
    look = f"Next: bin/ops diagnose alerts {alert.name} --target sandbox"
    correct = f"Next: correct it in rules/{alert.file.name}:{alert.line}, then"
    assert (look if "no sample" in why else correct) in said


def test_a_guard_that_holds_it_back_for_less_than_for_is_no_fault(
    target: Target, only: Callable[[Alert], None]
) -> None:
    alert = with_limit(SLOW, 1000)
    only(replace(alert, signal=alert.signal.replace(">= 20", ">= 2000000"), for_=2 * 3600.0))
    found = looked_at(target)
    assert found.impossible == "" and 3000 < found.held_back < 3660 and found.with_value == 0
    assert found.value == pytest.approx(4800, rel=0.02)


@pytest.mark.usefixtures("target")
def test_ours_as_they_stand_others_and_what_nobody_reads(capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--target", "sandbox", "--window", "1d", "--end", str(END), "--format", "json"]
    assert cli.run(["diagnose", "coverage", *more]) == 1
    answer = json.loads(capsys.readouterr().out)
    links = {one["name"]: one for one in answer["links"]}
    assert {one["alert"] for one in answer["alerts"]} == {
        name for name, alert in rules.alerts().items() if not alert.is_watchdog
    }
    assert links["history"]["status"] == "skip" and "keeps 4 h of 24 h" in links["history"]["detail"]
    both = links["rule SlowForThem"]
    assert both["status"] == "fail" and "and api-warnings is told of both" in both["detail"]
    assert f"SlowForThem of group theirs (theirs.yml) reads {REQUESTS}, as " in both["detail"]
    elsewhere = links["rule QueriesForThem"]
    assert elsewhere["status"] == "skip" and "it goes to fallback" in elsewhere["detail"]
    assert "rule NothingOfOurs" not in links
    assert not any(one["impossible"] for one in answer["alerts"]), "what is recorded only since then is computed"
    assert links["APIErrorBudgetBurnFast"]["detail"].startswith("came to 1, ")
    assert (answer["broken"], answer["next"]) == ("rule SlowForThem", "bin/ops diagnose volume --target sandbox")
    assert links["metrics"]["status"] in ("pass", "skip")


def test_a_metric_that_no_alert_reads_is_named(target: Target, only: Callable[[Alert], None]) -> None:
    only(with_limit(SLOW, 1000))
    found = alert_coverage.measure(target, (END - 3600.0, float(END)))
    (unread,) = (check for check in found.diagnosis.links if check.name == "metrics")
    assert unread.status == "skip" and QUERIES in unread.detail
    assert REQUESTS not in unread.detail


@pytest.mark.usefixtures("target")
def test_no_data_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["diagnose", "coverage", "--target", "sandbox", "--window", "1h", "--end", "2001-01-01"]) == 2
    assert "keeps nothing between 2000-12-31 23:00 and 2001-01-01 00:00" in " ".join(capsys.readouterr().err.split())
