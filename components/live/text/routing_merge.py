"""Our receivers, routes, inhibitions and time intervals in an alertmanager.yml that somebody else wrote."""

import json
from collections.abc import Mapping, Sequence

import yaml

from components.live.text import marked_lists, side_effects
from components.live.text.edit_errors import EditRefused
from components.live.text.insert import insert_items
from components.live.text.items import Lists
from components.live.text.list_at_path import entries, items_by_any_name, read, value_of
from components.live.text.marked_lists import LastEdit
from components.live.text.redact import redacted
from components.live.text.yaml_tree import Node
from formats.json_types import JsonValue
from routing import RoutingError, tree

WHERE = "alertmanager.yml"
LISTS = {
    "receivers": ("receivers",),
    "routes": ("route", "routes"),
    "inhibit_rules": ("inhibit_rules",),
    "time_intervals": ("time_intervals",),
}


class Routing:
    """``ours``: JSON of routing.Parts. Our routes stand first: an alert that they match is theirs."""

    where = WHERE

    def insert(self, text: str, ours: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused where the text cannot be read, or has a receiver, interval or route like one of ours."""
        if self.has(text, ours):
            return text
        parts = _parts(ours)
        bare = marked_lists.remove(text, self.where, last_edit)
        self._refuse_clashes(bare, parts)
        return insert_items(bare, parts, self.where)

    def remove(self, text: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused also where a route of others sends to a receiver of ours."""
        bare = marked_lists.remove(text, self.where, last_edit)
        if bare == text:
            return text
        if lost := receiver_names(text) - receiver_names(bare) & _named_by_routes(bare):
            raise EditRefused(
                f"{self.where}: a route of somebody else's sends to {', '.join(sorted(lost))}, which goes with our "
                "part: give that route another receiver first"
            )
        return bare

    def has(self, text: str, ours: str) -> bool:
        """Whether all of ours is in, between our marks or without them."""
        return marked_lists.has(text, _parts(ours), self.where)

    def left(self, text: str, ours: str, last_edit: LastEdit | None = None) -> list[str]:
        """What stays in the text without ours, and looks like ours."""
        return marked_lists.left(text, _parts(ours), self.where, last_edit)

    def warnings(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]] = ()) -> list[str]:
        """What changes for others: routes that lose alerts to ours, live inhibitions that can mute ours.

        ``alerts``: the label sets of our alerts. Never raises: a text that cannot be read is one of the sentences.
        """
        parts = _parts(ours)
        if marked_lists.is_there_unmarked(text, parts, self.where):
            return [
                f"{self.where}: all of our routing is there already without our marks: we never change or remove it"
            ]
        try:
            config = parse_config(marked_lists.remove(text, self.where), self.where)
            return [
                *side_effects.warnings(config, parts[LISTS["routes"]], alerts),
                *side_effects.inherited_mail_settings(config, parts[LISTS["receivers"]]),
            ]
        except (RoutingError, EditRefused) as problem:
            return [f"{self.where}: could not check what our routes change for others: {problem}"]

    def refuse_lost_routes(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]]) -> None:
        """Raises EditRefused where routes of others would match our alerts too."""
        bare = marked_lists.remove(text, self.where)
        kept = side_effects.routes_that_lose_alerts(
            parse_config(bare, self.where), _parts(ours)[LISTS["routes"]], alerts
        )
        if kept:
            raise EditRefused(
                f"{'; '.join(kept)}: set alertmanagerOtherRoutes to skip (our routes alone get them) or to continue "
                "(those routes get them too)"
            )

    def _refuse_clashes(self, bare: str, parts: Lists) -> None:
        read(bare, self.where, parts)
        try:
            config = parse_config(bare, self.where)
            live = tree.tree(config).routes
            ours = tree.tree({"route": {"receiver": "ours", "routes": parts[LISTS["routes"]]}}).routes
        except (RoutingError, ValueError) as problem:
            raise EditRefused(f"{self.where} is not edited, for it cannot be read: {problem}") from None
        if not config.get("receivers"):
            raise EditRefused(
                f"{self.where} has no receivers, so it is no Alertmanager configuration: is this the right key?"
            )
        for kind, what in (("receivers", "receiver"), ("time_intervals", "time interval")):
            theirs = [*(config.get(kind) or ()), *(config.get(f"mute_{kind}") or ())]
            for mine in parts[LISTS[kind]]:
                for other in theirs:
                    if _name(mine) == _name(other):
                        self._clash(f"{what} named {_name(mine)!r}", "rename one of them", other, mine)
        for mine_route, mine in zip(ours, parts[LISTS["routes"]], strict=True):
            for other_route in live:
                if mine_route.matchers == other_route.matchers:
                    other = config["route"]["routes"][other_route.match.position[-1]]
                    self._clash("route with the same matchers", "make one of them narrower", other, mine)
        known = {_name(receiver) for receiver in [*(config.get("receivers") or ()), *parts[LISTS["receivers"]]]}
        for route in ours:
            for node in route.walk():
                name = node.match.receiver
                if name not in known:
                    raise EditRefused(
                        f"routing: our route {node.match.path[-1]} names {name!r}, and no receiver has that name"
                    )

    def _clash(self, what: str, remedy: str, theirs: JsonValue, ours: JsonValue) -> None:
        sides = "".join(
            f"# {who}:\n" + yaml.safe_dump(side, sort_keys=False, allow_unicode=True)
            for who, side in (("there", theirs), ("ours", ours))
        )
        raise EditRefused(
            f"{self.where} has a {what} already, and it is not ours: {remedy}, or take it out there", redacted(sides)
        )


def parse_config(text: str, where: str) -> tree.Config:
    """The configuration in a text. Raises RoutingError."""
    try:
        return tree.parse(text, where)
    except RoutingError:
        if "\t" not in text:
            raise
        return tree.parse(text.replace("\t", " "), where)  # Go takes tabs where PyYAML does not


def _parts(ours: str) -> Lists:
    data = json.loads(ours)
    return {path: data.get(name) or [] for name, path in LISTS.items()}


def receiver_names(text: str) -> set[str]:
    """The names of the receivers that a text has. Raises EditRefused for a text that is not one YAML document."""
    named = [value_of(item, "name") for item in items_by_any_name(read(text, WHERE), LISTS["receivers"])]
    return {name.value for name in named if name}


def _named_by_routes(text: str) -> set[str]:
    """The names of the receivers to which routes send."""
    root = read(text, WHERE).root
    waiting: list[Node | None] = [value_of(root, "route") if root else None]
    names, seen = set(), set()
    while waiting:
        route = waiting.pop()
        if route is not None and route not in seen:
            seen.add(route)
            receiver = value_of(route, "receiver")
            names |= {receiver.value} if receiver else set()
            waiting += entries(value_of(route, "routes"))
    return names


def _name(item: JsonValue) -> JsonValue:
    return item.get("name") if isinstance(item, Mapping) else None
