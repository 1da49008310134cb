"""The pictures: the time zone is said on the axis, and a timeline can be read on a phone."""

import html
import re
from types import SimpleNamespace
from typing import cast

import pytest

import rules
from ops.drawing import line_chart
from ops.drawing.timeline import timeline
from ops.replay.run import Outcome
from ops.window import Window

END = 1_764_115_200.0
OVER = Window(END - 86400, END, 60.0)
PHONE = 360.0  # CSS pixels; most phones have 360 to 430
PIXELS = 96 / 72  # a point
ALERTS = [alert for alert in rules.alerts().values() if alert.is_house]


def outcome(*versions: str) -> Outcome:
    """A day in which each alert fired once."""
    episode = SimpleNamespace(start=END - 4000, end=END - 1000, seconds=3000.0)
    replays = {
        alert.name: SimpleNamespace(
            alert=alert, limit=alert.limit, pending=[], firing=[episode], start=OVER.start, end=OVER.end
        )
        for alert in ALERTS
    }
    made = [SimpleNamespace(name=name, replays=replays, messages=[]) for name in versions]
    spans = [(OVER.start + 9000, OVER.end)]
    found = SimpleNamespace(versions=made, start=OVER.start, end=OVER.end, covered=70000.0, spans=spans)
    return cast(Outcome, found)


def texts(svg: str) -> list[tuple[float, str]]:
    """(size in points, words) of each text of an SVG."""
    return [
        (float(size), words.strip())
        for size, words in re.findall(r"<text[^>]*?font(?:-size)?: ([\d.]+)px[^>]*>([^<]*)</text>", svg)
        if words.strip()
    ]


@pytest.mark.parametrize("versions", [("working tree",), ("working tree", "HEAD~3")])
def test_a_timeline_fits_a_phone_and_names_every_alert(versions: tuple[str, ...]) -> None:
    svg = timeline(outcome(*versions), "svg").decode()
    width = re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)
    assert width and "max-width: 100%" in svg
    shrunk = min(1.0, PHONE / (float(width[1]) * PIXELS))
    found = texts(svg)
    assert min(size for size, _ in found) * PIXELS * shrunk >= 9
    words = {html.unescape(text) for _, text in found}
    assert {f"{alert.name}  {alert.limit.text}" for alert in ALERTS} <= words
    assert [text for _, text in found if text == "UTC"] == ["UTC"]


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_chart_says_the_time_zone_on_its_axis(lines: int) -> None:
    drawn = [line_chart.Line(f"l{number}", [(OVER.start, 1.0), (OVER.end, 2.0)]) for number in range(lines)]
    file = line_chart.file(drawn, [], OVER, title="t", unit="ms", kind=line_chart.Picture.svg, lowest=False).decode()
    inline = line_chart.inline(drawn, [], OVER, title="t", unit="ms", lowest=False)
    assert file.count(">UTC<") == inline.count(">UTC<") == 1
