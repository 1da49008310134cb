"""A clock that runs faster than the real one, and what is written so that Prometheus and Alertmanager go by it."""

from dataclasses import dataclass
from datetime import timedelta

import promql_parser as promql

from formats.promql import parse
from ops.errors import Misconfigured

_PER_SECOND = ("rate", "irate", "deriv")  # what answers in events a second
_OF_NOW = ("minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year")


@dataclass(frozen=True)
class Clock:
    """It shows `shown` at the moment `real` (both seconds since the epoch), and runs `speed` times as fast."""

    speed: float
    real: float
    shown: float

    def shows(self, real: float) -> float:
        """What it shows at a real moment."""
        return self.shown + (real - self.real) * self.speed

    def moment(self, shown: float) -> float:
        """The real moment at which it shows that."""
        return self.real + (shown - self.shown) / self.speed

    def shortened(self, seconds: float) -> str:
        """How long these seconds of the clock really last, as Prometheus and Alertmanager write it: `250ms`.

        At least a millisecond, as they know nothing shorter; 0s for none.
        """
        if not seconds:
            return "0s"
        return str(promql.display_duration(timedelta(milliseconds=max(1, round(seconds / self.speed * 1000)))))

    def expression(self, expr: str) -> str:
        """An expression of PromQL that says by the real clock what `expr` says by this one.

        Ranges, steps and offsets are shortened, rates are events a second of this clock, and the time is what it shows.
        Raises Misconfigured for a moment that is written as a number (`@ 1700000000`).
        """
        return str(promql.transform(parse(expr), post_visit=self._visit).prettify())

    def _visit(self, node: promql.Expr) -> promql.Expr | None:
        match node:
            case promql.VectorSelector():
                return parse(f"{_bare(node)}{_at(node)}{self._offset(node)}")
            case promql.MatrixSelector():
                selector = node.vector_selector  # it has been visited
                when = selector.prettify().removeprefix(_bare(selector))
                return parse(f"{_bare(selector)}[{self._of(node)}]{when}")
            case promql.SubqueryExpr():
                step = self.shortened(node.step.total_seconds()) if node.step is not None else ""
                return parse(f"{node.expr.prettify()}[{self._of(node)}:{step}]{_at(node)}{self._offset(node)}")
            case promql.Call():
                return self._call(node)
        return None

    def _call(self, node: promql.Call) -> promql.Expr | None:
        name, given = node.func.name, [one.prettify() for one in node.args]
        if name in _PER_SECOND:
            return parse(f"({node.prettify()} / {self.speed:g})")
        if name == "predict_linear":
            return parse(f"predict_linear({given[0]}, ({given[1]}) / {self.speed:g})")
        if name in ("time", "timestamp"):
            return parse(self._shown_at(node.prettify()))
        if name in _OF_NOW and not given:
            return parse(f"{name}(vector({self._shown_at('time()')}))")
        return None

    def _shown_at(self, real: str) -> str:
        return f"({self.shown:.3f} + ({real} - {self.real:.3f}) * {self.speed:g})"

    def _of(self, node: promql.MatrixSelector | promql.SubqueryExpr) -> str:
        assert node.range is not None  # as the parser's types would allow
        return self.shortened(node.range.total_seconds())

    def _offset(self, node: promql.VectorSelector | promql.SubqueryExpr) -> str:
        if node.offset is None:
            return ""
        seconds = node.offset.total_seconds()
        return f" offset {'-' if seconds < 0 else ''}{self.shortened(abs(seconds))}"


def _bare(selector: promql.VectorSelector) -> str:
    """A selector without its offset and @, which stand behind its matchers or its name."""
    text = str(selector.prettify())
    return text[: text.rindex("}") + 1] if "}" in text else text.partition(" ")[0]


def _at(node: promql.VectorSelector | promql.SubqueryExpr) -> str:
    """Its @, which may be the start or the end of a query."""
    at = str(node.at or "")
    if any(character.isdigit() for character in at):
        raise Misconfigured(
            f"{node.prettify()} names a moment, but a clock that runs faster shows another one; leave this rule out"
        )
    return f" {at}" if at else ""
