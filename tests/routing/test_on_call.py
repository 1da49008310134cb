"""What a stack switches on for those on call: the text, in every combination."""

import itertools
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import routing
from components.live.text.routing_merge import Routing as Merge
from components.settings import OnCall, WorkingHours, read
from ops import build_tools
from routing import Routing, RoutingError, Smtp, tree
from routing.on_call import INTERVAL, with_on_call
from tests.routing.our_routing import LABELS, SHADOW_RECEIVER
from tests.support.checkout import ROOT
from tests.support.our_routes import DRILL, ROUTING, receiver_of
from tests.support.waiting import PATIENCE

HOURS = WorkingHours(("monday", "friday"), (("08:00", "12:00"), ("13:00", "24:00")), "Europe/Berlin")
NOTHING = OnCall(None, None, None, None, None)
ALL = OnCall("/etc/am/slack", "#alerts", "/etc/am/it's: {a} key", "/etc/am/webhook", HOURS)
HANDMADE_FILE = ROOT / "ops" / "sandbox" / "handmade" / "alertmanager.yml"
HANDMADE = HANDMADE_FILE.read_text("utf-8").replace("@smtp@", "smtp.test:25")
PAGER, WARNED = receiver_of("APIP95LatencyCritical"), receiver_of("APIP95LatencyHigh")
PAGED = {receiver_of(name) for name, labels in LABELS.items() if labels["severity"] == "critical"}
COMBINATIONS = [
    OnCall(*(value if on else None for value, on in zip(list(vars(ALL).values())[:5], switched, strict=True)))
    for switched in itertools.product((False, True), repeat=5)
    if switched[0] or not switched[1]
]


def accepted(folder: Path, *texts: str) -> None:
    files = [folder / f"{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    command = [str(build_tools.path("amtool")), "check-config", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_switched_on_is_the_file_byte_for_byte() -> None:
    assert with_on_call(ROUTING, NOTHING) is ROUTING
    assert with_on_call(ROUTING, read({}, where="x").on_call) is ROUTING


@pytest.mark.parametrize(
    "on_call", COMBINATIONS, ids=lambda one: "-".join(k for k, v in vars(one).items() if v) or "none"
)
def test_every_combination_is_a_configuration_with_the_same_ways(tmp_path: Path, on_call: OnCall) -> None:
    found = with_on_call(ROUTING, on_call)
    whole = found.with_smtp(Smtp("127.0.0.1:25", "a@b.test", "", "", False))
    accepted(tmp_path, whole, Merge().insert(HANDMADE, found.parts().as_json()))
    lines = iter(found.text.splitlines())
    assert all(line in lines for line in ROUTING.text.splitlines())  # in their order: none is changed or gone
    for labels in [*LABELS.values(), DRILL]:
        [before], [after] = tree.matches(ROUTING.config, labels), tree.matches(found.config, labels)
        waits = on_call.working_hours and labels["severity"] == "warning" and labels is not DRILL
        assert after == replace(before, active_time_intervals=(INTERVAL,) if waits else ())
    kinds = {
        *("email_configs", *(["slack_configs"] if on_call.slack_file else [])),
        *(["pagerduty_configs"] if on_call.pagerduty_file else []),
        *(["webhook_configs"] if on_call.webhook_file else []),
    }
    for parts in (found.config["receivers"], found.parts().receivers):
        for receiver in parts:
            wanted = kinds if receiver["name"] in PAGED else {"email_configs"}
            wanted = set() if receiver["name"] == SHADOW_RECEIVER else wanted  # it tells nobody
            assert {*receiver} - {"name"} == wanted, receiver["name"]
    assert len(found.parts().time_intervals) == bool(on_call.working_hours)


def test_the_files_and_hours_stand_there_as_given() -> None:
    parts = with_on_call(ROUTING, ALL).parts()
    critical = next(
        receiver for receiver in parts.receivers if receiver["name"] == receiver_of("DatabaseQueryLatencyCritical")
    )
    assert critical["slack_configs"][0]["api_url_file"] == ALL.slack_file
    assert critical["slack_configs"][0]["channel"] == "#alerts"
    assert critical["slack_configs"][0]["title"] == critical["email_configs"][0]["headers"]["Subject"]
    assert critical["pagerduty_configs"][0]["routing_key_file"] == ALL.pagerduty_file
    assert critical["webhook_configs"] == [{"url_file": ALL.webhook_file, "send_resolved": True}]
    assert parts.time_intervals[0]["time_intervals"] == [
        {
            "weekdays": ["monday", "friday"],
            "times": [
                {"start_time": "08:00", "end_time": "12:00"},
                {"start_time": "13:00", "end_time": "24:00"},
            ],
            "location": "Europe/Berlin",
        }
    ]


def changed(old: str, new: str) -> Routing:
    assert old in ROUTING.text
    return routing.read(ROUTING.text.replace(old, new), ROUTING.path)


def test_hours_join_the_intervals_that_there_are(tmp_path: Path) -> None:
    nights = "time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]"
    there = f"time_intervals:\n  # Theirs.\n  - name: nights\n    {nights}\n"
    found = with_on_call(changed("inhibit_rules:\n", there + "\ninhibit_rules:\n"), ALL)
    assert [interval["name"] for interval in found.config["time_intervals"]] == [INTERVAL, "nights"]
    accepted(tmp_path, found.text)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            f"  - name: {PAGER}\n",
            f"  - name: {PAGER}\n    webhook_configs: [{{url: http://x}}]\n",
            rf"routing/alertmanager\.yml:\d+: {PAGER} has webhook_configs already; .*",
        ),
        (
            f"    - receiver: {WARNED}\n      matchers",
            f"    - receiver: {WARNED}\n      active_time_intervals: []\n      matchers",
            r"routing/alertmanager\.yml:\d+: this route has active_time_intervals already; .*",
        ),
        (
            'severity="critical"',
            'severity=~"critical"',
            r'.*: no route is for severity="critical", .*',
        ),
        ("inhibit_rules:\n", "time_intervals: []\ninhibit_rules:\n", r".*: working hours cannot join these .*"),
    ],
    ids=["a sender that is there", "hours that are there", "nobody critical", "intervals in brackets"],
)
def test_what_cannot_be_added_is_refused(old: str, new: str, sentence: str) -> None:
    with pytest.raises(RoutingError, match=f"^{sentence}$"):
        with_on_call(changed(old, new), ALL)
