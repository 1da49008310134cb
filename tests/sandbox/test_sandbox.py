"""The sandbox by its command line: up, told to go wrong, watched, broken, mended and down; every process a real one."""

import json
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

import metrics
import rules
from ops.clients.http import Http
from ops.clients.mailbox import MailSink
from ops.sandbox import loopback, processes
from ops.sandbox.lifecycle import Sandbox
from ops.sandbox.mounts import ALERTMANAGER, PROMETHEUS, Mounts
from ops.sandbox.sandbox_errors import SandboxError
from ops.sandbox.servers import traffic
from tests.support.checkout import ROOT
from tests.support.leftovers import running
from tests.support.waiting import PATIENCE, until

# Which scenario makes which alert's signal cross its limit. APIRequestRateAnomalyLow needs a week of past and a working
# hour: promtool tests it, at hours of its own.
DRIVES = {
    "errors": ("APIErrorRateHigh", "APIErrorRateCritical", "APIErrorBudgetBurnFast", "APIErrorBudgetBurnSlow"),
    "slow_endpoint": ("APIEndpointLatencyHigh",),
    "slow": ("APIP95LatencyHigh", "APIP95LatencyCritical"),
    "db_slow": ("DatabaseQueryLatencyHigh", "DatabaseQueryLatencyCritical"),
    "pool_exhausted": ("DatabaseConnectionPoolUtilizationHigh",),
    "queue": ("DatabasePoolQueueTimeHigh",),
    "webhook_failures": ("WebhookProcessingFailuresHigh",),
    "webhook_slow": ("WebhookProcessingLatencyHigh",),
    "metrics_gone": ("APIMetricsAbsent",),
    "down": ("APIMetricsAbsent",),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of this module's own, without a past, so that what goes wrong in it troubles nobody else."""
    box = Sandbox(tmp_path_factory.mktemp("own") / "home")
    try:
        done = ops("sandbox", "up", "--no-engine", "--no-verify", "--history", "0", home=box.home)
        assert done.returncode == 0, done.stderr
        yield box
    finally:
        box.down()


def ops(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def in_full(expr: str) -> str:
    """`expr` with what it reads of recordings computed instead, as those are recorded once a minute only."""
    for name, recording in rules.recordings().items():
        expr = re.sub(rf"(?<![\w:]){re.escape(name)}(?![\w:])", f"({recording.expr.strip()})", expr)
    return expr


def pids(box: Sandbox) -> list[int]:
    state = box.state
    assert state is not None
    return [process["pid"] for process in state.processes.values()]


def scraped(box: Sandbox) -> None:
    """Wait until Prometheus has scraped the application from beginning to end, after this moment."""
    seen = set[float]()

    def twice() -> bool:
        """The first one may have begun before."""
        seen.add(box.prometheus.query('timestamp(up{job="rsolv-platform"})')[0].value)
        return len(seen) > 2

    until(twice, "the application is not scraped")


def control(url: str, **wanted: Any) -> None:
    httpx.post(url, json=wanted, trust_env=False).raise_for_status()


# ── what it has ───────────────────────────────────────────────────────────────────────────────────


def test_a_second_up_says_that_it_runs_and_where(own: Sandbox) -> None:
    before = own.state
    assert before is not None
    done = ops("sandbox", "up", "--no-engine", "--no-verify", home=own.home)
    assert done.returncode == 0
    assert done.stderr == "the sandbox is running already\n"
    assert before.prometheus_url in done.stdout
    assert own.state == before
    other = ops("sandbox", "up", "--no-engine", "--no-verify", "--port", "prometheus=1", home=own.home)
    assert other.returncode == 2
    assert (
        other.stderr
        == "the sandbox runs already, on other ports than prometheus=1; stop it first with make sandbox-down\n"
    )


def test_the_application_exports_the_contract(sandbox: Sandbox) -> None:
    every = metrics.load().metrics
    for metric in every.values():
        family = metric.name.removesuffix("_total")  # OpenMetrics' name of a counter
        assert sandbox.prometheus.metadata(family)[family][0]["type"] == metric.type
        one = f"{metric.name}_count" if metric.type == "histogram" else metric.name
        found = sandbox.prometheus.query(one)
        assert found
        assert {*found[0].labels} - {"__name__", "job", "instance"} == {*metric.labels}
        if metric.type == "histogram":
            bounds = sandbox.prometheus.label_values("le", [f"{metric.name}_bucket"])
            assert sorted(map(float, bounds)) == [*metric.buckets, float("inf")]


def test_in_health_every_signal_is_there_and_none_crosses_its_limit(sandbox: Sandbox) -> None:
    for alert in rules.alerts().values():
        if alert.group == "api_performance":
            assert not sandbox.prometheus.query(in_full(alert.expr)), alert.name
    for name in ("APIP95LatencyHigh", "DatabaseQueryLatencyHigh", "WebhookProcessingLatencyHigh"):
        assert sandbox.prometheus.query(rules.alerts()[name].signal), f"{name} has no signal"


def test_prometheus_remembers_traffic_and_recordings_from_before_its_start(sandbox: Sandbox) -> None:
    ago = time.time() - 3600
    (rate,) = sandbox.prometheus.query("sum(rate(phoenix_http_request_duration_milliseconds_count[5m]))", at=ago)
    assert 0.5 < rate.value / (7 * traffic.pace(ago)) < 2  # nights and weekends are quiet
    (p95,) = sandbox.prometheus.query(rules.alerts()["APIP95LatencyHigh"].signal, at=ago)
    assert 50 < p95.value < 800
    for recording in rules.recordings().values():
        assert sandbox.prometheus.query(recording.name, at=ago), recording.name


def test_nothing_listens_or_connects_beyond_loopback(sandbox: Sandbox) -> None:
    state = sandbox.state
    assert state is not None
    ends = [
        end
        for process in state.processes.values()
        for connection in psutil.Process(process["pid"]).net_connections("tcp")
        for end in (connection.laddr, connection.raddr)
        if end
    ]
    assert ends
    assert [end for end in ends if not ip_address(end.ip.removeprefix("::ffff:")).is_loopback] == []


# ── what goes wrong on purpose ────────────────────────────────────────────────────────────────────


def test_every_scenario_but_silence_drives_an_alert_and_every_alert_but_one_is_driven() -> None:
    assert {*DRIVES} == {*traffic.SCENARIOS} - {"silence"}
    driven = {name for names in DRIVES.values() for name in names}
    ours = {alert.name for alert in rules.alerts().values() if alert.group == "api_performance"}
    # A further rule is a change of data: it need not be driven, but none of those that are may vanish.
    assert driven <= ours
    assert "APIRequestRateAnomalyLow" not in driven


@pytest.mark.parametrize("scenario", DRIVES)
def test_a_scenario_makes_its_alerts_cross_their_limits(scenario: str, own: Sandbox) -> None:
    own.control(scenario, already=600)
    try:
        for name in DRIVES[scenario]:
            until(partial(own.prometheus.query, in_full(rules.alerts()[name].expr)))
    finally:
        own.control("normal")


def test_silence_is_silent(own: Sandbox) -> None:
    query = "sum(phoenix_http_request_duration_milliseconds_count)"
    own.control("silence")
    try:
        scraped(own)
        before = own.prometheus.query(query)[0].value
        scraped(own)
        assert own.prometheus.query(query)[0].value == before
    finally:
        own.control("normal")
    until(lambda: own.prometheus.query(query)[0].value > before)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"scenario": "nonesuch"}, "there is no scenario 'nonesuch'; known are normal, errors"),
        ({"scenario": "errors", "intensity": 2}, "the intensity of errors is 2; give a number from 0 to 1"),
        ({"scenario": "errors", "already": -1}, "already is -1; give a number from 0 to 21600"),
        ({"what": 1}, "unknown: what; known are"),
        ([1], "give an object such as"),
    ],
)
def test_a_control_that_makes_no_sense_is_refused(own: Sandbox, wanted: object, words: str) -> None:
    state = own.state
    assert state is not None
    answer = httpx.post(f"{state.application_url}/control", json=wanted, trust_env=False)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_real_alert_fires_and_its_mail_arrives(own: Sandbox) -> None:
    """The deployed rule in a hurry: the same expression, labels and annotations, every second and without `for`."""
    alert = rules.alerts()["APIErrorRateCritical"]
    hurried = {
        "alert": alert.name,
        "expr": alert.expr,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
    }
    group = {"groups": [{"name": "hurried", "interval": "1s", "rules": [hurried]}]}
    own.control("errors", already=300)
    own.mounts.write(PROMETHEUS, "rules", {"hurried.yml": json.dumps(group)})
    own.prometheus.reload()
    state = own.state
    assert state is not None
    try:
        with Http(state.mail_url, name="the mail sink") as http:
            sink = MailSink(http)
            mails = until(lambda: [mail for mail in sink.messages() if alert.name in mail.subject], "no mail came")
    finally:
        (own.mounts.rules / "hurried.yml").unlink()
        own.prometheus.reload()
        own.control("normal")
    (mail,) = mails
    assert mail.recipients == ("admin@rsolv.dev", "alerts@rsolv.dev")
    assert mail.subject == f"🚨  API Performance Critical: {alert.name}"
    assert mail.mentions(alert.annotations["summary"])
    assert mail.mentions(alert.annotations["runbook_url"])


# ── the mail sink ─────────────────────────────────────────────────────────────────────────────────


@contextmanager
def relay(own: Sandbox, *, tls: bool = True) -> Iterator[smtplib.SMTP]:
    state = own.state
    assert state is not None
    host, _, port = state.smtp_smarthost.partition(":")
    with smtplib.SMTP(host, int(port), timeout=PATIENCE) as smtp:
        smtp.ehlo()
        if tls:
            smtp.starttls(context=ssl.create_default_context(cafile=state.smtp_ca_file))
            smtp.ehlo()
        yield smtp


@pytest.fixture
def sink_control(own: Sandbox) -> Iterator[Callable[..., None]]:
    state = own.state
    assert state is not None
    yield lambda **wanted: control(f"{state.mail_url}/control", **wanted)
    control(f"{state.mail_url}/control")


def password(own: Sandbox) -> str:
    return own.mounts.smtp_password.read_text()


def test_the_sink_wants_tls_then_a_login(own: Sandbox) -> None:
    with relay(own, tls=False) as smtp:
        assert not smtp.has_extn("auth")
        with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
            smtp.sendmail("a@b.c", "d@e.f", "x")
    with relay(own) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication"):
            smtp.sendmail("a@b.c", "d@e.f", "x")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("user", "wrong")
    with relay(own) as smtp:
        smtp.login("user", password(own))
        smtp.sendmail("a@b.c", "d@e.f", b"Subject: =?utf-8?q?=E2=9A=A0=EF=B8=8F_hm?=\r\n\r\nbody\r\n")
    state = own.state
    assert state is not None
    mail = httpx.get(f"{state.mail_url}/messages", trust_env=False).json()[-1]
    assert (mail["subject"], mail["text"].strip(), mail["to"], mail["user"]) == ("⚠️ hm", "body", ["d@e.f"], "user")


def test_the_sink_can_be_told_to_misbehave(own: Sandbox, sink_control: Callable[..., None]) -> None:
    sink_control(refuse_login=True)
    with relay(own) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login("user", password(own))
    sink_control(no_tls=True)
    with relay(own, tls=False) as smtp:
        assert not smtp.has_extn("starttls")
    sink_control(refuse_recipients=["d@e.f"])
    with relay(own) as smtp:
        smtp.login("user", password(own))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.sendmail("a@b.c", ["d@e.f"], "x")
    sink_control(hang_up=True)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)), relay(own):
        pass


# ── broken, and mended ────────────────────────────────────────────────────────────────────────────


def test_what_was_killed_is_named_and_started_again_where_it_was(own: Sandbox) -> None:
    before = own.state
    assert before is not None
    own.stop("prometheus", kill=True)
    done = ops("sandbox", "status", home=own.home)
    assert done.returncode == 1
    assert f"prometheus has ended; its log: {before.processes['prometheus']['log']}" in done.stdout
    done = ops("sandbox", "up", "--no-engine", "--no-verify", home=own.home)
    assert done.returncode == 0
    assert done.stderr == "the sandbox was up, but prometheus had ended; starting that again\n"
    assert own.state is not None
    assert own.state.prometheus_url == before.prometheus_url
    assert own.prometheus.ready()


def test_down_leaves_no_process_and_is_not_upset_by_a_second_one(own: Sandbox) -> None:
    every = pids(own)
    assert len(every) == 4
    assert all(map(running, every))
    done = ops("sandbox", "down", home=own.home)
    assert done.returncode == 0
    assert done.stdout == "Stopped alertmanager, application, mail-sink, prometheus.\n"
    assert not any(map(running, every))
    again = ops("sandbox", "down", home=own.home)
    assert (again.returncode, again.stdout) == (0, "No sandbox was running.\n")
    assert own.state is None
    gone = ops("sandbox", "status", home=own.home)
    assert (gone.returncode, gone.stderr) == (2, "the sandbox is not running; start it with make sandbox\n")


def stand_in(folder: Path, does: str) -> str:
    """A PATH with an Alertmanager that only does this."""
    program = folder / "bin" / "alertmanager"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo version 9.9.9; exit; }}\n{does}\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_up_that_is_cut_off_leaves_nothing_that_down_does_not_find(number: signal.Signals, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "ops", "sandbox", "up", "--no-engine", "--history", "0"]
    environment = {**os.environ, "SANDBOX_HOME": str(home), "PATH": stand_in(tmp_path, "exec sleep 3600")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as up:
        until(lambda: len(list((home / "run").glob("*.json"))) == 4)  # it waits for an Alertmanager that never is ready
        up.send_signal(signal.SIGSTOP)  # nor does it give up while it is looked at
        meanwhile = ops("sandbox", "up", "--no-engine", home=home)
        up.send_signal(number)
        up.send_signal(signal.SIGCONT)
        _, said = up.communicate(timeout=PATIENCE)
    assert meanwhile.returncode == 2
    assert (
        meanwhile.stderr == f"the sandbox in {home} is being started or stopped by another command; try again later\n"
    )
    assert "Traceback" not in said
    every = processes.recorded(home / "run")
    stopped = Sandbox(home).down()
    assert stopped == (sorted(every) if number == signal.SIGKILL else [])
    assert not any(child.alive for child in every.values())


def test_a_port_that_is_taken_is_one_sentence_and_nothing_runs(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = ops("sandbox", "up", "--no-engine", "--port", f"alertmanager={port}", home=tmp_path / "home")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"port {port}, wanted for alertmanager, is taken (Address already in use): stop the")
    assert Sandbox(tmp_path / "home").down() == []


def test_a_server_that_dies_at_its_start_names_its_log_and_nothing_is_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = stand_in(tmp_path, "echo 'level=error msg=no'; exit 1")
    done = ops("sandbox", "up", "--no-engine", "--history", "0", home=home, PATH=path)
    assert done.returncode == 2
    sentence = done.stderr.splitlines()[-1]
    log = home / "run" / "alertmanager.log"
    assert sentence == f"alertmanager ended right after its start: level=error msg=no (all of it in {log})"
    assert Sandbox(home).down() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--history", "soon"), "--history soon is no duration up to 21 d; give one such as 2h or 7d, or 0\n"),
        (("--port", "prometheus"), "--port prometheus is not NAME=NUMBER, such as prometheus=9090\n"),
        (("--port", "x=1"), "the sandbox has no port 'x'; it has application, mail, smtp, "),
    ],
)
def test_a_wrong_command_line_is_one_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = ops("sandbox", "up", "--no-engine", *arguments, home=tmp_path / "home")
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = ops("sandbox", "up", "--no-engine", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path} is not empty and is no sandbox's folder; set SANDBOX_HOME to another one\n"
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


# ── mounts, and nothing beyond loopback ───────────────────────────────────────────────────────────


def test_paths_of_the_pod_become_the_folders_that_stand_for_them(tmp_path: Path) -> None:
    mounts = Mounts(tmp_path)
    text = "rule_files: [/etc/prometheus/rules/*.yml, '/etc/prometheus/x']\n# see x/etc/prometheus/y\n"
    written = mounts.translate(PROMETHEUS, text)
    folder = tmp_path / "mnt" / "prometheus" / "etc" / "prometheus"
    assert written == f"rule_files: [{folder}/rules/*.yml, '{folder}/x']\n# see x/etc/prometheus/y\n"
    assert mounts.translate(PROMETHEUS, written) == written
    mounts.write(PROMETHEUS, "rules", {"a.yml": "groups: []\n", "b.yml": "groups: []\n"})
    mounts.write(PROMETHEUS, "rules", {"b.yml": "groups:  []\n"}, only=True)
    assert {file.name: file.read_text() for file in mounts.rules.iterdir()} == {"b.yml": "groups:  []\n"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("global: {smtp_smarthost: 'smtp.postmarkapp.com:587'}", "smtp.postmarkapp.com:587 (global.smtp_smarthost)"),
        ("global: {slack_api_url: 'https://hooks.slack.com/x'}", "https://hooks.slack.com/x (global.slack_api_url)"),
        ("receivers: [{name: a, pagerduty_configs: [{routing_key: k}]}]", "pagerduty_configs (receiver a, pagerduty"),
        ("receivers: [{name: a, webhook_configs: [{url: 'http://10.0.0.1/'}]}]", "http://10.0.0.1/ (receivers.webhook"),
        ("scrape_configs: [{static_configs: [{targets: ['rsolv.dev:443']}]}]", "rsolv.dev:443 (scrape_configs.static"),
        ("scrape_configs: [{job_name: j, dns_sd_configs: [{names: [x]}]}]", "dns_sd_configs (job j, dns_sd_configs)"),
        ("remote_write: [{url: 'https://mimir.example/push'}]", "https://mimir.example/push (remote_write.url)"),
    ],
)
def test_an_address_beyond_loopback_is_refused_before_anything_is_written(
    text: str, where: str, tmp_path: Path
) -> None:
    with pytest.raises(SandboxError, match=r"nothing in the sandbox connects beyond loopback") as error:
        Mounts(tmp_path).write(ALERTMANAGER, "", {"alertmanager.yml": text})
    assert where in str(error.value)
    assert not Mounts(tmp_path).alertmanager_config.exists()


@pytest.mark.parametrize(
    "text",
    [
        "global: {smtp_smarthost: 'localhost:2525'}",
        "receivers: [{name: a, slack_configs: [{api_url: 'http://127.0.0.1:1/'}]}]",
        "scrape_configs: [{static_configs: [{targets: ['127.0.0.1:1', '[::1]:2']}]}]",
        "groups: [{name: g, rules: [{alert: A, annotations: {url: 'https://docs.rsolv.dev'}}]}]",
        "external_labels: {host: rsolv.dev}",
        "not: [yaml",
    ],
)
def test_what_stays_on_loopback_passes(text: str) -> None:
    loopback.refuse_beyond_loopback(ALERTMANAGER, "alertmanager.yml", text)
