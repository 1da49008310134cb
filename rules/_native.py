"""An expression on classic histograms, as it reads where Prometheus has them as native ones.

`rate(X_count[5m])` becomes `histogram_count(rate(X[5m]))`: the number is taken directly from what is counted, so all
around it (sums, offsets of subqueries, comparisons, `or vector(0)`) stays as it is and keeps its meaning. Under
`histogram_quantile`, `sum by (le, path) (rate(X_bucket[5m]))` becomes `sum by (path) (rate(X[5m]))`. Only these words
of the text change: its lines, spaces and comments stay. What has no such form is refused.

A recording whose whole expression is rates of buckets, or a sum of them, records a native histogram under its own name.
What reads that name reads buckets in the classic form, and the histogram here: `le` goes where these are added up.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from formats import promql_tokens
from formats.promql_tokens import GROUPINGS, OPERATORS, Tokens

Edit = tuple[int, int, str]

# Of a histogram they give the histogram whose count and sum are what they give of the count and the sum.
_LINEAR = ("rate", "increase", "irate", "delta", "idelta", "last_over_time", "sum_over_time", "avg_over_time")
# Those of them that have a meaning where rates are recorded: the others are for what counts from a start.
_OF_RECORDED = ("last_over_time", "sum_over_time", "avg_over_time")
# What they give does not depend on the values.
_OF_PRESENCE = ("absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp")
_ADDING = ("sum", "avg")
_FUNCTIONS = {"count": "histogram_count", "sum": "histogram_sum"}
_MATCHING = {"=", "!=", "=~", "!~"}


@dataclass(frozen=True)
class _Selector:
    """A series asked for: the words from `first` to `last`, in a range if `bracket` (an index) is not -1.

    `name`: the index of the word or text that names it; `labels`: those of the names of its labels.
    """

    series: str
    name: int
    first: int
    last: int
    bracket: int
    labels: Sequence[int]


@dataclass(frozen=True)
class _Call:
    """A function or aggregation: the words from `first` to `last`. `clause`: those of `by (…)`, or None."""

    function: str
    first: int
    last: int
    clause: tuple[int, int] | None
    position: int  # of the argument that was asked about, from 0


def series_of(histogram: str) -> tuple[str, str, str]:
    """The names under which a classic histogram is kept."""
    return (f"{histogram}_bucket", f"{histogram}_count", f"{histogram}_sum")


def native(
    expr: str, histograms: Collection[str], recorded: Collection[str] = (), *, is_recording: bool = False
) -> str:
    """The expression for these histograms being native ones; itself where it reads none of them.

    `recorded`: the names of the recordings that record a histogram. `is_recording`: whether the value may be one. It
    has as many lines as before. Raises ValueError, saying in a few words what in it has no native form.
    """
    parts = _parts(histograms, recorded)
    if not any(series in expr for series in parts) and "__name__" not in expr:
        return expr
    tokens = promql_tokens.read(expr)
    edits: list[Edit] = []
    for selector in _selectors(tokens, parts):
        histogram, part = parts[selector.series]
        named = tokens.every[selector.name]
        edits.append((named.start, named.end, named.text.replace(selector.series, histogram)))
        if part in _FUNCTIONS:
            edits += _of_number(tokens, selector, _FUNCTIONS[part])
            continue
        of_bucket, is_value = _of_bucket(tokens, selector, part == "recorded")
        if is_value and not is_recording:
            raise _other_use(selector, part == "recorded")
        edits += of_bucket
    if edits:
        _refuse_names(tokens)
    return promql_tokens.changed(expr, edits)


def is_histogram(expr: str, histograms: Collection[str], recorded: Collection[str]) -> bool:
    """Whether a recording of this expression records a histogram; False also where it has no native form."""
    parts = _parts(histograms, recorded)
    try:
        tokens = promql_tokens.read(expr)
        found = [(one, parts[one.series][1]) for one in _selectors(tokens, parts)]
        return any(_of_bucket(tokens, one, part == "recorded")[1] for one, part in found if part not in _FUNCTIONS)
    except ValueError:
        return False


def _parts(histograms: Collection[str], recorded: Collection[str]) -> dict[str, tuple[str, str]]:
    """Each series of a histogram → the histogram, and which part of it the series has."""
    found = {series: (name, series[len(name) + 1 :]) for name in histograms for series in series_of(name)}
    return found | {name: (name, "recorded") for name in recorded}


def _selectors(tokens: Tokens, parts: Collection[str]) -> Iterator[_Selector]:
    """Every selector of one of these series. Raises ValueError for one that may be of them and of others."""
    for index, token in enumerate(tokens.every):
        opened = tokens.inside[index]
        if token.kind == "word":
            within = opened >= 0 and (tokens.text(opened) == "{" or tokens.word(opened - 1) in GROUPINGS)
            if token.text in parts and not within and tokens.text(index + 1) != "(":
                yield _selector(tokens, token.text, index, index)
        elif token.text == "{" and (tokens.every[index - 1].kind != "word" or index == 0 or _follows(tokens, index)):
            name = _name_in_braces(tokens, index, parts)
            if name is not None:
                yield _selector(tokens, tokens.every[name].unquoted, name, index)


def _follows(tokens: Tokens, index: int) -> bool:
    """Whether the word before a brace is an operator, so that the brace begins a selector."""
    return tokens.word(index - 1) in OPERATORS


def _name_in_braces(tokens: Tokens, brace: int, parts: Collection[str]) -> int | None:
    """The index of the text that names one of `parts`: `{"x", …}` or `{__name__="x", …}`."""
    for index in range(brace + 1, tokens.pairs[brace]):
        token = tokens.every[index]
        if token.unquoted == "__name__" and (operator := tokens.text(index + 1)) in _MATCHING:
            value = tokens.every[index + 2].unquoted
            if operator == "=" and value in parts:
                return index + 2
            if operator != "=" and any(_matches(operator, value, series) for series in parts):
                raise ValueError(f"selects metrics by the pattern {value!r}, among them histograms: name them")
        elif token.kind == "text" and token.unquoted in parts and _stands_alone(tokens, index):
            return index
    return None


def _stands_alone(tokens: Tokens, index: int) -> bool:
    return tokens.text(index - 1) in ("{", ",") and tokens.text(index + 1) in ("}", ",")


def _matches(operator: str, value: str, series: str) -> bool:
    same = series == value if operator == "!=" else re.fullmatch(value, series) is not None
    return same == (operator == "=~")


def _selector(tokens: Tokens, series: str, name: int, first: int) -> _Selector:
    last, labels, bracket = first, range(0), -1
    brace = first if tokens.text(first) == "{" else first + 1
    if tokens.text(brace) == "{":
        last = tokens.pairs[brace]
        labels = range(brace + 1, last)
    if tokens.text(last + 1) == "[":
        bracket, last = last + 1, tokens.pairs[last + 1]
    return _Selector(series, name, first, _with_modifiers(tokens, last), bracket, labels)


def _with_modifiers(tokens: Tokens, last: int) -> int:
    """The last word of a selector with its `offset …` and `@ …`."""
    while True:
        if tokens.word(last + 1) != "offset" and tokens.text(last + 1) != "@":
            return last
        last += 2
        while tokens.text(last) in ("-", "+", "$"):
            last += 1
        if tokens.text(last + 1) == "(" and tokens.word(last) in ("start", "end"):
            last = tokens.pairs[last + 1]
        elif tokens.text(last) in ("(", "{"):
            last = tokens.pairs[last]


def _around(tokens: Tokens, first: int, last: int) -> tuple[int, int]:
    """The widest stretch of words that is this one in parentheses that change nothing."""
    while (
        tokens.text(first - 1) == "("
        and tokens.text(last + 1) == ")"
        and not tokens.word(first - 2).strip()
        and not _clause_before(tokens, first - 1)
    ):
        first, last = first - 1, last + 1
    return first, last


def _clause_before(tokens: Tokens, opened: int) -> int | None:
    """The index of `by` or `without` where `opened` is the bracket of `sum by (…) (`."""
    if tokens.text(opened - 1) != ")":
        return None
    word = tokens.pairs[opened - 1] - 1
    return word if tokens.word(word) in ("by", "without") else None


def _call(tokens: Tokens, first: int, last: int) -> _Call | None:
    """The function or aggregation that has exactly these words as one of its arguments; None for an operand."""
    if tokens.text(first - 1) not in ("(", ",") or tokens.text(last + 1) not in (")", ","):
        return None
    opened = tokens.inside[first]
    if opened < 0 or tokens.text(opened) != "(":
        return None
    end = tokens.pairs[opened]
    position = sum(tokens.text(at) == "," and tokens.inside[at] == opened for at in range(opened, first))
    before = _clause_before(tokens, opened)
    if before is not None:
        return _Call(tokens.word(before - 1), before - 1, end, (before, opened - 1), position)
    function = tokens.word(opened - 1)
    if not function or function in OPERATORS | GROUPINGS:
        return None
    if tokens.word(end + 1) in ("by", "without") and tokens.text(end + 2) == "(":
        after = tokens.pairs[end + 2]
        return _Call(function, opened - 1, after, (end + 1, after), position)
    return _Call(function, opened - 1, end, None, position)


def _of_number(tokens: Tokens, selector: _Selector, function: str) -> list[Edit]:
    """`function(…)` around the smallest part that is a histogram now and was a number of it."""
    call = _call(tokens, *_around(tokens, selector.first, selector.last))
    if call is not None and call.function in _OF_PRESENCE:
        return []
    if selector.bracket < 0:
        return _wrapped(tokens, function, selector.first, selector.last)
    if call is not None and call.function in _LINEAR:
        return _wrapped(tokens, function, call.first, call.last)
    bracket = range(selector.bracket, tokens.pairs[selector.bracket])
    if any(":" in tokens.text(at) for at in bracket):  # a subquery: of the number at each of its steps
        return _wrapped(tokens, function, selector.first, selector.bracket - 1)
    what = f"takes {call.function}() of {selector.series}" if call else f"reads {selector.series} over a range"
    raise ValueError(f"{what}, which no function gives of a native histogram")


def _wrapped(tokens: Tokens, function: str, first: int, last: int) -> list[Edit]:
    start, end = tokens.every[first].start, tokens.every[last].end
    return [(start, start, f"{function}("), (end, end, ")")]


def _of_bucket(tokens: Tokens, selector: _Selector, recorded: bool) -> tuple[list[Edit], bool]:
    """No `le` in what lies between the buckets and `histogram_quantile`, or between them and the whole expression.

    The edits, and whether the histogram is the value of the whole. Raises ValueError for any other use.
    """
    if any(tokens.every[at].unquoted == "le" and tokens.text(at + 1) in _MATCHING for at in selector.labels):
        raise ValueError(f"selects buckets of {selector.series} by le: ask for a share with histogram_fraction()")
    edits: list[Edit] = []
    first, last, in_range = selector.first, selector.last, selector.bracket >= 0
    while True:
        first, last = _around(tokens, first, last)
        call = _call(tokens, first, last)
        if call is None or (in_range and call.function not in (_OF_RECORDED if recorded else _LINEAR)):
            break
        if call.function == "histogram_quantile" and call.position == 1:
            return edits, False
        if call.function in _ADDING:
            edits += _without_le(tokens, call, selector.series)
        elif not in_range:
            break
        first, last, in_range = call.first, call.last, False
    # What is no rate counts from a start: a quantile of it is of all time.
    if first == 0 and last == len(tokens.every) - 1 and not in_range and (selector.bracket >= 0 or recorded):
        return edits, True
    raise _other_use(selector, recorded)


def _other_use(selector: _Selector, recorded: bool) -> ValueError:
    read = selector.series if recorded else f"sum by (le, …) (rate({selector.series}[…]))"
    return ValueError(f"reads {selector.series} other than as histogram_quantile(…, {read})")


def _without_le(tokens: Tokens, call: _Call, series: str) -> list[Edit]:
    word, end = call.clause or (0, 0)
    labels = [at for at in range(word + 2, end) if tokens.text(at) != ","]
    own = [at for at in labels if tokens.every[at].unquoted == "le"]
    if call.clause and tokens.word(word) == "without":
        if own:
            raise ValueError(f"adds up {series} without le, so that no buckets are left")
        return []
    if not own:
        raise ValueError(f"adds up {series} by other labels than le, so that no buckets are left")
    if len(own) == len(labels):  # the whole clause, with the space before the bracket or the clause that follows
        start = tokens.every[word - 1].end
        return [(start, tokens.every[end + 1].start if end < call.last else tokens.every[end].end, "")]
    edits = []
    for at in own:
        follows = tokens.text(at + 1) == ","
        start = tokens.every[at].start if follows else tokens.every[at - 1].start
        edits.append((start, tokens.every[at + 2].start if follows else tokens.every[at].end, ""))
    return edits


def _refuse_names(tokens: Tokens) -> None:
    """A number out of a histogram has no name: what looks at the name would see another one, or none."""
    for at, token in enumerate(tokens.every):
        within = tokens.inside[at]
        if token.unquoted == "__name__" and not (within >= 0 and tokens.text(within) == "{"):
            raise ValueError("looks at the name of its metrics (__name__), and a number of a native histogram has none")
