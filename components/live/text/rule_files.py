"""Our entries in the `rule_files` of a prometheus.yml that somebody else wrote."""

from collections.abc import Mapping, Sequence

from components.live.text import marked_lists
from components.live.text.items import Lists
from components.live.text.marked_lists import LastEdit


class RuleFiles:
    """``ours``: one path glob a line."""

    where = "prometheus.yml"

    def insert(self, text: str, ours: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused where the text cannot be edited without loss."""
        return marked_lists.insert(text, _parts(ours), self.where, last_edit)

    def remove(self, text: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused where a mark was damaged."""
        return marked_lists.remove(text, self.where, last_edit)

    def has(self, text: str, ours: str) -> bool:
        """Whether all entries are in, between our marks or without them."""
        return marked_lists.has(text, _parts(ours), self.where)

    def left(self, text: str, ours: str, last_edit: LastEdit | None = None) -> list[str]:
        """What stays in the text without ours, and looks like ours. Raises EditRefused."""
        return marked_lists.left(text, _parts(ours), self.where, last_edit)

    def warnings(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]] = ()) -> list[str]:  # noqa: ARG002
        """That entries like ours are there already without our marks."""
        parts = _parts(ours)
        if parts and marked_lists.is_there_unmarked(text, parts, self.where):
            names = " and ".join(ours.split())
            return [f"{self.where}: rule_files lists {names} already without our marks: we never change or remove it"]
        return []


def _parts(ours: str) -> Lists:
    return {("rule_files",): ours.split()}
