"""Inhibitions of others that can mute our alerts are named in a preview, whatever their matchers look like."""

import pytest

import routing
from components.live.text.routing_merge import Routing

OURS = routing.load().parts().as_json()
ALERTS = [{"alertname": "APISlow", "severity": "warning", "component": "api", "signal": "latency"}]
TARGET = "target_matchers: [severity=warning]"

MUTE = {
    "no source": TARGET,
    "a source by what it is not": f"source_matchers: ['severity!=warning'], {TARGET}",
    "a source by what it does not match": f"source_matchers: ['severity!~warning|info'], {TARGET}",
    "a source by the beginning of a name": f"source_matchers: ['alertname=~Maintenance.*'], {TARGET}",
    "a source by the end of a name": f"source_matchers: ['alertname=~\".+Down\"'], {TARGET}",
    "a source by one of several": f"source_matchers: ['alertname=~\"(NodeDown|Maintenance.+)\"'], {TARGET}",
    "a source by a class of characters": f"source_matchers: ['alertname=~\"Zone[0-9]+Away\"'], {TARGET}",
    "a source without regard to case": f"source_match_re: {{alertname: '(?i)maintenance'}}, {TARGET}",
    "a source by a label that is not there": f"source_matchers: ['namespace=\"\"'], {TARGET}",
    "a source by two conditions on one label": (
        f"source_matchers: ['alertname=~\"Node.*\"', 'alertname!=NodeX'], {TARGET}"
    ),
    "a source too intricate for an example": f"source_matchers: ['alertname=~\"a(b{{2,3}}|c\\\\pL)d\"'], {TARGET}",
    "the same component": f"source_matchers: ['severity=critical'], {TARGET}, equal: [component]",
    "the same label that neither has": f"source_matchers: ['severity=critical'], {TARGET}, equal: [namespace]",
}
DO_NOT = {
    "no source and no target, so each alert is both": "equal: []",
    "the same name": f"source_matchers: ['severity=critical'], {TARGET}, equal: [alertname]",
    "another target": "source_matchers: ['severity=critical'], target_matchers: [severity=info]",
    "a source that nothing is": f"source_matchers: ['severity=critical', 'severity=info'], {TARGET}",
    "a source that contradicts what is equal": f"source_matchers: ['component=web'], {TARGET}, equal: [component]",
    "a source that contradicts itself": f"source_matchers: ['alertname=~\"a.*\"', 'alertname=b'], {TARGET}",
}


def warned(rule: str) -> list[str]:
    text = f"route: {{receiver: a}}\nreceivers: [{{name: a}}]\ninhibit_rules: [{{{rule}}}]\n"
    return [line for line in Routing().warnings(text, OURS, ALERTS) if "inhibition 1 mutes APISlow" in line]


@pytest.mark.parametrize("rule", MUTE)
def test_one_that_can(rule: str) -> None:
    assert len(warned(MUTE[rule])) == 1


@pytest.mark.parametrize("rule", DO_NOT)
def test_one_that_cannot(rule: str) -> None:
    assert warned(DO_NOT[rule]) == []


def test_an_item_that_is_only_a_dash_mutes_nothing() -> None:
    text = "route: {receiver: a}\nreceivers: [{name: a}]\ninhibit_rules:\n-\n"
    assert not [line for line in Routing().warnings(text, OURS, ALERTS) if "mutes" in line]
