"""Reads equivalent.yml: changes that no scenario can see, each with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from ops.errors import OpsError
from tests.mutants.mutate import Mutant

FILE = Path(__file__).with_name("equivalent.yml")
_KEYS = {"rules", "kind", "what", "why"}

Key = tuple[str, str, str]  # as Mutant.key


@dataclass(frozen=True)
class Equivalent:
    """An entry: each change of `what`, of one kind, in each of `rules`."""

    rules: tuple[str, ...]
    kind: str
    what: tuple[str, ...]
    why: str

    @property
    def keys(self) -> list[Key]:
        return [(rule, self.kind, what) for rule in self.rules for what in self.what]


def read(path: Path = FILE) -> tuple[Equivalent, ...]:
    """Every entry. Raises OpsError for one that cannot be used, and for a change that is listed twice."""
    found = []
    for number, entry in enumerate(yaml.safe_load(path.read_text("utf-8")) or [], 1):
        if set(entry) != _KEYS or not entry["rules"] or not entry["what"] or not str(entry["why"]).strip():
            raise OpsError(f"entry {number} of {path.name} cannot be used; give it {', '.join(sorted(_KEYS))}")
        found.append(Equivalent(tuple(entry["rules"]), entry["kind"], tuple(entry["what"]), entry["why"]))
    keys = [key for entry in found for key in entry.keys]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise OpsError(f"{path.name} has {said(min(twice))} twice; take one out")
    return tuple(found)


def dead(entries: Iterable[Equivalent], mutants: Iterable[Mutant]) -> list[str]:
    """A sentence for each change listed that is no change of the rules; `mutants`: every one there is."""
    known = {mutant.key for mutant in mutants}
    return [
        f"{FILE.name} lists {said(key)}, which is no change of the rules; take it out, or correct it"
        for entry in entries
        for key in entry.keys
        if key not in known
    ]


def killed(entries: Iterable[Equivalent], tried: Iterable[Mutant], alive: Iterable[Mutant]) -> list[str]:
    """A sentence for each change listed that a scenario does see."""
    seen = {mutant.key for mutant in tried} - {mutant.key for mutant in alive}
    return [
        f"{FILE.name} lists {said(key)}, but a scenario fails with it; take it out"
        for entry in entries
        for key in entry.keys
        if key in seen
    ]


def said(key: Key) -> str:
    """A change in words."""
    rule, kind, what = key
    return f"{rule}, {kind}: {what}"
