"""`baseline` against a real Prometheus whose past is known: what it measures, says and writes."""

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules
from formats import quantities
from ops import cli
from ops import window as windows
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus, Series
from ops.errors import Misconfigured
from ops.repo import tracking
from ops.tuning import normal_traffic
from ops.tuning.incidents import incidents
from ops.window import Values, Window
from tests.support import past

END = math.floor(time.time() / 60) * 60 - 120
HOURS = 25.0
# 10 minutes after the slow hour began, to the end
SLOW_HOUR = f"APIP95LatencyHigh (once, 50 min, from {windows.stamp(END - 3000)} UTC)"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with past.prometheus(tmp_path_factory.mktemp("past"), hours=HOURS, end=END) as address:
        yield address


@pytest.fixture
def document(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    past.target(tmp_path / "home", url)
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    path = tmp_path / "tracking.md"
    path.write_bytes(b"# Mine\r\n\r\n<!-- begin baseline -->\r\nold\r\n<!-- end baseline -->\r\n\xff mine too")
    return path


def run(document: Path, *more: str) -> int:
    return cli.run(["baseline", "--target", "sandbox", "--document", str(document), "--end", str(END), *more])


def test_the_guides_block_is_written_between_the_markers(document: Path) -> None:
    assert run(document) == 0
    written = document.read_bytes()
    assert written.startswith(b"# Mine\r\n\r\n<!-- begin baseline -->\r\n")
    assert written.endswith(b"<!-- end baseline -->\r\n\xff mine too")
    lines = written.decode("utf-8", "replace").split("\r\n")
    assert f"**API Performance ({windows.stamp(END - 86400)} to {windows.stamp(END)} UTC):**" in lines
    for expected in (
        r"- Average P50 latency: 2\d\d ms",  # 100 ms, in the slow hour 3000
        r"- Average P95 latency: 9\d\d ms",  # 750 ms, in the slow hour 4800
        r"- Peak P95 latency: 4800 ms \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)",
        r"- Error rate \(5xx\): 1%",
        r"- Request rate: 200 req/min",
        r"- Average P95 query latency: 40 ms",
        r"- Peak P95 query latency: 40 ms .*",
        r"- Average connection pool usage: 40%",
        r"- Average P95 latency: 97\.5 ms",
        r"- Processing success rate: 100%",
    ):
        assert any(re.fullmatch(expected, line) for line in lines), expected
    assert "### sandbox" in lines
    assert f"Target `sandbox`, {windows.stamp(END - 86400)} to {windows.stamp(END)} UTC (24 h)." in lines
    assert f"Alerts that fired in it: {SLOW_HOUR}." in lines
    assert "The data covers" not in written.decode("utf-8", "replace")
    assert run(document) == 0
    assert document.read_bytes() == written


def test_it_says_how_much_of_the_window_the_data_covers(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(document, "--window", "48h", "--format", "json", "--dry-run") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["coverage"]["API Performance"] == pytest.approx(25 / 48, abs=0.01)
    assert re.fullmatch(
        r"The data covers 2[45] h( \d+ min)? of the 2 d \(52 %\), from .* UTC on; measure again .*", answer["gaps"][0]
    )
    assert answer["values"]["database_p95_average"] == {
        "label": "Database Performance: Average P95 query latency",
        "value": pytest.approx(40),
        "unit": "ms",
        "at": None,
    }
    assert b"old" in document.read_bytes()
    (unknown,) = (one for one in answer["warnings"] if "not known" in one)
    assert re.fullmatch(
        r"whether alerts fired is not known of the whole window: the rules ran for 25 h of 2 d, from .* UTC on", unknown
    )


def test_an_incident_in_the_window_is_a_warning(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(document) == 0
    told = capsys.readouterr().out
    warning = f"an incident is in the window: {SLOW_HOUR} fired; unless this is normal, choose another window with"
    assert f"\nwarning: {warning}" in told
    assert run(document, "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    (said,) = answer["warnings"]
    assert said.startswith(warning)
    (alert,) = answer["alerts"]
    assert (alert["alert"], alert["times"], alert["last"]) == ("APIP95LatencyHigh", 1, None)
    assert alert["seconds"] == pytest.approx(50 * 60, abs=60)
    assert alert["first"] == windows.iso(END - alert["seconds"])

    assert run(document, "--end", str(END - 7200), "--window", "20h") == 0
    assert "warning" not in capsys.readouterr().out
    assert "Alerts that fired in it: none." in document.read_text("utf-8", "replace").splitlines()
    assert run(document, "--end", str(END - 7200), "--window", "20h", "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["alerts"], answer["warnings"]) == ([], [])


def test_what_fired_is_unknown_where_no_rules_ran(url: str) -> None:
    prometheus, over = Prometheus(Http(url, name="Prometheus")), windows.window("2h", str(END), interval=30)
    ours = rules.alerts()
    found = incidents(prometheus, over, ours)
    assert ([one.name for one in found.alerts], found.since is not None) == (["APIP95LatencyHigh"], True)
    nobody = {f"Not{name}": replace(alert, name=f"Not{name}") for name, alert in ours.items()}
    found = incidents(prometheus, over, nobody)
    assert (found.alerts, found.since, found.text) == ((), None, "unknown, as no rules of ours ran")
    assert found.warnings == ["nobody can say whether alerts fired in the window, as no rules of ours ran in it"]


def test_the_sandbox_stays_out_of_productions_document(
    document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    production, own = tracking.DOCUMENT.read_bytes(), tmp_path / "home" / "tracking.md"
    command = ["baseline", "--target", "sandbox", "--end", str(END), "--window", "2h"]
    assert cli.run([*command, "--dry-run"]) == 0
    assert f"Nothing was written; without --dry-run this is written to {own}." in capsys.readouterr().out
    assert not own.exists()
    assert cli.run(command) == 0
    assert f"Recorded in {own}, the sandbox's own document; --document names another." in capsys.readouterr().out
    assert "Request rate: 200 req/min" in tracking.record(own.read_text("utf-8"), "sandbox", where="own")
    assert cli.run([*command, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["document"] == {"path": str(own), "written": False}
    assert tracking.DOCUMENT.read_bytes() == production
    assert b"old" in document.read_bytes()


def test_the_record_of_another_target_stays(document: Path) -> None:
    other = "### prod\n\nTarget `prod`, a week.\n\n- Average P95 latency: 1 ms"
    document.write_text(f"<!-- begin baseline -->\n{other}\n<!-- end baseline -->\n", "utf-8")
    for end in (END, END - 3600):
        assert run(document, "--end", str(end), "--window", "2h") == 0
    text = document.read_text("utf-8")
    assert text.startswith(f"<!-- begin baseline -->\n\n{other}\n\n### sandbox\n\nTarget `sandbox`, ")
    assert text.count("### ") == 2 and f"to {windows.stamp(END - 3600)} UTC (2 h)." in text


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_each_signal_is_drawn_with_its_limits(document: Path, tmp_path: Path, kind: str) -> None:
    assert run(document, "--pictures", str(tmp_path / "new" / "pictures"), "--picture-format", kind) == 0
    drawn = sorted((tmp_path / "new" / "pictures").iterdir())
    alerts = {name: alert for name, alert in rules.alerts().items() if alert.is_house}
    assert len(drawn) == len({alert.quantity for alert in alerts.values()})
    picture = (tmp_path / "new" / "pictures" / f"APIP95LatencyHigh.{kind}").read_bytes()
    if kind == "png":
        assert picture.startswith(b"\x89PNG")
    else:
        for name in ("APIP95LatencyHigh", "APIP95LatencyCritical"):
            limit = alerts[name].limit
            assert (
                f"{limit.operator} {quantities.with_unit(limit.value, 'ms')}".replace(">", "&gt;") in picture.decode()
            )


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--window", "0h"], 2, "--window 0h is not between 0 and 10 years"),
        (["--window", "soon"], 2, "--window 'soon' is no duration"),
        (["--window", "2m"], 2, "--window 2m is too short"),
        (["--end", "yesterday"], 2, "--end 'yesterday' cannot be read as a moment"),
        (["--end", "2999-01-01"], 2, "--end 2999-01-01 lies in the future"),
        (["--end", "2020-01-01"], 1, "has no data of the API, the database or webhooks from 2019-12-31 00:00"),
        (["--document", "missing.md"], 2, "missing.md does not exist; create it with two lines"),
        (["--target", "nowhere"], 2, "there is no target 'nowhere'"),
    ],
)
def test_bad_input_gets_one_sentence(
    document: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    before = document.read_bytes()
    assert run(document, *arguments) == code
    told = capsys.readouterr().err.strip().split("\n")
    assert says in told[-1]
    assert all(line.endswith("…") for line in told[:-1])
    assert document.read_bytes() == before


def test_a_document_that_cannot_be_written_stays(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document.chmod(0o444)
    before = document.read_bytes()
    pictures = document.parent / "pictures"
    assert run(document, "--pictures", str(pictures)) == 2
    assert "is read-only" in capsys.readouterr().err
    assert not pictures.exists()  # nor is anything else half done
    document.chmod(0o644)
    document.write_bytes(b"# no markers\n")
    assert run(document) == 2
    assert "has no markers for baseline" in capsys.readouterr().err
    assert (document.read_bytes(), before[:1]) == (b"# no markers\n", b"#")


def test_a_folder_for_pictures_that_is_a_file(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = document.read_bytes()
    file = document.parent / "file"
    file.touch()
    assert run(document, "--pictures", str(file)) == 2
    said = capsys.readouterr().err.strip().split("\n")[-1]
    assert said.endswith("name another folder with --pictures")
    assert document.read_bytes() == before


def test_an_unreachable_prometheus_is_no_empty_one(
    document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past.target(tmp_path / "home", "http://127.0.0.1:9")
    assert run(document) == 2
    assert "Prometheus at http://127.0.0.1:9 cannot be reached" in capsys.readouterr().err


def test_what_is_read_off_the_rules() -> None:
    alerts = rules.alerts()
    for name, which, of in (
        ("APIP95LatencyHigh", 0.5, "api:"),
        ("WebhookProcessingLatencyHigh", 0.95, "sum by (le) ("),
    ):
        found = normal_traffic.percentile(alerts[name].quantity, which)
        assert found.startswith(f"histogram_quantile({which}, {of}")
    assert normal_traffic.traffic(alerts["APIErrorRateHigh"].quantity) == "api:http_requests:increase5m"
    assert normal_traffic.traffic(alerts["WebhookProcessingFailuresHigh"].quantity).startswith("sum(rate(")
    for derive in (lambda one: normal_traffic.percentile(one, 0.5), normal_traffic.traffic):
        with pytest.raises(Misconfigured):
            derive("up")


# ── windows and values ────────────────────────────────────────────────────────────────────────────────────────────

OVER = Window(0, 100, 10)
floats = st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf)
points = st.lists(floats, max_size=10).map(
    lambda values: tuple((10.0 * (at + 1), value) for at, value in enumerate(values))
)


@given(points)
def test_nan_and_infinity_count_as_data_and_as_no_number(found: tuple[tuple[float, float], ...]) -> None:
    values = Values(OVER, found)
    assert values.coverage == len(found) / 10
    numbers = [value for _, value in found if math.isfinite(value)]
    if not numbers:
        assert (values.average, values.peak) == (None, None)
        return
    average = values.average
    assert average is not None
    assert average == pytest.approx(sum(numbers) / len(numbers), abs=1e-6)
    assert values.peak in found
    assert values.peak == max(((a, v) for a, v in found if math.isfinite(v)), key=lambda p: (p[1], -p[0]))


@given(points, points)
def test_the_worst_of_several_series(
    one: tuple[tuple[float, float], ...], two: tuple[tuple[float, float], ...]
) -> None:
    both = windows.worst([Series({"a": "1"}, one), Series({"a": "2"}, two)], OVER)
    for at, value in both.points:
        ours = [v for t, v in (*one, *two) if t == at and not math.isnan(v)]
        assert math.isnan(value) if not ours else value == max(ours)


@given(st.floats(1e-9, 1e12))
def test_numbers_are_written_without_powers_and_read_back(value: float) -> None:
    text = quantities.number(value)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=0.006)
