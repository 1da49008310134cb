"""Our rule groups in a namespace of a tenant: one group a call, and only those in our namespace."""

from pulumi import dynamic

from components.live.cluster import connections
from components.live.handlers.handler import EditHandler
from components.live.provider import Props
from components.live.text import rule_groups
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from ops.errors import Refused


class RuleGroupsHandler(EditHandler):
    """Writes the groups that are not stored as they should be, and deletes those that are no longer wanted.

    The namespace is ours when this is made (ruler_namespace_handler).
    """

    identity = ("place", "namespace")
    compared = ("groups", "tenant")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Refuse a group of others in our namespace. Raises EditRefused, ops.errors."""
        if all(_olds.get(name) == news[name] for name in self.identity):
            stored = connections.ruler(news["tenant"]).groups(news["namespace"])
            if found := rule_groups.strangers([*_olds["groups"], *news["groups"]], stored):
                raise EditRefused(
                    f"namespace {news['namespace']} of {news['place']} has rule groups that are not ours: "
                    f"{shorten(found, 4)}; move them to another namespace, as this one is ours alone"
                )
        return dynamic.CheckResult(news, [])

    def drift(self, props: Props) -> str:
        """Which of our groups are gone or changed. Raises ops.errors."""
        stored = connections.ruler(props["tenant"]).groups(props["namespace"])
        if found := rule_groups.differences(props["groups"], stored):
            return f"namespace {props['namespace']} of {props['place']}: {shorten(found, 4)}"
        return ""

    def create(self, props: Props) -> dynamic.CreateResult:
        """Write every group. Raises EditRefused, ops.errors; RulerNamespace takes back what was written by then."""
        return dynamic.CreateResult(props["namespace"], _write(props, []))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Write what has changed, here or there. Raises EditRefused, ops.errors."""
        return dynamic.UpdateResult(_write(_news, [name for name in _olds["groups"] if name not in _news["groups"]]))

    def delete(self, _id: str, _props: Props) -> None:
        """Delete our groups, one by one. Raises ops.errors."""
        ruler = connections.ruler(_props["tenant"])
        for name in _props["groups"]:
            ruler.delete(_props["namespace"], name)


def _write(props: Props, no_longer: list[str]) -> Props:
    """Write, delete, and read back."""
    ruler, namespace = connections.ruler(props["tenant"]), props["namespace"]
    stored = ruler.groups(namespace)
    for name, text in props["groups"].items():
        if name not in stored or not rule_groups.same(text, stored[name]):
            try:
                ruler.write(namespace, text)
            except Refused as error:
                if error.status != 400:
                    raise
                reason = error.words or "it gives no reason; `promtool check rules rules/*.yml` may"
                raise EditRefused(f"group {name} is refused by {props['place']}: {reason}") from None
    for name in no_longer:
        ruler.delete(namespace, name)
    if wrong := rule_groups.differences(props["groups"], ruler.groups(namespace)):
        raise EditRefused(
            f"namespace {namespace} of {props['place']} does not have what was just written there: "
            f"{shorten(wrong, 4)}; does somebody else write it too?"
        )
    return {**props, "drift": ""}
