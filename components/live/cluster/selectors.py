"""Kubernetes' label selectors."""

from collections.abc import Mapping

from formats.json_types import JsonValue


def selects(selector: Mapping[str, JsonValue] | None, labels: Mapping[str, str]) -> bool:
    """Whether something with these labels is selected: no selector selects nothing, an empty one everything."""
    if selector is None:
        return False
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and all(
        _matches(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _matches(expression: Mapping[str, JsonValue], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
    return value is None  # DoesNotExist
