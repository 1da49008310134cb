"""What the handlers have in common: which inputs a change of which is an update or a replacement, and drift."""

from collections.abc import Sequence
from typing import ClassVar

from pulumi import dynamic

from components.live.provider import Props, warn
from components.live.text.edit_errors import EditRefused
from ops.errors import NotFound


class Handler(dynamic.ResourceProvider):
    """Compares inputs. A change of one of `identity` is a replacement, and the old resource is deleted first.

    A change of one of `compared` is an update.
    """

    identity: ClassVar[Sequence[str]] = ()
    compared: ClassVar[Sequence[str]] = ()

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        """Whether an update or a replacement is needed."""
        changed = [name for name in (*self.identity, *self.compared) if _olds.get(name) != _news.get(name)]
        replaced = [name for name in self.identity if name in changed]
        changes = bool(changed) or self.has_drifted(_olds, _news)
        return dynamic.DiffResult(changes, replaced, [], delete_before_replace=bool(self.identity))

    def has_drifted(self, _olds: Props, _news: Props) -> bool:
        """Whether an update is needed though no input has changed."""
        return False


class EditHandler(Handler):
    """Edits an object of others. `drift` in the state: what somebody else did to our part since, in words."""

    def drift(self, props: Props) -> str:
        """Why our part is not as it should be; "" when it is. Raises EditRefused, NotFound for a missing place."""
        raise NotImplementedError

    def has_drifted(self, _olds: Props, _news: Props) -> bool:
        """Whether a refresh has found drift, or there is some now."""
        return bool(_olds.get("drift") or self._said(_news))

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        """The same inputs with `drift` as it is now; no id where the place is gone."""
        try:
            return dynamic.ReadResult(id_, {**props, "drift": self._said(props)})
        except (EditRefused, NotFound):
            return dynamic.ReadResult("", {})

    def _said(self, props: Props) -> str:
        if drift := self.drift(props):
            warn(f"{drift}; `up` puts it back")
        return drift
