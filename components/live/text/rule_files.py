"""Our entries in the `rule_files` of a prometheus.yml that somebody else wrote."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import join, normpath

from components.live.text import marked_lists
from components.live.text.edit_errors import EditRefused
from components.live.text.insert import insert_items
from components.live.text.items import Lists, snippets
from components.live.text.list_at_path import items_by_any_name, read
from components.live.text.marked_lists import LastEdit

# `type Config` in prometheus/prometheus, config/config.go, of 3.16; promtool is asked for each in the tests.
KEYS = (
    *("global", "runtime", "alerting", "rule_files", "scrape_config_files", "scrape_configs", "storage", "tracing"),
    *("remote_write", "remote_read", "otlp"),
)


class RuleFiles:
    """``ours``: one path glob a line."""

    where = "prometheus.yml"

    def insert(self, text: str, ours: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused where the text cannot be edited without loss, or is not Prometheus' configuration."""
        if self.has(text, ours):
            return text
        bare = marked_lists.remove(text, self.where, last_edit)
        self._refuse_unknown_keys(bare, _parts(ours))
        return insert_items(bare, _parts(ours), self.where)

    def remove(self, text: str, last_edit: LastEdit | None = None) -> str:
        """Raises EditRefused where a mark was damaged."""
        return marked_lists.remove(text, self.where, last_edit)

    def has(self, text: str, ours: str) -> bool:
        """Whether all entries are in, between our marks or without them."""
        return marked_lists.has(text, _parts(ours), self.where)

    def left(self, text: str, ours: str, last_edit: LastEdit | None = None) -> list[str]:
        """What stays in the text without ours, and looks like ours."""
        return marked_lists.left(text, _parts(ours), self.where, last_edit)

    def warnings(self, text: str, ours: str, alerts: Sequence[Mapping[str, str]] = ()) -> list[str]:  # noqa: ARG002
        """That entries like ours are there already without our marks."""
        parts = _parts(ours)
        if parts and marked_lists.is_there_unmarked(text, parts, self.where):
            names = " and ".join(ours.split())
            return [f"{self.where}: rule_files lists {names} already without our marks: we never change or remove it"]
        return []

    def _refuse_unknown_keys(self, text: str, parts: Lists) -> None:
        """Prometheus starts with no other key, so a text that has one is something else, or of a version to come."""
        document = read(text, self.where, parts)
        root = document.root
        for key, _ in root.pairs() if root and root.kind == "mapping" else ():
            if key.value not in (*KEYS, "<<"):
                raise EditRefused(
                    f"{self.where}:{document.line(key.start)}: {key.value} is no part of a Prometheus configuration: "
                    "is this the right key? If it is, paste these lines by hand",
                    snippets(parts),
                )


def _parts(ours: str) -> Lists:
    return {("rule_files",): ours.split()}


def not_loaded(text: str, folder: str, files: Sequence[str]) -> list[str]:
    """Those of `files` (paths in the pod) that no entry of `rule_files` matches. `folder`: where prometheus.yml is.

    Raises EditRefused for a text that cannot be read.
    """
    items = items_by_any_name(read(text, RuleFiles.where), ("rule_files",))
    entries = [one.children[0] if one.kind == "alias" and one.children else one for one in items]
    patterns = [_segments(join(folder, entry.value.replace("[^", "[!"))) for entry in entries]
    return [file for file in files if not any(_matches(_segments(file), pattern) for pattern in patterns)]


def _segments(path: str) -> list[str]:
    return normpath(path).split("/")


def _matches(file: Sequence[str], pattern: Sequence[str]) -> bool:
    """As Go's filepath.Match: `*` stands for no slash."""
    return len(file) == len(pattern) and all(map(fnmatchcase, file, pattern))
