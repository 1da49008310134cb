"""The sandbox's application told to go wrong: the alerts' signals cross their limits, and a mail arrives."""

import json
from functools import partial

import httpx
import pytest

import rules
from ops.clients.http import Http
from ops.clients.mailbox import MailSink
from ops.sandbox.lifecycle import Sandbox
from ops.sandbox.mounts import PROMETHEUS
from ops.sandbox.servers import traffic
from tests.sandbox.own_sandbox import in_full
from tests.support.waiting import until

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
    "renamed": ("APIMetricsAbsent",),
    "down": ("APIMetricsAbsent",),
}


def scraped(box: Sandbox) -> None:
    """Wait until Prometheus has scraped the application from beginning to end, after this moment."""
    seen = set[float]()

    def twice() -> bool:
        """The first one may have begun before."""
        seen.add(box.prometheus.query('timestamp(up{job="rsolv-platform"})')[0].value)
        return len(seen) > 2

    until(twice, "the application is not scraped")


# No alert asks whether webhooks arrive, and a clock that is two minutes ahead is no incident.
DRIVE_NONE = {"silence", "webhook_silence", "clock_ahead"}


def test_every_other_scenario_drives_an_alert_and_every_alert_but_one_is_driven() -> None:
    assert {*DRIVES} == {*traffic.SCENARIOS} - DRIVE_NONE
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
    own.control("errors", already=6000)  # the tests before have added requests of their own to the last minutes
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
