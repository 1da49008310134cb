"""The words of a PromQL expression, each with its place in the text, so that a few can be changed and all others stay.

The parser (`formats.promql`) has no places, and a text printed from its tree has lost its lines and comments. Grafana's
variables are taken as they stand: nothing is evaluated here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<skipped>\s+|#[^\n]*)"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?::+[A-Za-z0-9_]+)*)"
    r"|(?P<number>[0-9.][0-9A-Za-z_.]*)"
    r"|(?P<sign>=~|!~|==|!=|>=|<=|.)",
    re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
# Words between operands, and those before a list of labels: none is the name of a function.
OPERATORS = frozenset({"and", "or", "unless", "atan2", "bool", "offset"})
GROUPINGS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word of an expression. `kind`: text, word, number or sign. `start` and `end`: its place, as in a slice."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def unquoted(self) -> str:
        """What a text says, without its quotes; a word or sign as it stands. Escapes stay as they are written."""
        return self.text[1:-1] if self.kind == "text" else self.text


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words in order, without spaces and comments.

    `pairs`: index of a bracket → that of its other half. `inside`: index → that of the innermost bracket that is open
    there, or -1.
    """

    every: Sequence[Token]
    pairs: dict[int, int]
    inside: Sequence[int]

    def text(self, index: int) -> str:
        """The word at an index, "" outside of the expression."""
        return self.every[index].text if 0 <= index < len(self.every) else ""

    def word(self, index: int) -> str:
        """The word at an index in small letters, as keywords are compared; "" for a sign, a text or a number."""
        there = 0 <= index < len(self.every) and self.every[index].kind == "word"
        return self.every[index].text.lower() if there else ""


def read(expr: str) -> Tokens:
    """The words of an expression. Raises ValueError for a bracket without its other half."""
    every = [
        Token(str(found.lastgroup), found[0], found.start(), found.end())
        for found in _TOKEN.finditer(expr)
        if found.lastgroup != "skipped"
    ]
    pairs: dict[int, int] = {}
    inside: list[int] = []
    opened: list[int] = []
    for index, token in enumerate(every):
        if token.kind == "sign" and token.text in _PAIRS:
            if not opened or every[opened[-1]].text != _PAIRS[token.text]:
                raise ValueError(f"has a {token.text} without a {_PAIRS[token.text]}")
            pairs[index] = opened.pop()
            pairs[pairs[index]] = index
        inside.append(opened[-1] if opened else -1)
        if token.kind == "sign" and token.text in _PAIRS.values():
            opened.append(index)
    if opened:
        raise ValueError(f"has a {every[opened[-1]].text} that is not closed")
    return Tokens(every, pairs, inside)


def changed(expr: str, edits: Sequence[tuple[int, int, str]]) -> str:
    """The expression with each (start, end, text) put in; no two edits overlap."""
    found, at = [], 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        found += [expr[at:start], text]
        at = end
    return "".join([*found, expr[at:]])
