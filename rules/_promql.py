"""PromQL as rules use it: parsed with care, compared, and taken apart at the limit."""

import re
from dataclasses import dataclass
from typing import TypeGuard

import promql_parser as promql

from formats.promql import parse as parse_promql

# The parser's time and stack grow without bound in these [400 operators: 0.1 s, 5000: a crash]. Texts are cheap.
MAX_LENGTH = 20_000  # without texts and comments
MAX_TEXTS = 200_000  # with them
MAX_DEPTH = 60
MAX_OPERATORS = 400

_OPERATOR = re.compile(r"[-+*/%^]|[<>=!]=?|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`")
_TEXT_OR_COMMENT = re.compile(rf"{_STRING.pattern}|#[^\n]*")
_COMPARISON = re.compile(
    r"^(?P<lead>\s*)(?P<operator>==|!=|>=|<=|>|<)(?P<gap>\s*)"
    r"(?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(?P<rest>\s*(?:#.*)?)$"
)


@dataclass(frozen=True)
class Limit:
    """The last line of an alert's expression: `text` is `"> 1000"`, whatever the spacing in the file."""

    operator: str
    value: float
    text: str

    @property
    def fires_below(self) -> bool:
        """Whether low values are the bad ones."""
        return self.operator.startswith("<")


@dataclass(frozen=True)
class Split:
    """An alert's expression, taken apart: `row` is the limit's line within the expression, from 0."""

    signal: str
    limit: Limit
    row: int


def parse(expr: str) -> promql.Expr:
    """Raises ValueError, saying in a few words what is wrong, for whatever is not PromQL."""
    without_texts = bare(expr[:MAX_TEXTS])
    if len(expr) > MAX_TEXTS or len(without_texts) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters: split it with a recording rule")
    if len(_OPERATOR.findall(without_texts)) > MAX_OPERATORS:
        raise ValueError(f"has more than {MAX_OPERATORS} operators: split it with a recording rule")
    if _depth(without_texts) > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} brackets: split it with a recording rule")
    try:
        return parse_promql(expr)
    except ValueError as error:
        raise ValueError(f"is not PromQL: {' '.join(str(error).split())}") from None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def normalise(expr: str) -> str:
    """The one form in which expressions are compared: one layout, no comments, no outer parentheses."""
    return str(_bare(parse(expr)).prettify())


def quantity(signal: str) -> str:
    """What a signal measures: without its guards (`… and on () guard`) and outer parentheses, normalised."""
    node = _bare(parse(signal))
    while _is_guarded(node):
        node = _bare(node.lhs)
    return str(node.prettify())


def names(expr: str) -> set[str]:
    """The metrics and recordings that an expression reads."""
    found: set[str] = set()

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.add(metric(node))

    promql.walk(parse(expr), pre_visit=visit)
    return found


def metric(node: promql.VectorSelector) -> str:
    """The metric that a selector names, before its braces or in them, as UTF-8 names have to be; "" for none."""
    if node.name:
        return str(node.name)
    named = (one.value for one in node.matchers.matchers if one.name == "__name__" and str(one.op) == "MatchOp.Equal")
    return next(named, "")


def bare(expr: str) -> str:
    """An expression with its texts emptied and its comments left out: what a search for words may look at."""
    return _TEXT_OR_COMMENT.sub(lambda found: "" if found[0].startswith("#") else '""', expr)


def kind(expr: promql.Expr) -> str:
    """What an expression evaluates to: `scalar`, `string`, `matrix` or `vector`."""
    match expr:
        case promql.NumberLiteral():
            return "scalar"
        case promql.StringLiteral():
            return "string"
        case promql.MatrixSelector() | promql.SubqueryExpr():
            return "matrix"
        case promql.ParenExpr() | promql.UnaryExpr():
            return kind(expr.expr)
        case promql.Call():
            return str(expr.func.return_type).rpartition(".")[2].lower()
        case promql.BinaryExpr():
            return "scalar" if kind(expr.lhs) == kind(expr.rhs) == "scalar" else "vector"
        case _:
            return "vector"


def split(expr: str) -> Split:
    """Take an alert's expression apart into signal and limit. Raises ValueError where it is not of that form."""
    lines = expr.split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    row = len(lines) - 1
    found = _COMPARISON.match(lines[row])
    if not found:
        raise ValueError("must end in a line of its own that is only the comparison with the limit, as in `> 1000`")
    signal, operator = "\n".join(lines[:row]).strip("\n"), found["operator"]
    number = float(found["number"])
    if number in (float("inf"), float("-inf")):
        raise ValueError("has a limit too large for a number")
    try:
        node = parse(signal)
    except ValueError as error:
        raise ValueError(f"has a signal (all above its last line) that {error}") from None
    if kind(node) != "vector":
        raise ValueError(f"has a signal that is a {kind(node)}, and only a vector can be compared with a limit")
    whole = parse(expr)
    if not (
        isinstance(whole, promql.BinaryExpr)
        and str(whole.op) == operator
        and _bare(whole.lhs).prettify() == _bare(node).prettify()
    ):
        raise ValueError("compares only the last part of its signal with the limit: put the signal in parentheses")
    _check_guards(_bare(node))
    return Split(signal, Limit(operator, number, f"{operator} {found['number']}"), row)


def with_number(line: str, number: float) -> str:
    """The limit's line with another number; spacing and comment stay. Raises ValueError if it is no such line."""
    found = _COMPARISON.match(line)
    if not found:
        raise ValueError("is not a comparison with a limit")
    text = str(int(number)) if number.is_integer() else repr(number)
    return f"{found['lead']}{found['operator']}{found['gap']}{text}{found['rest']}"


def _bare(node: promql.Expr) -> promql.Expr:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def _is_guarded(node: promql.Expr) -> TypeGuard[promql.BinaryExpr]:
    """Whether `node` is `… and on () …`, which keeps the left values if there is anything on the right."""
    if not isinstance(node, promql.BinaryExpr) or str(node.op) != "and" or node.modifier is None:
        return False
    matching = node.modifier.matching
    return matching is not None and not matching.labels and matching.type == promql.LabelModifierType.Include


def _check_guards(node: promql.Expr) -> None:
    """`a or b and on () guard` guards b alone, since `and` binds tighter: hardly ever what is meant."""
    while _is_guarded(node):
        node = _bare(node.lhs)
    if not isinstance(node, promql.BinaryExpr) or str(node.op) != "or":
        return
    if _is_guarded(node.lhs) or _is_guarded(node.rhs):
        raise ValueError("guards only one side of its `or`: put what is to be guarded in parentheses")
