"""What an expression asks of Prometheus: which series, by which labels."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import promql_parser as promql

from formats.promql import parse

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


class Selector(NamedTuple):
    """A series asked for, with what is done to it.

    `matchers`: label → (operator, value). `grouping`: the labels by which it is aggregated or joined. `functions`: what
    it is an argument of, outermost first.
    """

    name: str
    matchers: Mapping[str, tuple[str, str]]
    grouping: tuple[str, ...]
    functions: tuple[str, ...]


def find(expr: str) -> list[Selector]:
    """Every series that `expr` reads, in order. Raises ValueError if it is not PromQL."""
    return list(_walk(parse(expr), (), ()))


def _walk(node: promql.Expr, grouping: tuple[str, ...], functions: tuple[str, ...]) -> Iterator[Selector]:
    match node:
        case promql.VectorSelector():
            yield _selector(node, grouping, functions)
        case promql.MatrixSelector():
            yield _selector(node.vector_selector, grouping, functions)
        case promql.AggregateExpr():
            labels = tuple(node.modifier.labels) if node.modifier else ()
            yield from _walk(node.expr, (*grouping, *labels), functions)
        case promql.BinaryExpr():
            matching = node.modifier.matching if node.modifier else None
            joined = (*grouping, *(matching.labels if matching else ()))
            yield from _walk(node.lhs, joined, functions)
            yield from _walk(node.rhs, joined, functions)
        case promql.Call():
            for argument in node.args:
                yield from _walk(argument, grouping, (*functions, node.func.name))
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _walk(node.expr, grouping, functions)


def _selector(node: promql.VectorSelector, grouping: tuple[str, ...], functions: tuple[str, ...]) -> Selector:
    matchers = {
        matcher.name: (_OPERATORS[str(matcher.op).rpartition(".")[2]], matcher.value)
        for matcher in node.matchers.matchers
    }
    name = node.name or matchers.pop("__name__", ("", ""))[1]
    return Selector(name, matchers, tuple(dict.fromkeys(grouping)), functions)
