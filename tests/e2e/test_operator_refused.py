"""By the real Prometheus Operator: what it would not take up is refused, in preview and before anything is written."""

import pytest

import rules
from tests.e2e import operated
from tests.e2e.operated import (
    ALERTMANAGER,
    FILES,
    OURS,
    PROMETHEUS,
    Operated,
    configure,
    manifest,
    reached,
)
from tests.support.our_routes import receiver_of
from tests.support.waiting import until

OBJECTS = [f"api-monitoring-{file.name.removesuffix('.yml')}" for file in rules.load()]


def refused(operator: Operated) -> str:
    """With what words a preview and an `up` alike are refused, neither of which writes."""
    rig = operator.rig
    words = [rig.refused(act) for act in (rig.preview, rig.up)]
    assert rig.objects() == rig.before and not operator.names("prometheusrules") & {*OBJECTS}
    return words[0]


def test_an_object_of_somebody_elses_under_our_name(operator: Operated) -> None:
    spec = {"route": {"receiver": "x"}, "receivers": [{"name": "x"}]}
    operator.make("alertmanagerconfigs", manifest(spec))
    try:
        words = refused(operator)
        assert operator.get("alertmanagerconfigs", "api-monitoring")["spec"] == spec
    finally:
        operator.delete("alertmanagerconfigs", "api-monitoring")
    assert "alertmanagerconfigs/api-monitoring is in namespace monitoring already and is not ours" in words


def test_a_strategy_that_would_swallow_our_alerts(operator: Operated) -> None:
    rig = operator.rig
    strategy = {"spec": {"alertmanagerConfigMatcherStrategy": {"type": "OnNamespace"}}}
    operator.patch("alertmanagers", ALERTMANAGER, strategy)
    try:
        words = refused(operator)
        assert 'Alertmanager object main has the operator add a matcher to our routes: namespace="monitoring"' in words
        assert "alertmanagerConfigMatcherStrategy to type OnNamespaceExceptForAlertmanagerNamespace, or None" in words

        # Where Prometheus itself gives each alert that label, all is well.
        operator.patch("prometheuses", PROMETHEUS, {"spec": {"externalLabels": {"namespace": "monitoring"}}})
        until(lambda: "namespace: monitoring" in rig.sandbox.prometheus.config())
        rig.up()
        assert 'namespace="monitoring"' in str(operator.generated())
        watchdog = ('alertname="APIPerformanceWatchdog"', 'namespace="monitoring"')
        until(lambda: reached(rig, *watchdog) == {f"{OURS}{receiver_of('APIPerformanceWatchdog')}"})
        assert rig.preview() == {}
        rig.destroy()
    finally:
        operator.patch("alertmanagers", ALERTMANAGER, {"spec": operated.ALERTING})
        operator.patch("prometheuses", PROMETHEUS, {"spec": {"externalLabels": None}})


def test_a_strategy_for_other_namespaces_is_none_for_ours(operator: Operated) -> None:
    strategy = {"type": "OnNamespaceExceptForAlertmanagerNamespace"}
    operator.patch("alertmanagers", ALERTMANAGER, {"spec": {"alertmanagerConfigMatcherStrategy": strategy}})
    try:
        operator.rig.up()
        assert operator.rig.preview() == {}
        operator.rig.destroy()
    finally:
        operator.patch("alertmanagers", ALERTMANAGER, {"spec": operated.ALERTING})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"operatorLabels": "release=other"}, "no Prometheus object in namespace monitoring selects a PrometheusRule"),
        (
            {"operatorLabels": "release=other", "rulesMode": "shared"},
            "no Alertmanager object in namespace monitoring selects an AlertmanagerConfig",
        ),
        (
            {"smtpPassword": "", "smtpPasswordFile": "/etc/alertmanager/secrets/postmark/token"},
            "Secret monitoring/postmark, which our AlertmanagerConfig needs, is not there",
        ),
        (
            {"smtpPassword": "", "smtpPasswordFile": "/etc/alertmanager/smtp/password"},
            "set smtpPassword (--secret), or smtpPasswordFile to /etc/alertmanager/secrets/SECRET/KEY",
        ),
    ],
)
def test_what_the_operator_would_not_take_up(operator: Operated, settings: dict[str, object], says: str) -> None:
    configure(operator.rig, **settings)
    assert says in refused(operator)


def test_an_object_that_the_operator_rejects_is_named_in_its_words(operator: Operated) -> None:
    rig = operator.rig
    operator.secret("on-call", {"webhook": "no address"})
    try:
        configure(rig, webhookUrlFile=FILES[2], liveTimeout=5)

        def rejected() -> bool:
            words = rig.refused(rig.up)  # where the operator has not looked at it yet, without its own words
            return (
                "AlertmanagerConfig monitoring/api-monitoring is not in what it runs; the operator said at" in words
                and "AlertmanagerConfig api-monitoring was rejected due to invalid configuration" in words
            )

        until(rejected, "the operator's own words are not told")
        operator.secret("on-call", {"webhook": "http://127.0.0.1:9/w"})
        configure(rig, webhookUrlFile=FILES[2])
        rig.up()
        rig.destroy()
    finally:
        rig.delete("secrets", "on-call")
