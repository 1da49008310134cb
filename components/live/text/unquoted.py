"""Texts of which no word may be shown: what cannot be edited is refused before anything could quote it."""

from components.live.text.edit_errors import EditRefused
from components.live.text.routing_merge import parse_config
from components.live.text.yaml_tree import NotPlain, parse
from routing import RoutingError, tree


def refuse_strange_text(text: str, where: str, *, complete: bool) -> None:
    """Raises EditRefused where a text is no plain YAML: the words of parsers quote what they stumble on.

    `complete`: also where it is no Alertmanager configuration.
    """
    hint = "(nothing of it is quoted, as it is secret: try `amtool check-config` on a copy)"
    try:
        parse(text)
    except NotPlain as problem:
        line = f"line {problem.line}: " if problem.line else ""
        raise EditRefused(
            f"{where}: {line}the text cannot be edited, as it is not one plain YAML document {hint}"
        ) from None
    if not complete:
        return
    try:
        config = parse_config(text, where)
        tree.tree(config)
        tree.inhibitions(config)
        receivers = config.get("receivers")
    except (RoutingError, ValueError, TypeError, AttributeError, KeyError):
        raise EditRefused(f"{where}: the text is no Alertmanager configuration that can be read {hint}") from None
    if not receivers:
        raise EditRefused(
            f"{where}: the text has no receivers, so it is no Alertmanager configuration: is alertmanagerSecretKey "
            "right?"
        )
