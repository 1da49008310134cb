"""The namespace for our rule groups: empty when we come, and without ours when we have gone.

Neither Mimir nor Cortex says who has written a group. So the state does: after this resource is made, what has a name
of ours in the namespace is ours, also where an `up` was killed between two groups (docs/adr/0022-mimir-and-cortex.md).
"""

from pulumi import dynamic

from components.live.cluster import connections
from components.live.handlers.handler import Handler
from components.live.provider import Props
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten


class RulerNamespaceHandler(Handler):
    """Adopts nothing: a namespace that has groups already is refused in a preview."""

    identity = ("place", "namespace")
    compared = ("names", "tenant")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Look whether the namespace is empty, where it is not ours yet. Raises EditRefused, ops.errors."""
        if any(_olds.get(name) != news[name] for name in self.identity):
            _refuse_groups_of_others(news)
        return dynamic.CheckResult(news, [])

    def create(self, props: Props) -> dynamic.CreateResult:
        """From now on it is ours. Raises EditRefused, ops.errors."""
        _refuse_groups_of_others(props)
        return dynamic.CreateResult(props["namespace"], props)

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Nothing is written."""
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: Props) -> None:
        """Delete what an `up` that failed or was killed has left there. Raises ops.errors."""
        ruler = connections.ruler(_props["tenant"])
        for name in sorted({*ruler.groups(_props["namespace"])} & {*_props["names"]}):
            ruler.delete(_props["namespace"], name)


def _refuse_groups_of_others(props: Props) -> None:
    if found := sorted(connections.ruler(props["tenant"]).groups(props["namespace"])):
        raise EditRefused(
            f"namespace {props['namespace']} of {props['place']} has rule groups already, and they are not ours: "
            f"{shorten(found, 4)}; set rulerNamespace to one that is empty, or delete them there"
        )
