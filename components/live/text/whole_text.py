"""A text that is ours as a whole (`alertmanagerReplace: true`); the one before it comes back on removal."""

import difflib
from collections.abc import Mapping, Sequence

from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.redact import redacted

MAX_DIFF_LINES = 20  # lines of a difference
SIDES = " (- what we wrote, + what stands there):"  # of the difference below a sentence


class WholeText:
    """``ours``: the whole text."""

    where = "alertmanager.yml"

    def insert(self, text: str, ours: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused where somebody changed what we wrote, until our file has that change too."""
        if text == ours:
            return text
        if last_edit and text not in (last_edit.after, last_edit.before):
            raise EditRefused(
                f"{self.where}: somebody has changed it since we wrote it, and replacing it would lose that: take the "
                f"change into our file, or take it back there{SIDES}",
                redacted(difference(last_edit.after, text)),
            )
        return ours

    def remove(self, text: str, last_edit: LastEdit | None = None) -> str:
        """The text before ours. Raises EditRefused where somebody changed what we wrote."""
        if last_edit is None or text == last_edit.before:
            return text
        if text != last_edit.after:
            raise EditRefused(
                f"{self.where}: somebody has changed it since we wrote it, and bringing the old text back would lose "
                f"that: keep the change elsewhere and take it back there{SIDES}",
                redacted(difference(last_edit.after, text)),
            )
        return last_edit.before

    def has(self, text: str, ours: str) -> bool:
        """Whether the text is ours."""
        return text == ours

    def left(self, text: str, ours: str, last_edit: LastEdit | None = None) -> list[str]:  # noqa: ARG002
        """Nothing: the whole text goes."""
        return []

    def warnings(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]] = ()) -> list[str]:  # noqa: ARG002
        """That the text is replaced."""
        if text == ours:
            return []
        return [f"{self.where} is replaced as a whole; what stands there now comes back on destroy"]


def difference(old: str, new: str) -> str:
    """The lines that differ, without their surroundings; cut where they are many."""
    lines = [
        line
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    rest = len(lines) - MAX_DIFF_LINES
    more = [f"… and {rest} more line{'s' if rest > 1 else ''}"] if rest > 0 else []
    return "\n".join([*lines[:MAX_DIFF_LINES], *more]) or "(only the line endings differ)"
