"""PromQL, parsed: promql-parser, which holds Prometheus' own test cases, and three things that it does not know yet."""

import re

import promql_parser

from formats.go_strings import quote

_PIECE = re.compile(
    r"(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|`(?P<raw>[^`]*)`|(?P<comment>#[^\n]*)"
    r"|(?P<nothing>\boffset\s+[-+]?(?:(?:0+(?:ms|[smhdwy]))+|0+)(?![\w.]))"
    r"|(?P<number>(?<![\w.:])\d+(?:_\d+)+)",
    re.IGNORECASE,
)


def parse(expr: str) -> promql_parser.Expr:
    """The syntax tree. Raises ValueError with the parser's reason.

    A backslash in a raw text, an offset of nothing, and `_` between the digits of a number are put in its words.
    """
    return promql_parser.parse(_PIECE.sub(_in_its_words, expr))


def _in_its_words(piece: re.Match[str]) -> str:
    if piece["raw"] is not None:
        return quote(piece["raw"])
    if piece["nothing"]:
        return ""
    return piece["number"].replace("_", "") if piece["number"] else piece[0]
