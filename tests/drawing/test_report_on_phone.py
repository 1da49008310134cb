"""The page of a report on a phone and on a desktop, measured in a browser where this machine has one."""

import html
import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import dashboards
import rules
from ops.drawing import line_chart
from ops.drawing.line_chart import Line, Mark
from ops.repo.tracking import Change
from ops.reporting import page
from ops.reporting.facts import AlertState, BaselineBlock, Facts, FrequentAlert, RouteNode
from ops.reporting.panels import DrawnPanel
from ops.window import Window

PHONES = (320, 360, 430)  # CSS pixels: the narrowest that is sold, and most others
READABLE = 9.5  # CSS pixels, the smallest text of a picture on a phone of 360
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OVER = Window(1_764_028_800, 1_764_115_200, 60)
ALERTS = [alert for alert in rules.alerts().values() if alert.is_house]
LONG = "https://example.com/" + "a-path-without-any-space/" * 6
# Reads a page in a frame of some width: can it be scrolled to the right, and how large is the text of its pictures?
_LOOK = """<!doctype html><iframe style="border: 0; width: {width}px; height: 800px" srcdoc="{page}"></iframe><script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument, size = text => {{
    const matrix = text.getScreenCTM();
    return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(matrix.a, matrix.b);
  }};
  document.title = JSON.stringify({{
    width: page.documentElement.clientWidth, scrolled: page.documentElement.scrollWidth,
    smallest: Math.min(...[...page.querySelectorAll("svg text")].map(size)),
  }});
}};
</script>"""


def facts() -> Facts:
    """A report with long names, addresses and nested routes in every part."""
    names = [alert.name for alert in ALERTS]
    states = tuple(
        AlertState(
            alert.name,
            alert.annotations["summary"],
            str(alert.labels["component"]),
            alert.severity,
            f"{alert.limit.text} ms",
            alert.for_,
            "firing",
            "2025-11-25 20:00 UTC",
            1234.5,
            "1,234.5 ms",
            1.4,
            "over the limit by 40 %",
            LONG,
            alert.team,
        )
        for alert in ALERTS
    )
    route = RouteNode('component="database", severity="critical"', "database-critical", "10 s", tuple(names), ())
    for _ in range(3):
        route = RouteNode(route.matchers, route.receiver, route.pace, route.alerts, (route,))
    return Facts(
        *("sandbox", "2025-11-26T00:00:00Z", "The last 24 h", f"Ada <{LONG}>", LONG, "0123456789" * 4),
        ({"name": f"All rules are loaded ({LONG})", "status": "fail", "detail": f"`{LONG}` {LONG}"},),
        *(states, tuple(FrequentAlert(name, False, 40, 60.0, "5 h 25 min") for name in names)),
        *(route, (f"{route.matchers} mutes {route.matchers}",)),
        *((BaselineBlock(LONG, ((LONG, "1,234 ms"),)),), (LONG,)),
        (Change("2025-11-25", names[0], "> 0.8", "> 0.9", "sandbox", "7 d", "none", LONG, LONG),),
        *("2025-11-20T10:00:00Z", (f"{names[0]}: {LONG}",)),
    )


def panels() -> list[DrawnPanel]:
    """Every panel, with two lines and two limits."""
    lines = [Line(LONG, [(OVER.start + 60 * at, 500 + 400 * math.sin(at / 90)) for at in range(1440)]), Line("b", ())]
    marks = [Mark("> 600", 600, "warning"), Mark("> 1000", 1000, "critical")]
    return [
        DrawnPanel(
            one.title,
            one.row,
            line_chart.inline(lines, marks, OVER, title=one.title, unit=one.unit, lowest=False),
            "1,234 ms",
            line_chart.legend(lines),
            (),
        )
        for one in dashboards.load().panels
    ]


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or pytest.skip(f"no browser here: it takes one of {', '.join(BROWSERS)}")


@pytest.fixture(scope="module")
def report() -> str:
    return page.html(facts(), panels())


@pytest.mark.parametrize("width", [*PHONES, 1200])
def test_nothing_is_to_be_scrolled_to_the_right(width: int, browser: str, report: str, tmp_path: Path) -> None:
    file = tmp_path / "look.html"
    # The browser gives no access to a page's frame from a file unless the page is inside the same file.
    file.write_text(_LOOK.format(width=width, page=html.escape(report)), "utf-8")
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    home = f"--user-data-dir={tmp_path / 'home'}"
    command = (browser, "--headless", *root, "--disable-gpu", home, "--dump-dom", file.as_uri())
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r"<title>(.*?)</title>\s*</head>", told)
    assert found, told[:300]
    seen = json.loads(html.unescape(found[1]))
    assert seen["width"] in (width, width - 15), "less the bar to scroll down with"
    assert seen["scrolled"] == seen["width"]
    assert seen["smallest"] >= READABLE * min(1.0, (seen["width"] - 60) / 300), "60 pixels are beside a picture"


def test_a_picture_is_no_wider_than_a_phone_shows_its_text_well() -> None:
    """Without a browser: a page of 360 pixels leaves 300 for a picture."""
    svg = panels()[0].svg
    box = re.search(r'viewBox="0 0 ([\d.]+) ', svg)
    assert box
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert sizes and min(sizes) * 300 / float(box[1]) >= READABLE
