"""Configurations of others in which something is of another kind than Alertmanager reads: a sentence, no traceback."""

import subprocess
from pathlib import Path

import pytest

import routing
import rules
from components.live.text.edit_errors import EditRefused
from components.live.text.routing_merge import Routing
from ops import build_tools
from ops.replay import hours
from routing import RoutingError, tree

AMTOOL = pytest.mark.skipif(not build_tools.find("amtool"), reason="`make tools` brings amtool")
OURS = routing.load().parts().as_json()
ALERTS = [alert.label_set for alert in rules.alerts().values()]
END = "receivers:\n- name: a\n"
PLAIN = "route:\n  receiver: a\n" + END


def routes(text: str) -> str:
    return f"route:\n  receiver: a\n  routes: {text}\n{END}"


def times(text: str) -> str:
    return f"{PLAIN}time_intervals: [{{name: x, time_intervals: {text}}}]\n"


VALID = {
    "an inhibition that is only a dash": PLAIN + "inhibit_rules:\n-\n",
    "a receiver that is only a dash": PLAIN + "-\n",
    "a time interval that is only a dash": PLAIN + "time_intervals:\n-\n",
    "times that are only a dash": times("[null]"),
    "an empty list of routes": routes("[]"),
    "a matcher without a value": routes("[{match: {severity: }, receiver: a}]"),
    "the time zone of the machine": times("[{location: Local, weekdays: [monday]}]"),
    "no time zone": times("[{location: '', weekdays: ['saturday:monday']}]"),
    "a name that is a number": "route:\n  receiver: 5\nreceivers: [{name: 5}]\n",
}
INVALID = {
    "`match` of a route must be a mapping": routes("[{match: severity=critical, receiver: a}]"),
    "`match_re` of a route must be a mapping": routes("[{match_re: [a], receiver: a}]"),
    "`matchers` of a route must be a list": routes("[{matchers: severity=critical, receiver: a}]"),
    "`routes` of a route must be a list": routes("{receiver: a}"),
    "an item of `routes` of a route must be a mapping": routes("\n  -"),
    "an item of `routes` of a route must be a mapping (`key: value` lines), not a text": routes("[a]"),
    "`group_by` of a route must be a list": "route:\n  receiver: a\n  group_by: x\n" + END,
    "`route` must be a mapping": "route: a\n" + END,
    "`receivers` must be a list": "route:\n  receiver: a\nreceivers: {name: a}\n",
    "an item of `receivers` must be a mapping": "route:\n  receiver: a\nreceivers: [a]\n",
    "an item of `inhibit_rules` must be a mapping": PLAIN + "inhibit_rules: [a]\n",
    "`inhibit_rules` must be a list": PLAIN + "inhibit_rules: {a: b}\n",
    "`equal` of an inhibition must be a list": PLAIN + "inhibit_rules: [{source_match: {a: b}, equal: x}]\n",
    "an item of `time_intervals` must be a mapping": PLAIN + "time_intervals: [a]\n",
    "an item of `time_intervals` of a time interval must be a mapping": times("[a]"),
    "`weekdays` of times must be a list": times("[{weekdays: monday}]"),
    "`global` must be a mapping": "global: a\n" + PLAIN,
}


@pytest.mark.parametrize("what", VALID)
def test_what_alertmanager_takes_is_read_and_edited(what: str) -> None:
    config = tree.parse(VALID[what])
    assert tree.tree(config) and tree.receivers(config)
    tree.inhibitions(config)
    tree.intervals(config)
    hours.inside(config, ["x"], 0.0)
    editor = Routing()
    edited = editor.insert(VALID[what], OURS)
    assert editor.remove(edited) == VALID[what]
    assert not [line for line in editor.warnings(VALID[what], OURS, ALERTS) if "could not check" in line]


@pytest.mark.parametrize("words", INVALID)
def test_what_it_does_not_take_is_one_sentence(words: str) -> None:
    with pytest.raises(RoutingError) as refused:
        tree.parse(INVALID[words])
    assert str(refused.value).startswith(words)
    with pytest.raises(EditRefused) as edited:
        Routing().insert(INVALID[words], OURS)
    assert "\n" not in str(edited.value).partition("\nreceivers:")[0]
    (line,) = Routing().warnings(INVALID[words], OURS, ALERTS)
    assert words in line


@AMTOOL
@pytest.mark.parametrize("what", [*VALID, *INVALID])
def test_amtool_says_the_same(what: str, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text((VALID | INVALID)[what], "utf-8")
    command = [str(build_tools.path("amtool")), "check-config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (what in VALID), done.stderr


def test_a_time_zone_that_is_unknown_here_is_said() -> None:
    config = tree.parse(times("[{location: Europe/Nowhere, weekdays: [monday]}]"))
    with pytest.raises(RoutingError, match="'Europe/Nowhere' is not a time zone that this machine knows"):
        hours.inside(config, ["x"], 0.0)
