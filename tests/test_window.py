"""A period in the past: one pair of options for every verb, and one way to read it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.durations import UNITS
from ops import window as windows
from ops.errors import Misconfigured
from ops.reference import commands_page

NOW = 1_700_000_000.0
WITH_A_PERIOD = {"baseline", "tune", "backtest", "report", "review", "diagnose volume", "diagnose coverage"}
OTHER_NAMES = {"--days", "--hours", "--from", "--since", "--until", "--start", "--period", "--range", "--last"}


def test_every_verb_with_a_period_has_the_same_two_options() -> None:
    sections = re.split(r"^## ", commands_page.page(), flags=re.MULTILINE)[1:]
    pairs: dict[str, list[tuple[str, str]]] = {}
    for section in sections:
        name = section.partition("\n")[0]
        rows = re.findall(r"^\| `(--[a-z-]+)([^`]*)`.* \| [^|]* \| (.*) \|$", section, re.MULTILINE)
        assert not {option for option, _, _ in rows} & OTHER_NAMES, name
        if found := [(option + value, help_) for option, value, help_ in rows if option in ("--window", "--end")]:
            pairs[name] = found
    assert set(pairs) == WITH_A_PERIOD
    first = pairs["baseline"]
    assert [option for option, _ in first] == ["--window DURATION", "--end MOMENT"]
    assert all(pair == first for pair in pairs.values())


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("24h", 86400), ("7d", 604800), ("1w", 604800)]
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert windows.duration(text, option="--window") == seconds


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31T12:00Z", 1769860800),
        ("2026-01-31T12:00", 1769860800),
        ("2026-01-31T13:00+01:00", 1769860800),
        ("2026-01-31", 1769817600),
        ("20260131", 1769817600),
        ("1769860800", 1769860800),
        ("2h", NOW - 7200),
        ("1h30m", NOW - 5400),
        ("1w", NOW - 604800),
    ],
)
def test_moments(text: str, at: float) -> None:
    assert windows.moment(text, option="--end", now=NOW) == at


@given(st.integers(1, 200), st.sampled_from(list(UNITS)))
def test_a_duration_is_so_long_ago(count: int, unit: str) -> None:
    text = f"{count}{unit}"
    if count * UNITS[unit] > windows.LONGEST:
        with pytest.raises(Misconfigured, match="is not between 0 and 10 years"):
            windows.moment(text, option="--end", now=NOW)
    else:
        assert windows.moment(text, option="--end", now=NOW) == NOW - count * UNITS[unit]


@pytest.mark.parametrize("text", ["yesterday", "", "0", "2", "2 h", "2hours", "-2h", "2h ago", "2026-13-01", "12:00"])
def test_what_is_no_moment_gets_one_sentence_with_examples(text: str) -> None:
    said = f"--end {text!r} cannot be read as a moment; write it as 2026-01-31T12:00Z, as 2h for two hours ago, or"
    with pytest.raises(Misconfigured, match=re.escape(said)):
        windows.moment(text, option="--end", now=NOW)


@pytest.mark.parametrize(
    ("span", "end", "says"),
    [
        ("soon", None, "--window 'soon' is no duration up to 10 years; write it as 90m, 24h or 7d"),
        ("7", None, "--window '7' is no duration up to 10 years; write it as 90m, 24h or 7d"),
        ("0h", None, "--window 0h is not between 0 and 10 years; give a span such as 24h or 7d"),
        ("300y", None, "--window '300y' is no duration up to 10 years; write it as 90m, 24h or 7d"),
        ("1m", None, "--window 1m is too short; give at least 10 min"),
        ("91d", None, "--window 91d is too long; give at most 90 d"),
        ("1d", "2999-01-01", "--end 2999-01-01 lies in the future; give a moment that has passed, or leave it out"),
    ],
)
def test_what_is_no_period_gets_one_sentence(span: str, end: str | None, says: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{re.escape(says)}$"):
        windows.period(span, end, least=600, most=90 * 86400, now=NOW)


def test_a_period_ends_now_or_where_it_is_said() -> None:
    assert windows.period("1d", now=NOW) == (NOW - 86400, NOW)
    assert windows.period("1d", "2h", now=NOW) == (NOW - 93600, NOW - 7200)
    assert windows.period("1h", "2026-01-31", now=1.8e9) == (1769814000, 1769817600)


@given(st.floats(0, 1e5))
def test_a_window_is_as_long_as_it_is_said(after: float) -> None:
    over = windows.window("7d", None, interval=30, now=NOW + after)
    assert (over.step % 30, over.moments <= 6000, over.span) == (0, True, 604800)
    assert NOW + after - over.step < over.end <= NOW + after
