"""The words of an expression with their places: nothing is lost between them but spaces and comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import promql_tokens

PIECES = ["sum", "a:b", " ", "\n", "(x)", "[5m:1m]", '"a # b"', "# c\n", "=~", "1e5", "$v", "`\\`"]


@given(st.lists(st.sampled_from(PIECES)))
def test_places(pieces: list[str]) -> None:
    expr = "".join(pieces)
    tokens = promql_tokens.read(expr)
    assert all(expr[one.start : one.end] == one.text for one in tokens.every)
    assert promql_tokens.changed(expr, [(one.start, one.end, one.text) for one in tokens.every]) == expr
    left = promql_tokens.changed(expr, [(one.start, one.end, "") for one in tokens.every])
    assert all(not line.strip() or line.strip().startswith("#") for line in left.split("\n"))


def test_brackets_know_each_other() -> None:
    tokens = promql_tokens.read('f(a{b="(["}[5m], (c))')
    for opened, closed in tokens.pairs.items():
        assert tokens.pairs[closed] == opened
    assert [tokens.text(tokens.inside[at]) for at, one in enumerate(tokens.every) if one.text in ("b", "5m", "c")] == [
        "{",
        "[",
        "(",
    ]


@pytest.mark.parametrize("expr", ["f(a", "a)", "a[5m)", "{"])
def test_a_bracket_alone_is_refused(expr: str) -> None:
    with pytest.raises(ValueError, match=r"without a|not closed"):
        promql_tokens.read(expr)
