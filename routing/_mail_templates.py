"""What templates in a receiver may use: Alertmanager's functions and what it tells a mail."""

from formats import go_templates, template_data
from formats.go_templates import TemplateError
from formats.template_data import TEXT, Language, Type

__all__ = ["TemplateError", "check", "words"]

# Functions, types and the templates that come with it: https://github.com/prometheus/alertmanager/blob/v0.35.0/template/
# template.go, default.tmpl and email.tmpl. Since when each function is there: routing.routing_needs.
FUNCTIONS = (
    *("toUpper", "toLower", "title", "trimSpace", "join", "match", "safeHtml", "safeUrl", "urlUnescape"),
    *("reReplaceAll", "stringSlice", "date", "tz", "since", "humanizeDuration", "toJson", "now", "toDate"),
    *("mustToDate", "addDuration", "dict", "list", "append", "base64encode", "base64decode", "routeLabels"),
)

_STRINGS = Type("a list of texts", methods={"Join": TEXT}, element=TEXT)
_PAIR = Type("a name with its value", fields={"Name": TEXT, "Value": TEXT})
_PAIRS = Type("a list of pairs", methods={"Names": _STRINGS, "Values": _STRINGS, "String": TEXT}, element=_PAIR)
_KV = Type("a set of labels", element=TEXT, keys=True)
_KV.methods = {"SortedPairs": _PAIRS, "Remove": _KV, "Names": _STRINGS, "Values": _STRINGS, "String": TEXT}
_ALERT = Type(
    "an alert",
    fields={
        **dict.fromkeys(("Status", "GeneratorURL", "Fingerprint"), TEXT),
        **dict.fromkeys(("Labels", "Annotations"), _KV),
        **dict.fromkeys(("StartsAt", "EndsAt")),  # Go's time.Time
    },
)
_SOME = Type("a list of alerts", element=_ALERT)  # what Firing and Resolved give has no such methods itself
_ALERTS = Type("a list of alerts", methods={"Firing": _SOME, "Resolved": _SOME}, element=_ALERT)
DATA = Type(
    "a notification",
    fields={
        **dict.fromkeys(("Receiver", "Status", "NotificationReason", "ExternalURL"), TEXT),
        **dict.fromkeys(("GroupLabels", "CommonLabels", "CommonAnnotations", "RouteLabels"), _KV),
        "Alerts": _ALERTS,
    },
)


def _is_built_in(name: str) -> bool:
    sender, _, rest = name.partition(".")
    return name.startswith("__") or (sender.isalnum() and rest.startswith("default."))


LANGUAGE = Language("Alertmanager", FUNCTIONS, DATA, open_ended=True, templates=_is_built_in)


def check(text: str) -> None:
    """Raise TemplateError at the first thing for which Alertmanager could not write the text."""
    template_data.check(text, LANGUAGE)


def words(text: str) -> frozenset[str]:
    """The functions, variables and first fields of a template that `check` has passed."""
    return go_templates.words(go_templates.parse(text))
