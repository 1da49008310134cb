"""What templates in labels and annotations may use: Prometheus' functions and what it tells an alert."""

from collections.abc import Callable
from typing import TypeAlias

from formats import go_templates, template_data
from formats.go_templates import TemplateError
from formats.template_data import TEXT, Language, Type

__all__ = ["TemplateError", "check", "check_syntax", "words"]

# https://github.com/prometheus/prometheus/blob/v3.16.0/template/template.go (`tmpl` is for consoles alone). Since when
# each function is there: rules.rule_needs.
FUNCTIONS = (
    *("query", "first", "label", "value", "strvalue", "args", "reReplaceAll", "safeHtml", "match", "title", "toUpper"),
    *("toLower", "graphLink", "tableLink", "sortByLabel", "stripPort", "stripDomain", "humanize", "humanize1024"),
    *("humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toTime", "toDuration", "now", "pathPrefix"),
    *("externalURL", "parseDuration", "urlQueryEscape"),
)
_LABELS = Type("a set of labels", element=TEXT, keys=True)
_SAMPLE = Type("a sample", fields={"Labels": _LABELS, "Value": None})
_SAMPLES = Type("a list of samples", element=_SAMPLE)
_DATA = Type("an alert", fields={"Labels": _LABELS, "ExternalLabels": _LABELS, "ExternalURL": TEXT, "Value": None})
# The variables stand before every template: rules/alerting.go of the same release.
_VARIABLES = {"$labels": _LABELS, "$externalLabels": _LABELS, "$externalURL": TEXT, "$value": None}
Check: TypeAlias = Callable[[str], None]
LANGUAGE = Language(
    "Prometheus",
    FUNCTIONS,
    _DATA,
    _VARIABLES,
    results={"query": _SAMPLES, "sortByLabel": _SAMPLES},
)


def check(text: str) -> None:
    """Raise TemplateError at the first thing for which Prometheus could not write the text."""
    template_data.check(text, LANGUAGE)


def check_syntax(text: str) -> None:
    """Raise TemplateError at the first thing for which Prometheus would not load the rule."""
    template_data.check_syntax(text, LANGUAGE)


def words(text: str) -> frozenset[str]:
    """The functions, variables and first fields of a template that a check has passed."""
    return go_templates.words(go_templates.parse(text, tuple(_VARIABLES)))
