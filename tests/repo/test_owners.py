"""Each alert of ours has a team, and CODEOWNERS names it."""

from dataclasses import replace
from pathlib import Path

import pytest

import rules
from ops.repo import owners

ALERT = next(alert for alert in rules.alerts().values() if alert.is_house)
OWNERS = """\
# @example/nobody
*            @example/sre someone@example.org
/rules/      @example/on-call @example/group/payments  # not @example/late
/docs/
[Section][2] @platform
"""


def test_each_alert_of_ours_has_a_team_that_codeowners_names() -> None:
    every = rules.alerts().values()
    assert all(alert.team for alert in every if alert.is_house)
    assert not owners.unknown(every), "; ".join(owners.unknown(every))


def test_the_last_part_of_each_owner_is_a_team() -> None:
    assert owners.teams(OWNERS) == {"sre", "on-call", "payments", "platform"}


@pytest.mark.parametrize("place", owners.PLACES)
def test_a_team_that_is_not_named_is_said_in_one_sentence(tmp_path: Path, place: str) -> None:
    assert owners.unknown([ALERT], tmp_path) == [
        "there is no .github/CODEOWNERS, so nobody is known to own an alert: write it"
    ]
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(OWNERS)
    mistyped = replace(ALERT, labels={**ALERT.labels, "team": "srre"})
    others = replace(mistyped, group="theirs")
    assert owners.unknown([ALERT, others], tmp_path) == []
    assert owners.unknown([ALERT, mistyped], tmp_path) == [
        f"{ALERT.name} belongs to team srre, which {place} does not name: name @ORGANISATION/srre there, or correct "
        "the label"
    ]
