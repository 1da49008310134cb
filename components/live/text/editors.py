"""The three ways of editing a text, by the name that a resource's inputs carry."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from components.live.text.errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.routing_merge import Routing
from components.live.text.rule_files import RuleFiles
from components.live.text.whole_text import WholeText

Kind = Literal["rule-files", "routing", "replace"]


class Editor(Protocol):
    """Pure: (text, ours) → text. Each raises Refused where the text cannot be edited without loss."""

    where: str

    def insert(self, text: str, ours: str, last_edit: LastEdit | None = None) -> str: ...

    def remove(self, text: str, last_edit: LastEdit | None = None) -> str: ...

    def has(self, text: str, ours: str) -> bool: ...

    def warnings(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]] = ()) -> list[str]:
        """Sentences for a preview on what changes for others. `alerts`: the label sets of our alerts."""


_EDITORS: dict[str, Editor] = {"rule-files": RuleFiles(), "routing": Routing(), "replace": WholeText()}


def editor(kind: str) -> Editor:
    try:
        return _EDITORS[kind]
    except KeyError:
        raise EditRefused(f"there is no editor {kind!r}: choose one of {', '.join(_EDITORS)}") from None
