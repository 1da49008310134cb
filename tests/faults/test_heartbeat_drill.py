"""Prometheus, Alertmanager and the mail relay are really killed: who notices, on real servers; and the page with it."""

from dataclasses import replace
from pathlib import Path

from ops.faults import heartbeat_drill, heartbeat_page
from ops.faults.heartbeat_drill import KILLED, Noticed
from ops.faults.heartbeat_stack import RELAY
from ops.sandbox.servers.dead_mans_switch import Switch
from tests.support.checkout import ROOT

FOUND = [
    Noticed("prometheus", 500.0, 200.0, 560.0, None),
    Noticed("alertmanager", None, 0.0, 360.0, None),
    Noticed(RELAY, None, None, None, 15.0),
]


def test_who_notices_that_a_part_is_dead(tmp_path: Path) -> None:
    """How soon is asked in one direction only: a loaded machine makes all of it later."""
    found = heartbeat_drill.run(tmp_path, heartbeat_drill.SPEED, lambda _: None)
    assert heartbeat_drill.problems(found) == []
    assert [one.killed for one in found] == list(KILLED)
    of = {one.killed: one for one in found}
    assert of["prometheus"].last_beat and of["prometheus"].last_beat > 60, "Alertmanager holds the watchdog for minutes"
    assert of["prometheus"].call and of["prometheus"].call > of["prometheus"].last_beat + 300
    assert of["alertmanager"].call and of["alertmanager"].call > 290
    assert of["alertmanager"].call < of["prometheus"].call


def test_what_is_not_as_it_should_be_is_named() -> None:
    assert heartbeat_drill.problems(FOUND) == []
    prometheus, alertmanager, relay = FOUND
    wrong = [replace(prometheus, mail=None), replace(alertmanager, call=None), replace(relay, call=5.0, refused=None)]
    assert heartbeat_drill.problems(wrong) == [
        "Prometheus was killed, and no mail said so",
        "Alertmanager was killed, and the switch did not call",
        "the mail relay was killed, and the switch called",
        "the mail relay was killed, and Alertmanager counts no mail that it could not send",
    ]


def test_the_page_says_who_notices_and_that_of_a_dead_relay_nobody_is_told() -> None:
    rows = [line for line in heartbeat_page.page(FOUND, "Measured").splitlines() if line.startswith("| ")][1:]
    assert rows[0] == (
        "| Prometheus | after 8 min 20 s | after 3 min 20 s | after 9 min 20 s | whoever the switch calls, after 9 min "
        "20 s; whoever gets the mails, after 8 min 20 s |"
    )
    assert rows[1].startswith(
        "| Alertmanager | none | after 0 s | after 6 min | whoever the switch calls, after 6 min |"
    )
    assert rows[2].startswith("| the mail relay | none can be sent | they go on | never | **nobody is told**; ")
    wrong = heartbeat_page.page([replace(FOUND[1], call=None)], "Measured")
    assert "| **not as it should be: Alertmanager was killed, and the switch did not call** | | | | |" in wrong


def test_the_page_in_docs_is_what_the_drill_writes() -> None:
    written = (ROOT / "docs" / "heartbeat.md").read_text("utf-8")
    fresh = heartbeat_page.page(FOUND, "Measured")
    unlike = [line for line in fresh.splitlines() if not line.startswith("| ") and line not in written.splitlines()]
    assert unlike == ["Measured."], "run make heartbeat"
    assert "not as it should be" not in written


def test_the_switch_calls_when_no_beat_comes_and_not_before_the_first() -> None:
    clock = [1000.0]
    switch = Switch(60.0, 300.0, lambda: clock[0])

    def missing(at: float) -> bool:
        clock[0] = at
        return b'"missing_since": null' not in switch.state()[2]

    assert not missing(5000.0)
    switch.beat()
    assert not missing(5360.0)
    assert missing(5361.0)
    switch.beat()
    assert not missing(5362.0)
    assert b'"calls": [\n    [\n      5360.0,\n      5361.0\n    ]\n  ]' in switch.state()[2]
    switch.forget()
    assert not missing(9000.0)
