"""`diagnose` against a sandbox in which each link is really broken: it is named, with what to do, and no other is."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import dashboards
import routing
import rules
from dashboards import Panel
from ops import targets
from ops.backtest import mails
from ops.backtest.mails import Firing
from ops.diagnose import alerts, dashboard, volume
from ops.diagnose.walk import NOT_REACHED, Diagnosis
from ops.errors import Misconfigured, Refused
from ops.sandbox import Sandbox, tools
from ops.window import Window

ROOT = Path(__file__).resolve().parent.parent
RULE_FILE = "api-performance-alerts.yml"
# Two series for each one: a sound expression, but for the data that it meets.
TROUBLE = """
groups:
  - name: trouble
    interval: 1s
    rules:
      - alert: APITrouble
        expr: |
          sum by (status) (METRIC) / on () sum by (path) (METRIC)
          > 1
        labels: {severity: warning, component: api, signal: trouble}
        annotations:
          summary: Trouble.
          description: Of a kind.
          runbook_url: https://docs.rsolv.dev/runbooks/APITrouble
          dashboard_url: https://grafana.rsolv.dev/d/api-performance-baseline
"""
LATENCY, CRITICAL = "APIP95LatencyHigh", "APIP95LatencyCritical"


@pytest.fixture
def target(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> targets.Target:
    monkeypatch.setenv("SANDBOX_HOME", str(sandbox.home))
    return targets.load("sandbox")


def of_alerts(target: targets.Target, name: str | None = None) -> Diagnosis:
    return alerts.diagnose(alerts.case(target, name))


def of_panels(target: targets.Target, title: str | None = None) -> Diagnosis:
    return dashboard.diagnose(dashboard.case(target, title))


def soon(look: Callable[[], Diagnosis], link: str | None, words: str = "", limit: float = 20) -> Diagnosis:
    """The diagnosis as soon as that link is the broken one, in these words (None: as none is)."""
    until = time.monotonic() + limit
    while True:
        found = look()
        if found.broken == link and words in detail(found, link):
            return found
        assert time.monotonic() < until, f"broken is {found.broken}: {detail(found, found.broken)}"
        time.sleep(0.3)


def detail(found: Diagnosis, link: str | None) -> str:
    return next((check.detail for check in found.links if check.name == link), "")


def said(found: Diagnosis, *, code: int = 1) -> str:
    """What the broken link says; the links before it hold, those after it were not reached."""
    names = [check.name for check in found.links]
    at = names.index(str(found.broken))
    assert all(check.status in ("pass", "skip") and check.detail != NOT_REACHED for check in found.links[:at])
    assert found.links[at].status == "fail"
    assert {check.detail for check in found.links[at + 1 :]} <= {NOT_REACHED}
    assert found.next
    assert found.exit_code == code
    return found.links[at].detail


@contextmanager
def rewritten(path: Path, change: Callable[[str], str], reload: Callable[[], None]) -> Iterator[None]:
    """A file of the sandbox with other contents, taken up; as before afterwards."""
    before = path.read_text("utf-8")
    changed = change(before)
    assert changed != before
    path.write_text(changed, "utf-8")
    try:
        with suppress(Refused):
            reload()
        yield
    finally:
        path.write_text(before, "utf-8")
        reload()


@contextmanager
def extra_rules(sandbox: Sandbox, target: targets.Target, *groups: dict[str, Any]) -> Iterator[None]:
    path = sandbox.mounts.rules / "extra.yml"
    path.write_text(json.dumps({"groups": list(groups)}), "utf-8")
    try:
        target.prometheus.reload()
        yield
    finally:
        path.unlink()
        target.prometheus.reload()


@contextmanager
def relay(sandbox: Sandbox, **wrong: object) -> Iterator[None]:
    """The mail relay gets something wrong."""
    state = sandbox.state
    assert state is not None
    httpx.post(state.mail_control_url, json=wrong, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.post(state.mail_control_url, json={}, trust_env=False).raise_for_status()


@contextmanager
def firing(target: targets.Target, **labels: str) -> Iterator[None]:
    """An alert at Alertmanager, resolved afterwards."""

    def post(ends: datetime) -> None:
        now = datetime.now(UTC) - timedelta(seconds=5)
        target.alertmanager.post_alerts([{"labels": labels, "startsAt": now.isoformat(), "endsAt": ends.isoformat()}])

    post(datetime.now(UTC) + timedelta(minutes=10))
    try:
        yield
    finally:
        post(datetime.now(UTC) - timedelta(seconds=1))


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    """A change of a configuration as data."""

    def apply(text: str) -> str:
        config = yaml.safe_load(text)
        change(config)
        return yaml.safe_dump(config, allow_unicode=True)

    return apply


def job(config: dict[str, Any], name: str = "rsolv-platform") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in config["scrape_configs"] if one["job_name"] == name)
    return found


# ── alerts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_broken_and_said_so_to_programs_and_people(target: targets.Target, sandbox: Sandbox) -> None:
    soon(lambda: of_alerts(target), None)
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
    command = [sys.executable, "-m", "ops", "diagnose", "alerts", LATENCY]
    done = subprocess.run(
        [*command, "--format", "json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ["target", "tree", "links", "broken", "next"]
    assert (answer["tree"], answer["broken"], answer["next"]) == (f"alerts {LATENCY}", None, None)
    details = {link["name"]: link["detail"] for link in answer["links"]}
    assert details["condition"].startswith("not true: ")
    assert ", limit > 1000 (" in details["condition"]
    assert details["receiver"] == "api-warnings to admin@rsolv.dev, alerts@rsolv.dev"
    assert "TLSv1." in details["mail relay"]
    assert "login of api-performance-alerts" in details["mail relay"]

    with relay(sandbox, refuse_login=True):
        text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert text.returncode == 1
    lines = text.stdout.splitlines()
    assert {line[0] for line in lines[: len(details) - 2]} <= {"✓", "–"}  # –: the watchdog has only just begun to fire
    assert [line[0] for line in lines[len(details) - 2 : len(details)]] == ["✗", "–"]
    assert lines[len(details) - 1].endswith("  not reached")
    assert ", 1 failed, " in lines[-3]
    assert lines[-2:] == [
        "First broken link: mail relay",
        "Next: python -m ops test-alert --target sandbox",
    ]


def test_an_alert_that_is_not_there(target: targets.Target) -> None:
    with pytest.raises(Misconfigured, match="there is no alert 'APIP95Latency' in rules/; did you mean APIP95Latency"):
        alerts.case(target, "APIP95Latency")


def test_prometheus_is_down(target: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("prometheus", kill=True)
    try:
        found = of_alerts(target)
    finally:
        sandbox.start("prometheus")
    assert found.broken == "prometheus"
    assert "cannot be reached (Connection refused)" in said(found, code=2)


def test_the_rule_file_is_gone(target: targets.Target, sandbox: Sandbox) -> None:
    path = sandbox.mounts.rules / RULE_FILE
    text = path.read_text("utf-8")
    path.unlink()
    try:
        target.prometheus.reload()
        found = of_alerts(target, LATENCY)
    finally:
        path.write_text(text, "utf-8")
        target.prometheus.reload()
    assert found.broken == "rules loaded"
    assert "runs no group api_performance" in said(found)


def test_the_rules_do_not_load(target: targets.Target, sandbox: Sandbox) -> None:
    path = sandbox.mounts.rules / RULE_FILE
    with rewritten(path, lambda text: text.replace("> 0.05", "> > 0.05", 1), target.prometheus.reload):
        found = of_alerts(target)
    assert found.broken == "rules loaded"
    assert "could not read its configuration last time" in said(found)


def test_a_rule_fails_when_it_is_evaluated(target: targets.Target, sandbox: Sandbox, tmp_path: Path) -> None:
    text = TROUBLE.replace("METRIC", "phoenix_http_request_duration_milliseconds_count")
    (tmp_path / "trouble.yml").write_text(text, "utf-8")
    (group,) = yaml.safe_load(text)["groups"]
    ours = rules.alerts(tmp_path)["APITrouble"]
    about = alerts.Case(target, [ours], rules.load(tmp_path), named=True)
    with extra_rules(sandbox, target, group):
        found = soon(lambda: alerts.diagnose(about), "rules evaluated", "APITrouble fails (")
    assert "trouble.yml:" in said(found)


def test_the_application_is_down_or_a_metric_gone_or_renamed(target: targets.Target, sandbox: Sandbox) -> None:
    def drop(config: dict[str, Any]) -> None:
        job(config)["metric_relabel_configs"] = [
            {"source_labels": ["__name__"], "regex": "phoenix_http_request_duration.*", "action": "drop"}
        ]

    def rename(config: dict[str, Any]) -> None:
        job(config)["metric_relabel_configs"] = [
            {
                "source_labels": ["__name__"],
                "regex": "phoenix_http_request_duration_(milliseconds.*)",
                "target_label": "__name__",
                "replacement": "phoenix_http_requests_duration_$1",
            }
        ]

    with rewritten(sandbox.mounts.prometheus_config, edited(drop), target.prometheus.reload):
        found = soon(lambda: of_panels(target, "API P95 Latency"), "metrics present")
        assert "Prometheus has no phoenix_http_request_duration_milliseconds" in said(found)
    with rewritten(sandbox.mounts.prometheus_config, edited(rename), target.prometheus.reload):
        name = "did you mean phoenix_http_requests_duration_milliseconds"
        assert name in said(soon(lambda: of_panels(target), "metrics present", name))
    sandbox.stop("application", kill=True)
    try:
        found = soon(lambda: of_panels(target), "metrics endpoint")
        assert "Connection refused" in said(found)
        assert found.next == f"curl -v {target.application_url}/metrics"
        gone = soon(lambda: of_alerts(target, "DatabaseConnectionPoolUtilizationHigh"), "expression has data")
        assert "rsolv-platform is not scraped" in said(gone)
    finally:
        sandbox.start("application")
    soon(lambda: of_panels(target), None)
    soon(lambda: of_alerts(target), None)


def test_prometheus_sends_nowhere_or_to_nobody(target: targets.Target, sandbox: Sandbox) -> None:
    def nowhere(config: dict[str, Any]) -> None:
        config["alerting"]["alertmanagers"] = []

    def nobody(config: dict[str, Any]) -> None:
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": ["127.0.0.1:9"]}]}]

    def drill(name: str) -> dict[str, Any]:
        return {"name": name, "interval": "1s", "rules": [{"alert": name, "expr": "vector(1)"}]}

    def discovered(url: str) -> None:
        until = time.monotonic() + 15
        while target.prometheus.alertmanagers() != [url]:
            assert time.monotonic() < until
            time.sleep(0.2)

    with rewritten(sandbox.mounts.prometheus_config, edited(nowhere), target.prometheus.reload):
        found = soon(lambda: of_alerts(target), "sent by prometheus")
        assert "knows no Alertmanager" in said(found)
    with rewritten(sandbox.mounts.prometheus_config, edited(nobody), target.prometheus.reload):
        discovered("http://127.0.0.1:9/api/v2/alerts")
        with extra_rules(sandbox, target, drill("First")):
            found = soon(lambda: of_alerts(target), "sent by prometheus", "could not send the last alerts")
        assert "127.0.0.1:9" in said(found)
    discovered(f"{target.alertmanager.url}/api/v2/alerts")
    with extra_rules(sandbox, target, drill("Second")):  # one that arrives ends it
        soon(lambda: of_alerts(target), None)


def test_alertmanager_is_down(target: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("alertmanager", kill=True)
    try:
        found = soon(lambda: of_alerts(target, LATENCY), "alertmanager")
    finally:
        sandbox.start("alertmanager")
    assert "Alertmanager at " in said(found, code=2)
    assert "cannot be reached" in said(found, code=2)


def test_the_route_leads_elsewhere_or_is_quiet_or_tells_others(target: targets.Target, sandbox: Sandbox) -> None:
    path, reload = sandbox.mounts.alertmanager_config, target.alertmanager.reload

    def quiet(config: dict[str, Any]) -> None:
        config["time_intervals"] = [{"name": "always", "time_intervals": [{"years": ["2020:2100"]}]}]
        for route in config["route"]["routes"]:
            if route["receiver"] == "api-warnings":
                route["mute_time_intervals"] = ["always"]

    with rewritten(path, lambda text: text.replace('severity="warning"]', 'severity="Warning"]', 1), reload):
        found = soon(lambda: of_alerts(target), "route")
        assert " goes to " in said(found)
        assert " instead of " in said(found)
    with rewritten(path, edited(quiet), reload):
        found = soon(lambda: of_alerts(target, LATENCY), "quiet hours")
        assert "to api-warnings is quiet now (mute_time_intervals: always)" in said(found)
    with rewritten(path, lambda text: text.replace("admin@rsolv.dev, alerts@rsolv.dev", "admin@rsolv.dev"), reload):
        assert "email_configs.to differs" in said(soon(lambda: of_alerts(target, LATENCY), "receiver"))


def test_a_critical_alert_mutes_a_warning(target: targets.Target) -> None:
    critical = rules.alerts()[CRITICAL]
    with firing(target, alertname=CRITICAL, **critical.labels):
        found = soon(lambda: of_alerts(target, LATENCY), "inhibition")
        assert f"{LATENCY} is muted as long as {CRITICAL} fires" in said(found)
        assert found.next == f"python -m ops diagnose alerts {CRITICAL} --target sandbox"
        everything = of_alerts(target)  # and among all alerts, that is as meant
        assert everything.broken is None
        assert f"{LATENCY} by {CRITICAL}" in detail(everything, "inhibition")


@pytest.mark.parametrize("label", [("component", "api"), ("path", "/slow")], ids=["alert", "series"])
def test_a_silence(label: tuple[str, str], target: targets.Target, sandbox: Sandbox) -> None:
    name = LATENCY if label[0] == "component" else "APIEndpointLatencyHigh"
    # an alert of ours that fires with the labels of a series, which a silence may be about
    alert = {"alert": "APIEndpointLatencyHigh", "expr": 'label_replace(vector(1), "path", "/slow", "", "")'}
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": label[0], "value": label[1], "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "eve",
        "comment": "maintenance",
    }
    with (
        extra_rules(sandbox, target, {"name": "extra", "interval": "1s", "rules": [alert]}),
        httpx.Client(base_url=target.alertmanager.url, trust_env=False) as http,
    ):
        number = http.post("/api/v2/silences", json=silence).raise_for_status().json()["silenceID"]
        try:
            found = soon(lambda: of_alerts(target, name), "silences")
            other = of_alerts(target, "DatabaseQueryLatencyHigh")
        finally:
            http.delete(f"/api/v2/silence/{number}").raise_for_status()
    assert said(found).startswith(f"{name} is silenced until ")
    assert "by eve (maintenance)" in said(found)
    assert found.next == f"amtool silence expire {number} --alertmanager.url={target.alertmanager.url}"
    assert other.broken is None
    assert detail(other, "silences") == "none of 1 active silences holds here"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"refuse_login": True}, "refused the login of api-performance-alerts (535"),
        ({"no_tls": True}, "offers no STARTTLS, which smtp_require_tls asks for"),
        ({"hang_up": True}, "cannot be spoken to"),
    ],
    ids=["login", "tls", "hangs-up"],
)
def test_the_relay_refuses(wrong: dict[str, object], words: str, target: targets.Target, sandbox: Sandbox) -> None:
    with relay(sandbox, **wrong):
        found = soon(lambda: of_alerts(target), "mail relay")
    assert words in said(found)


def test_the_relay_is_down_or_its_password_is_gone(target: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("mail-sink", kill=True)
    try:
        found = soon(lambda: of_alerts(target), "mail relay")
    finally:
        sandbox.start("mail-sink")
    assert "cannot be spoken to" in said(found)
    assert "Connection refused" in said(found)
    password = sandbox.mounts.smtp_password
    aside = password.rename(password.with_name("aside"))
    try:
        found = soon(lambda: of_alerts(target), "mail relay")
    finally:
        aside.rename(password)
    assert "cannot read the relay's password" in said(found)


def test_the_relay_takes_the_login_and_refuses_the_mail(target: targets.Target, sandbox: Sandbox) -> None:
    drill = {"alertname": "TestAPIAlert", "component": "api", "severity": "warning"}
    with relay(sandbox, refuse_recipients=True), firing(target, **drill, signal="diagnose-a"):
        found = soon(lambda: of_alerts(target), "last notifications")
        assert "Alertmanager failed to notify" in said(found)
        assert "grep -i notify" in str(found.next)
    with firing(target, **drill, signal="diagnose-b"):
        soon(lambda: of_alerts(target), None, limit=30)


# ── dashboard ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_panel_by_its_title(target: targets.Target) -> None:
    found = soon(lambda: of_panels(target, "pool utilization"), None)
    assert detail(found, "query returns data") == "1 series in 1 panel"
    with pytest.raises(Misconfigured, match="no panel is called 'nothing'; there are API Error Rate"):
        dashboard.case(target, "nothing")
    with pytest.raises(Misconfigured, match="more than one panel is called 'p95'"):
        dashboard.case(target, "p95")


def test_prometheus_does_not_scrape_the_application(target: targets.Target, sandbox: Sandbox) -> None:
    def other(config: dict[str, Any]) -> None:
        job(config)["job_name"] = "other"

    with rewritten(sandbox.mounts.prometheus_config, edited(other), target.prometheus.reload):
        found = soon(lambda: of_panels(target), "scrape target", "other")
    assert "no scrape job 'rsolv-platform' (it has alertmanager, other, prometheus)" in said(found)


def test_a_filter_leaves_nothing(target: targets.Target) -> None:
    query = 'sum(rate(phoenix_http_request_duration_milliseconds_count{method="POST",path="/nowhere"}[5m]))'
    panel = Panel(1, "Mine", "", "timeseries", (query,), "reqps", ())
    found = soon(
        lambda: dashboard.diagnose(dashboard.Case(target, dashboards.load(), [panel], named=True)), "query returns data"
    )
    assert 'path="/nowhere" leaves nothing of it: path is \'/' in said(found)
    misspelt = Panel(2, "Mine", "", "timeseries", (query.replace("path=", "paht="),), "reqps", ())
    found = dashboard.diagnose(dashboard.Case(target, dashboards.load(), [misspelt], named=True))
    assert "it has no label paht" in said(found)


# ── volume ────────────────────────────────────────────────────────────────────────────────────────────────────────────

NOISY = "WebhookProcessingFailuresHigh"
DAY = 86400.0


def flapping(alert: rules.Alert, start: float, count: int, every: float, seconds: float) -> list[Firing]:
    labels = tuple(sorted({**alert.labels, "alertname": alert.name}.items()))
    return [Firing(labels, start + n * every, start + n * every + seconds) for n in range(count)]


@contextmanager
def remembered(sandbox: Sandbox, firings: list[Firing]) -> Iterator[None]:
    """The sandbox's Prometheus remembers these; forgotten afterwards."""
    samples = []
    for one in firings:
        labels = ",".join(f'{name}="{value}"' for name, value in (*one.labels, ("alertstate", "firing")))
        assert one.end is not None
        samples += [f"ALERTS{{{labels}}} 1 {at}" for at in range(round(one.start), round(one.end), 30)]
    text, data = sandbox.home / "firings.om", sandbox.home / "data" / "prometheus"
    text.write_text("\n".join(samples) + "\n# EOF\n", "utf-8")
    before = set(data.iterdir())
    subprocess.run(
        [tools.path("promtool"), "tsdb", "create-blocks-from", "--quiet", "openmetrics", text, data], check=True
    )
    try:
        yield
    finally:
        text.unlink()
        for block in set(data.iterdir()) - before:
            if len(block.name) == 26:  # an identifier of a block
                shutil.rmtree(block)


def test_the_loudest_alert_and_what_would_quieten_it(target: targets.Target, sandbox: Sandbox) -> None:
    alert = rules.alerts()[NOISY]
    start = (time.time() - 3 * DAY) // 60 * 60
    # three minutes of every fifteen
    with remembered(sandbox, flapping(alert, start, 30, 900, 180)):
        until = time.monotonic() + 20
        while True:  # the blocks are taken up one after the other
            found = volume.measure(target, 7, 3)
            loud = next((one for one in found.alerts if one.name == NOISY), None)
            if loud is not None and loud.fired == 30:
                break
            assert time.monotonic() < until, found
            time.sleep(0.5)
        environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
        command = [sys.executable, "-m", "ops", "diagnose", "volume"]
        text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        done = subprocess.run(
            [*command, "--mails-a-day", "20", "--format", "json"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert loud.mails == 60  # one when it fires and one when it is over, each time
    # a record without marks of staleness counts for five minutes more
    assert 30 * 180 <= loud.seconds <= 30 * (180 + 360)
    assert found.diagnosis.broken == NOISY
    assert detail(found.diagnosis, NOISY).endswith("60 mails, more than 21 is too many")
    best = found.levers[0]
    # one incident of 7.5 h: its beginning, its end, and a repeat every two hours
    assert (best.setting, best.old, best.new, best.mails) == ("keep_firing_for", "0 s", "10 min", 5)
    assert found.diagnosis.next == best.next
    assert best.next.startswith(f"set `keep_firing_for` to 10 min in rules/{RULE_FILE}:")
    assert text.returncode == 1
    assert f"First broken link: {NOISY}" in text.stdout
    assert f"Of its 60 mails {NOISY} would have sent" in text.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["broken"] is None
    assert {"name": NOISY, "ours": True, "fired": 30, "mails": 60}.items() <= {
        key: value for one in answer["alerts"] if one["name"] == NOISY for key, value in one.items()
    }.items()
    assert answer["settings"][0]["mails"] == 5


def test_the_settings_replayed() -> None:
    alert = rules.alerts()[NOISY]
    config = routing.load().config
    over = Window(0.0, 7 * DAY, 60.0)
    often = flapping(alert, 3600, 10, 500, 200)  # gaps of five minutes: one incident
    before = sum(NOISY in mail.alerts for mail in mails.send(config, often, over.end))
    sent = {lever.setting: lever.mails for lever in volume.variants(config, often, alert, over)}
    assert sent["for"] == 0
    assert sent["keep_firing_for"] == 2 < before  # one when it begins, one when it is over
    assert sent["group_wait"] <= before
    long = flapping(alert, 3600, 1, 0, 2 * DAY)
    before = sum(NOISY in mail.alerts for mail in mails.send(config, long, over.end))
    sent = {lever.setting: lever.mails for lever in volume.variants(config, long, alert, over)}
    assert min(sent, key=lambda setting: sent[setting]) == "repeat_interval"
    assert sent["repeat_interval"] <= before // 2 + 1


def test_a_longer_for_and_a_longer_keep_firing_for() -> None:
    alert = rules.alerts()[NOISY]
    (one, two, three) = flapping(alert, 100, 3, 100, 60)
    still = Firing(one.labels, 500, None)
    every = [one, two, three, still]
    assert volume.later(every, NOISY, 60) == [Firing(one.labels, 560, None)]
    assert volume.later(every, "Other", 60) == every
    assert volume.merged(every, NOISY, 40) == [Firing(one.labels, 100, 400), still]
    assert volume.merged(every, NOISY, 200) == [Firing(one.labels, 100, None)]
    assert volume.merged(every, "Other", 60) == every
