"""What the handlers have in common: which change of an input means what, and what drift is."""

from collections.abc import Sequence
from typing import ClassVar

from pulumi import dynamic

from components.live.provider import Props, warn
from components.live.text.errors import EditRefused
from ops.errors import NotFound


class Handler(dynamic.ResourceProvider):
    """`identity`: inputs of which a change means another resource, made after the old one has gone.

    `compared`: inputs of which a change means an update.
    """

    identity: ClassVar[Sequence[str]] = ()
    compared: ClassVar[Sequence[str]] = ()

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        changed = [name for name in (*self.identity, *self.compared) if _olds.get(name) != _news.get(name)]
        replaced = [name for name in self.identity if name in changed]
        changes = bool(changed) or self.has_drifted(_olds, _news)
        return dynamic.DiffResult(changes, replaced, [], delete_before_replace=bool(self.identity))

    def has_drifted(self, olds: Props, news: Props) -> bool:
        """Whether, with no input changed, there is something to put back all the same."""
        return False


class EditHandler(Handler):
    """Edits an object of others. `drift` in the state: what somebody else did to our part since, in words."""

    def drift(self, props: Props) -> str:
        """Why our part does not stand there as it should; "" when it does. Raises what says that the place is gone."""
        raise NotImplementedError

    def has_drifted(self, olds: Props, news: Props) -> bool:
        return bool(olds.get("drift") or self._said(news))

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        try:
            return dynamic.ReadResult(id_, {**props, "drift": self._said(props)})
        except (EditRefused, NotFound):
            return dynamic.ReadResult("", {})

    def _said(self, props: Props) -> str:
        if drift := self.drift(props):
            warn(f"{drift}; `up` puts it back")
        return drift
