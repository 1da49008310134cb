"""A real Prometheus runs rule files of other teams, and each difference from them is noticed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import rules
from components.live.running import compare
from components.live.running.wanted import wanted_rules
from ops import build_tools
from ops.checks import live_rules
from ops.clients.prometheus import Prometheus, RunningGroup
from rules import RuleFile
from tests.rules.other_teams_files import together
from tests.support import real_servers
from tests.support.waiting import until


@dataclass(frozen=True)
class Running:
    files: tuple[RuleFile, ...]
    prometheus: Prometheus
    groups: list[RunningGroup]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real Prometheus with our rule files, and those of other teams."""
    if not build_tools.find("prometheus"):
        pytest.skip("run `make tools` first")
    home = tmp_path_factory.mktemp("prometheus")
    folder = together(tmp_path_factory.mktemp("rules"))
    files = rules.load(folder)
    with real_servers.prometheus(home, f"rule_files: ['{folder}/*.yml']\n") as server:
        wanted = sum(bool(group.rules) for file in files for group in file.groups)
        until(lambda: len(server.rules()) == wanted, "not all groups are loaded")
        yield Running(files, server, list(server.rules()))


def test_a_real_prometheus_runs_them_as_written(running: Running) -> None:
    """Group labels are on each rule, an empty label on none, values are texts, whatever the file has."""
    assert compare.rules_not_running(wanted_rules(running.files), running.groups) == []
    for file in running.files:
        for group in file.groups:
            assert live_rules.group_problem(running.prometheus, file, group, running.groups) is None
    (slow, _) = [rule for group in running.groups for rule in group.rules if rule.name == "Payments: slow #2"]
    assert slow.labels == {"severity": "2", "paging": "true", "service.name": "payments", "runbook.id": "pay-2"}


CHANGES = [
    ("slo-generator.yml", "    team: checkout\n    severity", "    severity", "labels"),
    ("slo-generator.yml", "limit: 500", "limit: 499", "limit"),
    ("slo-generator.yml", "(3 * 0.0009999999999999432)", "(4 * 0.0009999999999999432)", "expression"),
    ("odd-forms.yml", "runbook.id: pay-2", "runbook.id: pay-3", "labels"),
    ("odd-forms.yml", '{"http.server.request.duration:p95"} > 1', '{"http.server.request.duration:p95"} > 3', "> 3"),
    ("odd-forms.yml", "for: 1y1d", "for: 1y2d", "for"),
    ("kubernetes-apps.yml", "(6.00 * 0.01000)", "(5.00 * 0.01000)", "expression"),
    ("node-exporter.yml", "24*60*60) < 0", "23*60*60) < 0", "expression"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), CHANGES, ids=[change[2][:24] for change in CHANGES])
def test_each_difference_is_noticed(running: Running, name: str, old: str, new: str, words: str) -> None:
    """Also where another rule of the same name still runs as written."""
    (file,) = (file for file in running.files if file.name == name)
    assert file.text.count(old) == 1
    changed = rules.parse(file.text.replace(old, new), file.path)
    found = [live_rules.group_problem(running.prometheus, file, group, running.groups) for group in changed.groups]
    assert len([one for one in found if one]) == 1, found
    if words != "limit":  # of a group, which the proof does not compare
        assert len(compare.rules_not_running(wanted_rules([changed]), running.groups)) >= 1
    else:
        assert "`limit: 500`, here 499" in " ".join(filter(None, found))
