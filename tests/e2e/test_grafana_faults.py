"""Each fault of Grafana: one sentence, nothing half written, and the next `up` converges."""

import re

import pytest

from tests.e2e.grafana_rig import UID, Alone, deployed
from tests.e2e.rig import Rig
from tests.support.grafana_stand_in import Grafana


def test_a_fault_of_grafana_leaves_no_alert_undeployed_after_the_next_update(together: Rig, grafana: Grafana) -> None:
    before = grafana.shown()
    grafana.fail("POST /api", 500, "database is locked")
    assert "Grafana" in together.refused(together.up)
    grafana.faults.clear()
    together.converges()
    assert grafana.shown() == before


@pytest.mark.parametrize(
    ("call", "status", "words", "says"),
    [
        ("POST /api/folders", 401, "Invalid API key", "check the credentials"),
        ("POST /api/folders", 403, "You'll need additional permissions", "check the credentials"),
        ("POST /api/folders", 500, "Folder API error", "Folder API error; read its log"),
        ("POST /api/folders", 503, "Grafana is starting", "Grafana is starting; read its log"),
        ("POST /api/dashboards/db", 401, "Invalid API key", "check the credentials"),
        ("POST /api/dashboards/db", 412, "The dashboard has been changed by someone else", "changed by someone else"),
        ("POST /api/dashboards/db", 500, "Failed to save dashboard", "Failed to save dashboard"),
        ("POST /api/dashboards/db", 503, "Grafana is starting", "read its log"),
    ],
)
def test_a_fault_of_grafana_is_one_sentence_and_the_next_update_converges(
    alone: Alone, grafana: Grafana, call: str, status: int, words: str, says: str
) -> None:
    before = grafana.shown()
    grafana.fail(call, status, words)
    sentence = alone.refused(alone.up)
    assert 1 <= grafana.calls.count(call) <= 4, "the provider tries three times more, and no more than that"
    assert len(re.findall(r"Grafana (at \S+ )?(answered|refused)", sentence)) == 1, sentence
    assert f"{status}" in sentence and says in sentence, sentence
    assert UID not in grafana.boards
    grafana.faults.clear()
    alone.gives_back(before)


def test_a_fault_that_passes_is_not_noticed(alone: Alone, grafana: Grafana) -> None:
    grafana.fail("POST /api/dashboards/db", 503, "Grafana is starting", times=2)
    alone.up()
    deployed(grafana)


@pytest.mark.parametrize("call", ["POST /api/folders", "POST /api/dashboards/db"])
def test_a_killed_update_is_finished_by_the_next(alone: Alone, grafana: Grafana, call: str) -> None:
    before = grafana.shown()
    alone.killed_at(call)
    assert grafana.shown() != before
    alone.gives_back(before)


def test_a_grafana_that_is_down_is_told_and_the_next_update_converges(alone: Alone, grafana: Grafana) -> None:
    before = grafana.shown()
    alone.configure(grafanaUrl="http://127.0.0.1:9")
    assert ": Grafana at http://127.0.0.1:9 cannot be reached" in alone.warned()
    assert "Grafana at http://127.0.0.1:9 cannot be reached (Connection refused); is it" in alone.refused(alone.up)
    alone.configure()
    alone.gives_back(before)


def test_a_refused_token_is_told_in_preview(alone: Alone) -> None:
    alone.configure(grafanaAuth="expired")
    assert "check the credentials" in alone.warned()
    assert "refused POST /api/folders (401: Invalid API key); check the credentials" in alone.refused(alone.up)


def test_a_missing_token_is_one_sentence(alone: Alone) -> None:
    alone.configure(grafanaAuth="")
    for act in (alone.preview, alone.up):
        assert "grafanaAuth is not set; run `pulumi config set --secret grafanaAuth`" in alone.refused(act)
