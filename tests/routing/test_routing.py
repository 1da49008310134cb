"""Our routing: every alert reaches its receiver by the mail that it should, in our configuration and in others'."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import routing
from formats.json_types import JsonObject
from routing import Smtp, tree
from tests.routing.our_routing import LABELS, SHADOW_RECEIVER, amtool
from tests.support.our_routes import DRILL, FALLBACK, ROUTING

# ── routes ──


def test_amtool_accepts_the_file() -> None:
    assert "SUCCESS" in amtool("check-config", ROUTING.path)


@pytest.mark.parametrize("labels", [*LABELS.values(), DRILL], ids=lambda labels: labels["alertname"])
def test_every_alert_reaches_its_receiver(labels: dict[str, str]) -> None:
    [match] = tree.matches(ROUTING.config, labels)
    whose = f'component="{labels["component"]}", severity="{labels["severity"]}"'
    assert match.position, f"write a route for [{whose}] and its receiver in routing/alertmanager.yml"
    given = [f"{name}={value}" for name, value in labels.items()]
    verify = ("--config.file", ROUTING.path, "--verify.receivers", match.receiver)
    assert amtool("config", "routes", "test", *verify, *given).strip() == match.receiver
    assert "alertname" in match.group_by  # so that a mail is about one alert, and can name it


def test_critical_alerts_are_told_sooner_and_more_often_and_to_receivers_of_their_own() -> None:
    """Never by the receiver of a warning: what a mail says of its severity stands in its receiver."""
    ways: dict[str, list[tree.Match]] = {"critical": [], "warning": []}
    for labels in LABELS.values():
        ways.get(labels["severity"], []).extend(tree.matches(ROUTING.config, labels))
    critical, warning = ways["critical"], ways["warning"]
    assert max(way.group_wait for way in critical) < min(way.group_wait for way in warning)
    assert max(way.repeat_interval for way in critical) < min(way.repeat_interval for way in warning)
    assert {way.receiver for way in critical} & {way.receiver for way in warning} == set()


def test_the_drill_takes_the_way_of_a_warning_only_sooner() -> None:
    [drill] = tree.matches(ROUTING.config, DRILL)
    [warning] = tree.matches(ROUTING.config, {**DRILL, "alertname": "X"})
    assert (drill.receiver, drill.group_by) == (warning.receiver, warning.group_by)
    assert drill.group_wait <= 5 < warning.group_wait


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "NodeDown", "severity": "critical"},
        {"alertname": "X", "severity": "warning", "component": "kubernetes"},
        {"alertname": "X", "severity": "Warning", "component": "api"},
        {"alertname": "X", "severity": "warning", "component": "api-gateway"},
        {},
    ],
    ids=str,
)
def test_alerts_of_others_are_not_taken(labels: dict[str, str]) -> None:
    [match] = tree.matches(ROUTING.config, labels)
    assert (match.receiver, match.position) == (FALLBACK, ())


def test_every_receiver_is_used_and_every_route_taken() -> None:
    shadow = {"component": "api", "stage": "shadow"}
    taken = {tree.matches(ROUTING.config, labels)[0].position for labels in [*LABELS.values(), DRILL, shadow]}
    routes = {route.match.position for route in tree.tree(ROUTING.config).walk()}
    idle = [route.match.receiver for route in tree.tree(ROUTING.config).walk() if route.match.position not in taken]
    assert idle == [FALLBACK], "delete the routes to all but the first of these, or add an alert that takes them"
    assert routes - taken == {()}
    used = {route.match.receiver for route in tree.tree(ROUTING.config).walk()}
    unused = [found["name"] for found in ROUTING.config["receivers"] if found["name"] not in used]
    assert unused == [], "delete these receivers, or write a route to each"


# ── inhibition ──


def test_critical_mutes_its_own_warning_and_nothing_else() -> None:
    for target in LABELS.values():
        muting = tree.inhibitors(ROUTING.config, target, LABELS.values())
        expected = [
            source["alertname"]
            for source in LABELS.values()
            if (source["severity"], target["severity"]) == ("critical", "warning")
            and (source["component"], source["signal"]) == (target["component"], target["signal"])
        ]
        assert [found.source["alertname"] for found in muting] == expected, target["alertname"]


def test_every_inhibition_has_both_ends_among_the_alerts() -> None:
    for rule in tree.inhibitions(ROUTING.config):
        assert any(rule.mutes(target, source) for target in LABELS.values() for source in LABELS.values()), rule


def test_alerts_of_others_mute_none_of_ours_and_no_drill() -> None:
    others = [
        {"alertname": "NodeDown", "severity": "critical"},
        {"alertname": "X", "severity": "critical", "component": "api"},
        {"alertname": "X", "severity": "critical", "component": "kubernetes", "signal": "latency"},
    ]
    for target in [*LABELS.values(), DRILL]:
        assert not tree.inhibitors(ROUTING.config, target, others)
    assert not tree.inhibitors(ROUTING.config, DRILL, LABELS.values())
    assert not any(tree.inhibitors(ROUTING.config, other, LABELS.values()) for other in others)


# ── elsewhere ──


def test_the_password_is_in_a_file() -> None:
    assert ROUTING.smtp == Smtp(
        smarthost="smtp.postmarkapp.com:587",
        from_="monitoring@rsolv.dev",
        username="api-performance-alerts",
        password_file="/etc/alertmanager/smtp/password",
        require_tls=True,
    )
    assert not re.search(r"password:|secret:|token:", ROUTING.text)


SANDBOX = Smtp("127.0.0.1:2525", "A <a@b.test>", "", "", False)


@pytest.mark.parametrize("smtp", [None, SANDBOX], ids=["as the file says", "another relay"])
def test_our_parts_work_in_a_configuration_of_others(tmp_path: Path, smtp: Smtp | None) -> None:
    parts = ROUTING.parts(smtp)
    theirs: JsonObject = {
        "route": {"receiver": "theirs", "group_by": ["namespace"], "group_wait": "9m", "routes": list(parts.routes)},
        "receivers": [{"name": "theirs"}, *parts.receivers],
        "inhibit_rules": list(parts.inhibit_rules),
        "time_intervals": list(parts.time_intervals),
    }
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(theirs, allow_unicode=True), "utf-8")
    assert "SUCCESS" in amtool("check-config", file)  # no global, and nothing is missing
    for labels in [*LABELS.values(), DRILL]:
        [here], [there] = tree.matches(ROUTING.config, labels), tree.matches(theirs, labels)
        assert (here.receiver, here.group_by, here.group_wait) == (there.receiver, there.group_by, there.group_wait)
        assert (here.group_interval, here.repeat_interval) == (there.group_interval, there.repeat_interval)
    assert FALLBACK not in {found["name"] for found in parts.receivers}
    for found in parts.receivers:
        if found["name"] == SHADOW_RECEIVER:
            assert found == {"name": SHADOW_RECEIVER}
            continue
        [mail] = found["email_configs"]
        used = smtp or ROUTING.smtp
        assert (mail["smarthost"], mail["from"], mail["require_tls"]) == (used.smarthost, used.from_, used.require_tls)
        assert mail.get("auth_password_file", "") == used.password_file
        assert mail.get("auth_username", "") == used.username


def test_parts_share_nothing_with_the_file() -> None:
    parts = ROUTING.parts()
    parts.receivers[0]["email_configs"][0]["headers"]["Subject"] = "x"
    assert routing.load().config == ROUTING.config
    assert ROUTING.parts().receivers[0]["email_configs"][0]["headers"]["Subject"] != "x"


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(deadline=None, max_examples=40)
@given(st.builds(Smtp, words, words, words, words, st.booleans()))
def test_another_relay_changes_only_its_lines(smtp: Smtp) -> None:
    text = ROUTING.with_smtp(smtp)
    settings = tree.parse(text)["global"]
    assert settings == {
        "smtp_smarthost": smtp.smarthost,
        "smtp_require_tls": smtp.require_tls,
        "smtp_from": smtp.from_,
        "smtp_auth_username": smtp.username,
        "smtp_auth_password_file": smtp.password_file,
    }
    before, after = ROUTING.text.split("\n"), text.split("\n")
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert all(line.startswith("  smtp_") for line in changed)


def test_the_same_relay_changes_no_byte() -> None:
    assert ROUTING.with_smtp(ROUTING.smtp) == ROUTING.text


def test_amtool_accepts_another_relay(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(ROUTING.with_smtp(SANDBOX), "utf-8")
    assert "SUCCESS" in amtool("check-config", tmp_path / "alertmanager.yml")
