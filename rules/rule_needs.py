"""What rule files use that not every version of Prometheus knows.

A file with one thing that the running Prometheus does not know is refused as a whole at the next reload, and the next
start fails. The versions are those of Prometheus' CHANGELOG.md; `make compat` holds this table to real servers.
"""

import re
from collections.abc import Iterable, Iterator

from formats.versions import Feature, Need
from rules import _annotation_templates, _promql
from rules._model import Recording, RuleFile

# Keys of a group.
GROUPS = {
    "limit": Feature("2.31", "#9260"),
    "query_offset": Feature("2.53", "#14061"),
    "labels": Feature("3.0", "#11474"),
}

# Keys of an alert.
ALERTS = {"keep_firing_for": Feature("2.42", "#11827")}

_TRIGONOMETRY = Feature("2.31", "#9239")
_NATIVE = Feature("2.40", "#11447")
_RANGE_OF_QUERY = Feature("3.12", "#17877")
_TIME_OF_SAMPLE = Feature("3.5", "#16722")

# Functions and aggregations. Those that are experimental want a flag besides, whatever the version.
FUNCTIONS = {
    "absent_over_time": Feature("2.16", "#6490"),
    "group": Feature("2.20", "#7480"),
    "last_over_time": Feature("2.26", "#8457"),
    "sgn": Feature("2.26", "#8457"),
    "clamp": Feature("2.26", "#8457"),
    "present_over_time": Feature("2.29", "#9097"),
    **dict.fromkeys(
        (
            *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh"),
            *("deg", "rad", "pi"),
        ),
        _TRIGONOMETRY,
    ),
    **dict.fromkeys(("histogram_count", "histogram_sum", "histogram_fraction"), _NATIVE),
    "histogram_stddev": Feature("2.47", "#12614"),
    "histogram_stdvar": Feature("2.47", "#12614"),
    "mad_over_time": Feature("2.49", "#13059"),
    "sort_by_label": Feature("2.49", "#11299"),
    "sort_by_label_desc": Feature("2.49", "#11299"),
    "histogram_avg": Feature("2.51", "#13467"),
    "limitk": Feature("2.54", "#12503"),
    "limit_ratio": Feature("2.54", "#12503"),
    "info": Feature("2.55", "#14495"),
    "double_exponential_smoothing": Feature("3.0", "#14930"),
    "ts_of_min_over_time": _TIME_OF_SAMPLE,
    "ts_of_max_over_time": _TIME_OF_SAMPLE,
    "ts_of_last_over_time": _TIME_OF_SAMPLE,
    "first_over_time": Feature("3.7", "#16963"),
    "ts_of_first_over_time": Feature("3.7", "#16963"),
    "histogram_quantiles": Feature("3.11", "#17285"),
    "start_timestamp": Feature("3.14", "#19089"),
    "integral": Feature("3.16", "#14440"),
    "max_of": Feature("3.13", "#18687"),
    "min_of": Feature("3.13", "#18687"),
}

_AS_NUMBER = "a duration as a number"
# What else PromQL has learned: as a person calls it → how it is seen in an expression without texts and comments, or,
# where durations have a place of their own (`[5m]`, `offset 1h`) that is not meant, without these either.
SYNTAX = {
    "the @ modifier": (r"@\s*(?:[-+]?\d|start\s*\(|end\s*\()", Feature("2.33", "#10121")),
    "a negative offset": (r"\boffset\s+-", Feature("2.33", "#10121")),
    "atan2": (r"\batan2\b", _TRIGONOMETRY),
    "a name in quotes": (r"\{(?:[^{}]*,)?\s*\"\"\s*(?:[,}]|!?[=~])", Feature("2.51", "#13271")),
    "fill": (r"\bfill(?:_left|_right)?\s*\(", Feature("3.10", "#17644")),
    _AS_NUMBER: (r"(?<![\w.:])\d+(?:ms|[smhdwy])(?!\w)", Feature("2.54", "#9138")),
    "the range of the query": (r"(?<!@)\b(?:start|end|range|step)\s*\(\s*\)", _RANGE_OF_QUERY),
}
_SYNTAX = {what: (re.compile(pattern), feature) for what, (pattern, feature) in SYNTAX.items()}

# Names beyond letters, digits and _ (and : of metrics): of labels and annotations, and of what is recorded.
_UTF8 = Feature("3.0", "CHANGELOG of 3.0, UTF-8")
NAMES = {"a UTF-8 label name": _UTF8, "a UTF-8 metric name": _UTF8}

# Functions and aggregations that want --enable-feature=promql-experimental-functions (Experimental in
# promql/parser/functions.go; IsExperimentalAggregator in promql/parser/lex.go).
EXPERIMENTAL = frozenset(
    {
        *("double_exponential_smoothing", "histogram_quantiles", "info", "integral", "limit_ratio", "limitk"),
        *("mad_over_time", "max_of", "min_of", "sort_by_label", "sort_by_label_desc", "start_timestamp"),
        *(f"ts_of_{which}_over_time" for which in ("min", "max", "first", "last")),
    }
)

# Functions, variables and fields of the templates in labels and annotations.
TEMPLATES = {
    "$externalLabels": Feature("2.10", "#5463"),
    "humanizePercentage": Feature("2.11", "#5670"),
    "$externalURL": Feature("2.28", "#8878"),
    ".ExternalURL": Feature("2.28", "#8878"),
    "parseDuration": Feature("2.32", "#8817"),
    "stripPort": Feature("2.33", "#10002"),
    "stripDomain": Feature("2.36", "#10475"),
    "toTime": Feature("2.38", "#10993"),
    "toDuration": Feature("3.6", "#16619"),
    "now": Feature("3.6", "#16619"),
    "urlQueryEscape": Feature("3.8", "#17403"),
}

_CLASSIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_CLASSIC_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_IN_PLACE = re.compile(r"\[[^\]]*\]|\boffset\s+[-+]?\w+")
_CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\s*(?:\(|(?:by|without)\b)")


def needs(files: Iterable[RuleFile]) -> list[Need]:
    """Each feature that the files use, once, with the first group, alert or recording that does."""
    found: dict[tuple[str, Feature], Need] = {}
    for file in files:
        for where, what, feature in _used(file):
            found.setdefault((what, feature), Need(what, where, feature))
    return list(found.values())


def experimental(expr: str) -> list[str]:
    """The experimental functions and aggregations that an expression calls."""
    return sorted(set(_CALL.findall(_promql.bare(expr))) & EXPERIMENTAL)


def _used(file: RuleFile) -> Iterator[tuple[str, str, Feature]]:
    for group in file.groups:
        for key in sorted(group.keys & GROUPS.keys()):
            yield f"group {group.name}", key, GROUPS[key]
        for rule in group.rules:
            for what, feature in _in_expression(rule.expr):
                yield rule.name, what, feature
            texts, names = [*rule.labels.values()], [*rule.labels]
            if isinstance(rule, Recording) and not _CLASSIC_METRIC.fullmatch(rule.name):
                yield rule.name, "a UTF-8 metric name", NAMES["a UTF-8 metric name"]
            if not isinstance(rule, Recording):
                names += rule.annotations
                for key in sorted(rule.keys & ALERTS.keys()):
                    yield rule.name, key, ALERTS[key]
                texts += rule.annotations.values()
            if any(not _CLASSIC_NAME.fullmatch(name) for name in names):
                yield rule.name, "a UTF-8 label name", NAMES["a UTF-8 label name"]
            words = {word for text in texts if "{{" in text for word in _annotation_templates.words(text)}
            for word in sorted(words & TEMPLATES.keys()):
                yield rule.name, word, TEMPLATES[word]


def _in_expression(expr: str) -> Iterator[tuple[str, Feature]]:
    bare = re.sub(r"@\s+", "@", _promql.bare(expr))
    for name in sorted(set(_CALL.findall(bare)) & FUNCTIONS.keys()):
        yield name, FUNCTIONS[name]
    for what, (pattern, feature) in _SYNTAX.items():
        if pattern.search(_IN_PLACE.sub("", bare) if what == _AS_NUMBER else bare):
            yield what, feature
