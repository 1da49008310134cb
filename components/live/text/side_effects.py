"""What our routes, which come first, change for others; and which inhibitions of others can mute our alerts."""

import re
from collections.abc import Iterator, Mapping, Sequence

from components.live.text.shorten import shorten
from formats.json_types import JsonValue
from routing import tree
from routing.tree import Inhibition, Matcher, Route
from rules import SHADOW

# Parts of a regular expression that stand for texts: repetitions of any character, classes, flags.
_REPEATED = re.compile(r"\.[*+?]?|[*+?]")
_CLASS = re.compile(r"\[[^\]]+\][*+?]?|\\[dws][*+?]?")
_FLAGS = re.compile(r"\(\?\w+\)")
# Settings of a mail that Alertmanager takes from `global` where a receiver has none (config.go, `EmailConfig`).
_INHERITED = ("hello", "auth_identity", "auth_secret", "auth_secret_file", "tls_config", "force_implicit_tls")
SHOWN = 4  # alerts, receivers or labels that one sentence names

Labels = Mapping[str, str]


def warnings(config: Mapping[str, JsonValue], routes: Sequence[JsonValue], alerts: Sequence[Labels]) -> list[str]:
    """For a preview. ``config``: the live one without ours; ``routes``: ours; ``alerts``: our alerts' labels.

    Raises routing.RoutingError for a configuration that cannot be read.
    """
    return [*_lost_alerts(config, routes, alerts), *_mutes(config, alerts)]


def inherited_mail_settings(config: Mapping[str, JsonValue], receivers: Sequence[JsonValue]) -> list[str]:
    """The mail settings that our receivers take from the `global` of others, as they say nothing of them themselves."""
    mails = [mail for receiver in receivers for mail in receiver.get("email_configs") or ()]
    found = [
        f"smtp_{key}"
        for key in _INHERITED
        if (config.get("global") or {}).get(f"smtp_{key}") not in (None, "", False, {})
        and any(mail.get(key) is None for mail in mails)
    ]
    if not found:
        return []
    relays = list(dict.fromkeys(str(mail.get("smarthost")) for mail in mails if mail.get("smarthost")))
    of = f" by {', '.join(relays)}" if relays else ""
    return [f"alertmanager.yml: our mails{of} also go by its global {', '.join(found)}: is that right for this relay?"]


def routes_that_lose_alerts(
    config: Mapping[str, JsonValue], routes: Sequence[JsonValue], alerts: Sequence[Labels]
) -> list[str]:
    """Live routes (not the fallback) that would get alerts of ours if our routes did not come first."""
    return _lost_alerts(config, routes, alerts, alike=False)


def _lost_alerts(
    config: Mapping[str, JsonValue], routes: Sequence[JsonValue], alerts: Sequence[Labels], *, alike: bool = True
) -> list[str]:
    """Live routes (not the fallback) from which our routes take alerts: ours, and with `alike` examples of others'.

    An alert that is only being tried is told to nobody by any routing of ours, so no route loses it.
    """
    before = tree.tree(config)
    root = config["route"]
    after = tree.tree({**config, "route": {**root, "routes": [*routes, *(root.get("routes") or ())]}})
    ours = after.routes[: len(routes)]
    lost: dict[tuple[int, ...], tuple[Route, dict[str, None], dict[str, None]]] = {}
    known = {labels.get("alertname") for labels in alerts}  # our own alerts are known: no need for examples
    made_up = _example_labels(before, ours) if alike else ()
    for labels in [*alerts, *(labels for labels in made_up if labels.get("alertname") not in known - {None})]:
        if labels.get("stage") == SHADOW:
            continue
        now = after.takes(labels)
        kept = {_position_without_ours(route.match.position, len(routes)) for route in now}
        takers = [route.match.receiver for route in now if route.match.position[:1] < (len(routes),)]
        for route in before.takes(labels):
            if route.match.position and route.match.position not in kept and takers:
                _, examples, receivers = lost.setdefault(route.match.position, (route, {}, {}))
                examples[labels.get("alertname") or _format_labels(labels)] = None
                receivers.update(dict.fromkeys(takers))
    return [
        f"alertmanager.yml: route {' '.join(route.match.path[1:])} → {route.match.receiver} no longer gets "
        f"{shorten(list(examples), SHOWN)}: ours stand first and send them to {shorten(list(receivers), SHOWN)}"
        for route, examples, receivers in lost.values()
    ]


def _position_without_ours(position: tuple[int, ...], ours: int) -> tuple[int, ...] | None:
    """The position of a route without ours before it; None for one of ours."""
    if not position:
        return position
    return (position[0] - ours, *position[1:]) if position[0] >= ours else None


def _example_labels(before: Route, ours: Sequence[Route]) -> Iterator[dict[str, str]]:
    """Label sets that both a live route and one of ours match, as far as their matchers name values."""
    for path in _paths(before, ()):
        for mine in ours:
            labels = _matching_labels([*path, *mine.matchers])
            if labels:
                yield labels


def _paths(route: Route, above: tuple[Matcher, ...]) -> Iterator[tuple[Matcher, ...]]:
    for child in route.routes:
        path = (*above, *child.matchers)
        yield path
        yield from _paths(child, path)


def _matching_labels(matchers: Sequence[Matcher]) -> dict[str, str] | None:
    """Labels that fulfil all the matchers; None where none are found."""
    labels = {matcher.name: matcher.value for matcher in matchers if matcher.operator == "="}
    for matcher in matchers:
        if matcher.operator == "=~" and matcher.name not in labels:
            for word in matcher.value.strip("^$()").split("|"):
                if re.fullmatch(r"[\w-]+", word) and all(
                    other.matches({matcher.name: word}) for other in matchers if other.name == matcher.name
                ):
                    labels[matcher.name] = word
                    break
    return labels if labels and all(matcher.matches(labels) for matcher in matchers) else None


def _mutes(config: Mapping[str, JsonValue], alerts: Sequence[Labels]) -> list[str]:
    found = []
    for index, rule in enumerate(tree.inhibitions(config), start=1):
        muted = [labels for labels in alerts if _can_mute(rule, labels)]
        if muted:
            held = [label for label in rule.equal if any(label in labels for labels in muted)]
            scope = "anywhere: ours carry none of the labels in its `equal`"
            if held:
                scope = f"with the same {shorten(held, SHOWN)}"
            names = shorten([_name(labels) for labels in muted], SHOWN)
            found.append(
                f"alertmanager.yml: inhibition {rule.name or index} mutes {names} "
                f"while an alert with {_conditions(rule.source)} fires {scope}"
            )
    return found


def _can_mute(rule: Inhibition, target: Labels) -> bool:
    if "alertname" in rule.equal:  # no alert of others has the name of one of ours
        return False
    same = [Matcher(label, target.get(label, ""), "=") for label in rule.equal]
    by_label: dict[str, list[Matcher]] = {}
    for matcher in (*rule.source, *same):
        by_label.setdefault(matcher.name, []).append(matcher)
    source = {}
    for label, matchers in by_label.items():
        value = _example(matchers)
        if value is None and any(matcher.operator == "=" for matcher in matchers):
            return False
        if value is None:  # a regular expression of which no example was found: most likely something fulfils it
            return rule.has_target(target)
        source[label] = value
    return rule.mutes(target, {label: value for label, value in source.items() if value})


def _example(matchers: Sequence[Matcher]) -> str | None:
    """A value that fulfils all matchers of one label, "" for a label that is not there; None where none was found."""
    tried = ["other", "", *(matcher.value for matcher in matchers)]
    for matcher in matchers:
        for word in matcher.value.strip("^$").removeprefix("(").removesuffix(")").split("|"):
            plain = _REPEATED.sub("", _CLASS.sub("x", _FLAGS.sub("", word)))
            tried += [plain, plain + "x", plain.lower(), re.sub(r"\\(.)", r"\1", plain)]
    return next((value for value in tried if all(matcher.matches({matcher.name: value}) for matcher in matchers)), None)


def _name(labels: Labels) -> str:
    return labels.get("alertname") or _format_labels(labels)


def _conditions(matchers: Sequence[Matcher]) -> str:
    return ", ".join(str(matcher) for matcher in matchers) or "any labels"


def _format_labels(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
