"""`report`: one page that needs nothing else, escapes what others wrote, and is compared with the one before."""

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashboards
import rules
from ops import cli
from ops.drawing import line_chart
from ops.drawing.line_chart import Line, Mark, Picture
from ops.repo.tracking import Change
from ops.reporting import facts, page
from ops.reporting.facts import AlertState, BaselineBlock, Facts, FrequentAlert, RouteNode
from ops.reporting.panels import DrawnPanel
from ops.window import Window
from tests.support import past
from tests.support.our_routes import ROUTING, receiver_of

END = math.floor(time.time() / 60) * 60 - 60
OURS = {name: alert for name, alert in rules.alerts().items() if alert.is_house}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with past.prometheus(tmp_path_factory.mktemp("past"), hours=3, end=END) as address:
        yield address


@pytest.fixture
def out(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    past.target(tmp_path / "home", url)
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "report.html"


def run(out: Path, *more: str) -> int:
    return cli.run(["report", "--target", "sandbox", "--out", str(out), "--end", str(END), "--window", "2h", *more])


class Elements(HTMLParser):
    """Every element with its attributes, and whether all that need it are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}>"


def self_contained(text: str) -> Elements:
    elements = Elements(text)
    assert not elements.open
    for tag, attributes in elements.found:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form")
        assert tag != "script" or attributes.get("type") == "application/json"
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            if name in ("src", "href", "xlink:href", "action"):
                assert (tag == "a" and re.match("https?://", value or "")) or (value or "").startswith("#"), value
    assert not re.search(r"url\((?!#)|@import", text)
    return elements


def test_one_page_has_everything_and_needs_nothing_else(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out, "--by", "Ada <script>", "--note", "the 'first' & last") == 0
    text = out.read_text("utf-8")
    elements = self_contained(text)
    assert "<dd>Ada &lt;script&gt;</dd>" in text
    panels = dashboards.load().panels
    drawn = [attributes["aria-label"] for tag, attributes in elements.found if tag == "svg"]
    assert drawn == [panel.title for panel in panels]
    identities = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(identities) == len(set(identities)), "one picture would clip another"
    for name, alert in OURS.items():
        assert name in text
        assert f"{alert.component}, {alert.severity}, team {alert.team}: " in text
    for heading in ("Success criteria", "Alerts", "Panels", "Most frequent alerts of the week", "Routing", "Baseline"):
        assert f"<h2>{heading}</h2>" in text
    assert receiver_of("APIP95LatencyCritical") in text
    assert "prefers-color-scheme: dark" in text
    assert len(text) < 1_000_000
    assert "Written: " in capsys.readouterr().out


def test_what_the_facts_say(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out, "--format", "json", "--dry-run") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["written"] is None
    assert not out.exists()
    states = {one["name"]: one for one in answer["alerts"]}
    assert states.keys() == {name for name, alert in rules.alerts().items() if not alert.is_watchdog}
    high = states["APIP95LatencyHigh"]
    limit = OURS["APIP95LatencyHigh"].limit.value
    assert high["value"] == pytest.approx(4800)
    assert high["used"] == pytest.approx(4800 / limit)
    assert high["headroom"].startswith("over the limit by ") == (limit < 4800)
    assert states["DatabaseQueryLatencyHigh"]["shown"] == "40 ms"
    assert answer["frequent"][0]["name"] == "APIP95LatencyHigh"
    assert len(answer["criteria"]) == 6
    written = [route["receiver"] for route in ROUTING.config["route"]["routes"]]
    assert [route["receiver"] for route in answer["routes"]["routes"]] == written


def test_programs_get_the_facts_and_a_page_only_where_one_is_named(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out.parent)
    before = {*out.parent.iterdir()}
    assert cli.run(["report", "--target", "sandbox", "--window", "2h", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] is None
    assert {*out.parent.iterdir()} == before
    assert run(out, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["written"] == str(out)
    assert page.earlier(out.read_text("utf-8"))


def test_a_report_shows_the_record_of_its_own_target(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert cli.run(["report", "--target", "sandbox", "--window", "2h", "--format", "json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
        assert cli.run(["baseline", "--target", "sandbox", "--window", "2h", "--end", str(END)]) == 0
        capsys.readouterr()
    assert [one["criteria"][-1]["status"] for one in told] == ["fail", "pass"]
    own = out.parent / "home" / "tracking.md"
    assert told[0]["criteria"][-1]["detail"].startswith(f"{own} has none of sandbox; run `bin/ops baseline --target sa")
    assert (told[0]["baseline"], len(told[1]["baseline"])) == ([], 3)
    assert told[1]["baseline_notes"][1].startswith("Alerts that fired in it: APIP95LatencyHigh (once")


def test_the_next_report_says_what_is_different(out: Path) -> None:
    assert run(out) == 0
    text = out.read_text("utf-8")
    assert "no earlier report" in text or "Limits that were changed" in text
    now = page.earlier(text)
    assert now is not None
    wanted = OURS["APIP95LatencyHigh"].limit
    shown = next(one["limit"] for one in now["alerts"] if one["name"] == "APIP95LatencyHigh")
    out.write_text(text.replace(json.dumps(shown)[1:-1].replace(">", "\\u003e"), "\\u003e 123 ms"), "utf-8")
    assert run(out) == 0
    assert f"APIP95LatencyHigh: limit &gt; 123 ms → &gt; {wanted.value:g} ms" in out.read_text("utf-8")
    other = out.with_name("next.md")
    assert run(other, "--previous", str(out)) == 0
    told = other.read_text("utf-8")
    assert "## Changes since" in told
    assert page.earlier(told) is not None
    assert f"\n| APIErrorRateHigh (api, warning, team {OURS['APIErrorRateHigh'].team}) | " in told


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--previous", "missing.html"], 2, "missing.html does not exist; name an earlier report"),
        (["--previous", "Makefile"], 2, "is not a report"),
        (["--window", "0h"], 2, "--window 0h is not between"),
        (["--target", "nowhere"], 2, "there is no target 'nowhere'"),
    ],
)
def test_bad_input_gets_one_sentence(
    out: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    assert run(out, *arguments) == code
    assert says in capsys.readouterr().err.strip().split("\n")[-1]
    assert not out.exists()


def test_a_file_that_is_no_report_is_not_overwritten(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out.write_text("mine", "utf-8")
    assert run(out) == 2
    assert "exists and is not a report; name another file with --out" in capsys.readouterr().err
    assert out.read_text("utf-8") == "mine"


def test_an_unreachable_prometheus_writes_nothing(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past.target(tmp_path / "home", "http://127.0.0.1:9")
    assert run(out) == 2
    assert "Prometheus at http://127.0.0.1:9 cannot be reached" in capsys.readouterr().err
    assert not out.exists()


# ── the page alone ────────────────────────────────────────────────────────────────────────────────────────────────

# What somebody could have written into a rule, a route, a document or an option.
words = st.text(alphabet=st.sampled_from("ab <>&'\"`|{}%\\-\u2028/#é"), max_size=24) | st.sampled_from(
    ["</script>", "-->", "<!--", "{{ x }}", "`a", "javascript:alert(1)", "<svg onload=x>", "| a |"]
)


def made(text: str) -> Facts:
    state = AlertState(text, text, text, text, text, 300.0, "firing", text, 1.5, text, 0.5, text, text, text)
    node = RouteNode(text, text, text, (text,), (RouteNode(text, text, text, (), ()),))
    return Facts(
        text, "2026-11-23T10:00:00Z", text, text, text, text, ({"name": text, "status": "fail", "detail": text},),
        (state,), (FrequentAlert(text, False, 2, 60.0, text),), node, (text,), (BaselineBlock(text, ((text, text),)),),
        (text,), (Change(*[text] * 9),), "2026-11-20T10:00:00Z", (text,),
    )  # fmt: skip


@given(words)
def test_nothing_that_others_wrote_becomes_markup(text: str) -> None:
    panel = DrawnPanel(text, text, "<svg></svg>", text, ((text, "#123456"),), (text,))
    plain = [tag for tag, _ in self_contained(page.html(made("word"), [replace(panel, title="a", row="b")])).found]
    written = page.html(made(text), [panel])
    tags = [tag for tag, _ in self_contained(written).found]
    assert {*tags} <= {*plain, "code"}
    for rendered in (written, page.markdown(made(text))):
        assert page.earlier(rendered) == json.loads(json.dumps(made(text).as_json()))


def test_differences_survive_reports_of_other_versions() -> None:
    now = made("x")
    assert facts.differences({}, now) == ("x is new.",)
    assert facts.differences({"alerts": [None, {"name": "old"}], "criteria": [3]}, now) == ("x is new.", "old is gone.")
    same = json.loads(json.dumps(now.as_json()))
    assert facts.differences(same, now) == ()
    same["alerts"][0] |= {"limit": "> 1", "for_": 60, "state": "quiet"}
    same["criteria"][0]["status"] = "pass"
    assert facts.differences(same, now) == (
        "x: limit > 1 → x (x).",
        "x: fires after 5 min, was 1 min.",
        "x: firing, was quiet.",
        "x: not met, was met.",
    )


def test_how_things_are_in_one_line() -> None:
    calm = replace(made("x"), alerts=(), criteria=({"name": "x", "status": "pass", "detail": ""},))
    assert calm.verdict == "All quiet, every criterion met"
    assert made("x").verdict == "1 alert fires; 1 of 1 criteria not met"


# ── pictures ──────────────────────────────────────────────────────────────────────────────────────────────────────

OVER = Window(1_700_000_000, 1_700_086_400, 30)


def test_a_single_spike_and_a_gap_survive_the_thinning() -> None:
    points = [(OVER.start + 30 * at, 1.0) for at in range(1, 2881) if not 1000 <= at < 1100]
    points[1500] = (points[1500][0], 99.0)
    thinned = line_chart._thinned(points, OVER, lowest=False)
    assert len(thinned) == line_chart.COLUMNS
    assert max(value for _, value in thinned if math.isfinite(value)) == 99
    assert sum(math.isnan(value) for _, value in thinned) in (15, 16, 17)
    points[1500] = (points[1500][0], -5.0)
    assert min(v for _, v in line_chart._thinned(points, OVER, lowest=True) if math.isfinite(v)) == -5


def test_limits_that_lie_close_do_not_write_over_one_another() -> None:
    """Their texts stand beside one another at one height; where there is room, each stands at its own line."""

    def heights(*limits: float) -> list[str]:
        marks = [Mark(f"> {limit:g}", limit, "warning") for limit in limits]
        svg = line_chart.inline([Line("a", [(OVER.start + 30, 2400.0)])], marks, OVER, title="t", unit="", lowest=False)
        return [found[1] for found in re.finditer(r'y="([\d.]+)"[^>]*>&gt; ', svg)]

    assert len(set(heights(100, 250))) == 1
    assert len(set(heights(100, 1250))) == 2


def test_the_lines_that_are_not_drawn_are_counted() -> None:
    lines = [Line(str(number), ()) for number in range(len(line_chart.LINES) + 2)]
    assert line_chart.legend(lines)[-1] == ("and 2 more, not drawn", "transparent")
    assert len(line_chart.legend(lines[:2])) == 2


@pytest.mark.parametrize(
    "points", [[], [(OVER.start + 30, math.nan)], [(OVER.start + 30, math.inf)], [(OVER.end, 0.0)]]
)
def test_anything_can_be_drawn(points: list[tuple[float, float]]) -> None:
    marks = [Mark("> 5", 5, "warning"), Mark("> 500", 500, "critical"), Mark("> 0", 0, "odd")]
    lines = [Line("a < b", points), Line("$x_1$ & y", points)]
    for kind in Picture:
        assert line_chart.file(lines, marks, OVER, title="t", unit="ms", kind=kind, lowest=False)
    svg = line_chart.inline(lines, marks, OVER, title='a "b" <c>', unit="percentunit", lowest=False)
    self_contained(svg)
    assert svg == line_chart.inline(lines, marks, OVER, title='a "b" <c>', unit="percentunit", lowest=False)
