"""What rule files and a routing use is seen; each feature by a file that uses it and none that is newer."""

from pathlib import Path

import pytest

import routing.routing_needs
import rules
import rules.rule_needs
from formats.versions import Need, number
from routing import _schema, _typed, tree
from tests.compat import samples
from tests.compat.samples import Sample

PROMETHEUS, ALERTMANAGER = list(samples.for_prometheus()), list(samples.for_alertmanager())


def newest(found: list[Need], feature: str) -> list[str]:
    """What is needed, without what every version knows that knows `feature`."""
    least = number(feature) or (0, 0)
    return sorted(need.what for need in found if (number(need.feature.since) or (0, 0)) >= least)


@pytest.mark.parametrize("sample", PROMETHEUS, ids=lambda sample: sample.what)
def test_a_feature_of_a_rule_file_is_seen(sample: Sample) -> None:
    file = rules.parse(sample.text, Path("rules/sample.yml"))
    assert newest(rules.rule_needs.needs([file]), sample.feature.since) == [sample.what]


@pytest.mark.parametrize("sample", ALERTMANAGER, ids=lambda sample: sample.what)
def test_a_feature_of_a_routing_is_read_and_seen(sample: Sample) -> None:
    root, _ = _typed.parse(sample.text, "sample.yml")
    assert root is not None
    _schema.check(root)
    found = newest(routing.routing_needs.needs(tree.parse(sample.text)), sample.feature.since)
    assert sample.what in found


@pytest.mark.parametrize(
    "expr",
    [
        "sum by (group, start) (rate(info_1_2[1h30m:5m] offset 1h)) # fill(1), end(), up @ 5, 5m",
        "group_left_total{info='last_over_time(x[5m])', b=\"offset -5m\"} + on (clamp) group_left (sgn) pi",
        "x @ 1609746000 > 5 and step",
        "sum(x) without (group)",
    ],
)
def test_words_that_only_look_like_a_newer_feature_are_not_taken_for_one(expr: str) -> None:
    text = samples.GROUP.format(keys="", expr=samples.quoted(expr))
    found = rules.rule_needs.needs([rules.parse(text, Path("rules/sample.yml"))])
    assert {need.what for need in found} <= {"the @ modifier"}
