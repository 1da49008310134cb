"""Our part of a text in a Secret: edited as that of a ConfigMap is, and nothing of the text is ever shown.

Names of receivers and the matchers of routes may be: Alertmanager shows them to everybody who may ask it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pulumi import dynamic

from components.live import inputs
from components.live.cluster.config_map import StoredText
from components.live.handlers.config_text_handler import ConfigTextHandler
from components.live.provider import Props, warn
from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.whole_text import SIDES
from ops.errors import Forbidden


class SecretTextHandler(ConfigTextHandler):
    """Edits the text; a preview of an account that may not read the Secret only warns."""

    identity = ("namespace", "secret_name", "key", "editor")
    compared = ("ours", "password", *inputs.ACCESS)

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """As for a ConfigMap. Raises EditRefused, ops.errors."""
        with _nothing_quoted():
            return super().check(_olds, news)

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        """As for a ConfigMap. Raises EditRefused, ops.errors."""
        with _nothing_quoted():
            return super().diff(_id, _olds, _news)

    def try_edit(self, news: Props, last_edit: Callable[[StoredText], LastEdit | None], olds: Props) -> None:
        """As for a ConfigMap. Raises EditRefused, ops.errors but Forbidden."""
        with _unread_is_warned():
            super().try_edit(news, last_edit, olds)

    def has_drifted(self, _olds: Props, _news: Props) -> bool:
        """Whether a refresh has found drift, or there is some now; where this account may not look, the former."""
        with _unread_is_warned():
            return super().has_drifted(_olds, _news)
        return bool(_olds.get("drift"))

    def drift(self, props: Props) -> str:
        """Raises EditRefused where the Secret or its key is gone."""
        with _nothing_quoted():
            return super().drift(props)

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        """The same inputs with `drift` as it is now; as it was where the Secret may not be read."""
        with _unread_is_warned():
            return super().read(id_, props)
        return dynamic.ReadResult(id_, props)

    def create(self, props: Props) -> dynamic.CreateResult:
        """Put our part in. Raises EditRefused, ops.errors."""
        with _nothing_quoted():
            return super().create(props)

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Put our part in, in place of what we wrote last. Raises EditRefused, ops.errors."""
        with _nothing_quoted():
            return super().update(_id, _olds, _news)

    def delete(self, _id: str, _props: Props) -> None:
        """Remove our part. Raises EditRefused where that is not safe, ops.errors."""
        with _nothing_quoted():
            super().delete(_id, _props)


@contextmanager
def _nothing_quoted() -> Iterator[None]:
    """Leave out the lines below a refusal: they may be those of the Secret."""
    try:
        yield
    except EditRefused as error:
        if not error.snippet:
            raise
        sentence = error.sentence.removesuffix(SIDES).rstrip(":")
        raise EditRefused(f"{sentence} (lines of a Secret are not shown)") from None


@contextmanager
def _unread_is_warned() -> Iterator[None]:
    """Around a preview or a refresh: an account for pull requests may not be allowed to read Secrets."""
    try:
        yield
    except Forbidden as error:
        warn(f"what stands in the Secret was not looked at: {error}")
