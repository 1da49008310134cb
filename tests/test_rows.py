"""Rows of facts at the widths of people's terminals: no name is broken, no column is lost."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ops.rows import print_rows

TITLES = ("alert", "now", "proposed", "why")
ROWS = (
    ("DatabaseConnectionPoolUtilizationHigh", "> 0.8", "> 0.96", "the usual peak is 0.8, and 20 % above it is 0.96"),
    ("APIErrorRateHigh", "> 0.01", "–", "there is data for 2 h 25 min of the 24 h; choose a shorter --window"),
)


def printed(width: int, rows: tuple[tuple[str, ...], ...] = ROWS) -> list[str]:
    out = io.StringIO()
    print_rows(Console(file=out, width=width), TITLES, rows)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_name_and_no_limit_is_broken(width: int) -> None:
    lines = printed(width)
    assert all(len(line.rstrip()) <= width for line in lines)
    text = "\n".join(lines)
    for name, now, proposed, prose in ROWS:
        assert name in text
        assert now in text
        assert proposed in text
        assert "".join(prose.split()) in "".join(text.split())


def test_a_wide_terminal_has_a_table_and_a_narrow_one_a_list() -> None:
    assert printed(200)[0].split() == list(TITLES)
    narrow = printed(60)
    assert narrow[0].rstrip() == ROWS[0][0]
    assert narrow[1].strip() == "now > 0.8, proposed > 0.96"


def test_what_is_not_known_is_left_out_of_the_list() -> None:
    assert [line.strip() for line in printed(40, (("APIErrorRateHigh", "", "", ""),))] == ["APIErrorRateHigh"]


@given(st.integers(40, 200), st.lists(st.text("ab[]/ ", min_size=1, max_size=60), min_size=4, max_size=4))
def test_any_text_is_printed_as_it_is(width: int, row: list[str]) -> None:
    text = "".join("".join(printed(width, (tuple(row),))).split())
    for cell in row:
        assert "".join(cell.split()) in text
