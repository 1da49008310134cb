"""What a review says of another objective."""

from dataclasses import replace

import pytest

import rules
from ops.review import as_markdown, changes, review_document
from ops.review.checkouts import Version
from tests.review.reviewed import NOW, review, with_rules
from tests.support.limits import changed

(FAST, SLOW) = rules.on_budget(rules.alerts().values())


def having(share: float) -> Version:
    files = [rules.with_objective(one, share) if has_objective(one) else one for one in NOW.files]
    return replace(NOW, files=tuple(files))


def has_objective(file: rules.RuleFile) -> bool:
    return any(one.name == rules.BUDGET for one in file.recordings)


def limited(version: Version, alert: rules.Alert, limit: str) -> Version:
    return with_rules(changed(alert, limit), version)


BASE, HEAD = (limited(limited(having(share), FAST, "> 14.4"), SLOW, "> 3") for share in (0.99, 0.995))


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        (BASE, HEAD, "from 99 % to 99.5 %: 30 days may have 3 h 36 min of full outage instead of 7 h 12 min"),
        (HEAD, BASE, "from 99.5 % to 99 %: 30 days may have 7 h 12 min of full outage instead of 3 h 36 min"),
        (BASE, BASE, ""),
    ],
)
def test_both_objectives_and_the_outage_that_each_leaves(base: Version, head: Version, words: str) -> None:
    found = review(head, base)
    assert found.changes.objective == words
    assert review_document.document(found)["objective"] == (words or None)
    assert ("\n### Objective\n\nFrom " in as_markdown.markdown(found)) == bool(words)


def test_an_objective_that_comes_or_goes() -> None:
    without = replace(BASE, files=tuple(one for one in BASE.files if not has_objective(one)))
    leaves = "99 %, which leaves 7 h 12 min of full outage in 30 days"
    assert changes.between(without, BASE).objective == f"there is an objective now: {leaves}"
    assert changes.between(BASE, without).objective == f"there is no objective any more: {leaves}"


def test_alerts_on_the_budget_say_when_they_fire() -> None:
    """If all fail, an hour has a share of 0.144 after 8 min 38 s, and `for` comes on top."""
    found = changes.between(BASE, HEAD)
    assert {one.name: one.words for one in found.alerts} == {
        FAST.name: (
            "fires above 14.4 % → 7.2 % of requests failing",
            "in a full outage after 10 min 38 s → 6 min 19 s",
        ),
        SLOW.name: ("fires above 3 % → 1.5 % of requests failing", "in a full outage after 1 h 43 min → 1 h 21 min"),
    }
    assert "2 alerts and 1 recording change" in review(HEAD, BASE).verdict


def test_another_limit_of_one_of_them_says_so_too() -> None:
    (found,) = changes.between(BASE, limited(BASE, FAST, "> 20")).alerts
    assert found.words[0] == "limit > 14.4 → 20"
    assert found.words[1] == "fires above 14.4 % → 20 % of requests failing"


def test_the_recording_is_named_with_its_objective() -> None:
    gone, come = changes.between(BASE, HEAD).lines["recordings"]
    assert [line.partition(" (")[0] for line in (*gone, *come)] == [
        f"recording {rules.BUDGET}: an objective of {share}, every 15 s" for share in ("99%", "99.5%")
    ]
