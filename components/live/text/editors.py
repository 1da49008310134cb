"""The three editors, by the name in a resource's inputs."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.routing_merge import Routing
from components.live.text.rule_files import RuleFiles
from components.live.text.whole_text import WholeText

Kind = Literal["rule-files", "routing", "replace"]


class Editor(Protocol):
    """Pure: (text, ours) → text. Each raises EditRefused where the text cannot be edited without loss."""

    where: str

    def insert(self, text: str, ours: str, last_edit: LastEdit | None = None) -> str:
        """The text with ours in it; the same text where it is in already. `last_edit`: what we wrote before."""

    def remove(self, text: str, last_edit: LastEdit | None = None) -> str:
        """The text without ours."""

    def has(self, text: str, ours: str) -> bool:
        """Whether ours is in the text as it should be."""

    def left(self, text: str, ours: str, last_edit: LastEdit | None = None) -> list[str]:
        """Sentences for what stays in the text without ours, and looks like ours: what `remove` does not take out."""

    def warnings(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]] = ()) -> list[str]:
        """Sentences for a preview on what changes for others. `alerts`: the label sets of our alerts."""


_EDITORS: dict[str, Editor] = {"rule-files": RuleFiles(), "routing": Routing(), "replace": WholeText()}


def editor(kind: str) -> Editor:
    """The editor of that name. Raises EditRefused for another name."""
    try:
        return _EDITORS[kind]
    except KeyError:
        raise EditRefused(f"there is no editor {kind!r}: choose one of {', '.join(_EDITORS)}") from None
