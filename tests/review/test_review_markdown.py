"""A review as a comment: a verdict first, nothing that the comment's markup would eat, and never too long."""

import re
from dataclasses import replace

import pytest

from ops.replay.run import Outcome, Version
from ops.replay.signals import Episode, Replay
from ops.review.as_markdown import BARS, LINES, MOST, markdown
from ops.review.replayed_versions import Past
from ops.stack.engine_events import Previewed
from tests.review.reviewed import ALERT, NOW, review, with_rules, without
from tests.support.limits import changed, other

START, END = 1_700_000_000.0, 1_700_604_800.0
CHANGED = with_rules(changed(ALERT, other(ALERT)))


def replayed(name: str, times: int) -> Version:
    """A backtest in which the alert fired so often, an hour each, two hours apart."""
    labels = {**ALERT.labels, "alertname": ALERT.name}
    found = [Episode(labels, "firing", START + 7200 * at, START + 7200 * at + 3600, open=False) for at in range(times)]
    replay = Replay(ALERT, ALERT.limit, START, END, tuple(found))
    return Version(name, {ALERT.name: replay}, [])


def past(before: int, now: int) -> Past:
    return Past(Outcome(START, END, END - START, [(START, END)], [replayed("main", before), replayed("now", now)], []))


def test_the_first_line_is_the_verdict() -> None:
    lines = markdown(review(CHANGED)).splitlines()
    assert lines[0] == "## ✅ 1 alert changes"
    assert f"- **{ALERT.name}**: limit {ALERT.limit.operator} " in "\n".join(lines)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (11, 4, "; fires 4 times instead of 11 times in 7 d"),
        (1, 0, "; fires never instead of once in 7 d"),
        (3, 3, "; fires 3 times in 7 d"),
    ],
)
def test_how_often_it_fires_is_said_beside_how_often_it_did(before: int, now: int, words: str) -> None:
    line = next(line for line in markdown(review(CHANGED, past=past(before, now))).splitlines() if "- **" in line)
    assert line.endswith(words)


def test_a_timeline_is_drawn_by_the_comment_itself_or_a_picture() -> None:
    drawn = markdown(review(CHANGED, past=past(1, 2)))
    assert drawn.count("```mermaid") == 1
    assert drawn.count("    before :done, ") == 1
    assert drawn.count("    now :crit, ") == 2
    pictured = markdown(review(CHANGED, past=past(1, 2)), "https://pictures.example/1.svg")
    assert "![When the alerts would have fired](https://pictures.example/1.svg)" in pictured
    assert "mermaid" not in pictured


def test_a_timeline_has_an_end() -> None:
    text = markdown(review(CHANGED, past=past(BARS, 3)))
    assert text.count(" :done, ") + text.count(" :crit, ") == BARS
    assert "3 later bars left out." in text


def test_a_long_preview_is_cut_and_says_so() -> None:
    long = "\n".join(f"      ~ line {number} of a long preview" for number in range(20_000))
    text = markdown(review(CHANGED, preview=Previewed({"update": 1}, text=long)))
    assert len(text) <= MOST
    assert re.search(r"\nOnly [\d,]+ of [\d,]+ characters; the rest is in the log of the run\.\n", text)
    assert text.rstrip().endswith("</details>")
    assert text.count("```") % 2 == 0


def test_a_preview_that_fits_is_whole() -> None:
    text = markdown(review(CHANGED, preview=Previewed({"update": 1, "same": 2}, text="a\n  + b\n  - c\n  ~ d")))
    assert "<summary>pulumi preview: 1 to update</summary>" in text
    assert "  a\n+     b\n-     c\n    ~ d\n```" in text


def test_many_lines_are_counted() -> None:
    many = tuple(f"panel {number}: stat" for number in range(LINES + 5))
    found = review(CHANGED)
    lines = {**found.changes.lines, "dashboard": ((), many)}
    text = markdown(replace(found, changes=replace(found.changes, lines=lines)))
    assert "… and 5 lines more" in text


def test_a_refused_preview_comes_first() -> None:
    text = markdown(review(CHANGED, preview=Previewed(refused="Pulumi stopped: <no> `such` thing | here")))
    assert text.splitlines()[0] == "## ❌ The preview is refused; nothing can be deployed like this"
    assert "**Refused:** Pulumi stopped: &lt;no> `such` thing \\| here" in text


def test_without_a_stack_the_rest_is_said() -> None:
    text = markdown(review(CHANGED, preview=Previewed(not_made="there is no Pulumi engine")))
    assert "There is no preview: there is no Pulumi engine." in text
    assert "How often was not computed: nobody asked." in text
    assert f"**{ALERT.name}**" in text


def test_what_restarts_stands_apart_from_other_warnings() -> None:
    warned = Previewed(warnings=("Deployment x gets a mount, so its pods restart; …", "something else"))
    text = markdown(review(NOW, preview=warned))
    assert "### What restarts\n\n- Deployment x" in text
    assert "### Warnings of the preview\n\n- something else" in text


def test_an_alert_of_which_nobody_is_told_any_more_is_the_verdict() -> None:
    found = review(CHANGED)
    told = {**found.changes.told, ALERT.name: replace(found.changes.told[ALERT.name], now=())}
    found = replace(found, changes=replace(found.changes, told=told))
    assert found.sign == "❌"
    assert f"nobody is told of {ALERT.name} any more" in found.verdict
    assert f"| {ALERT.name} | `" in markdown(found)
    assert "| nobody |" in markdown(found)
    gone = review(with_rules(without(ALERT.name)))
    assert gone.unheard == []
