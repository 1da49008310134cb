"""What of the lists in a text is ours: by the digests that stand in the opening mark and in the state.

So ours are known wherever a tool that wrote the text anew has put them, the marks, or the keys of a mapping; and what
it added between the marks is known not to be ours.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.live.text.edit_errors import EditRefused
from components.live.text.items import Path
from components.live.text.list_at_path import find, items, read
from components.live.text.marks import OWNER, Mark, Memory, Region, find_marks, region
from components.live.text.yaml_tree import Document, Node


@dataclass(frozen=True)
class Part:
    """Our part of one list. `region`: the lines between its marks, where there is one pair of them."""

    path: Path
    marks: Sequence[Mark]
    memory: Memory
    region: Region | None
    ours: Sequence[Node]
    others: Sequence[Node]

    @property
    def missing(self) -> int:
        """How many of ours are not there."""
        return len(self.memory.items or ()) - len(self.ours)

    def strangers(self) -> list[Node]:
        """Items between the marks that are not as we wrote them, and taken for somebody else's."""
        return [item for item in self.others if self.region and self.region.holds(item.start)]


def find_parts(document: Document, where: str, written: Mapping[str, Memory]) -> list[Part]:
    """Our part of each list. `written`: part → what we remember of our last edit, for marks that are gone.

    Raises EditRefused where it cannot be known what is ours.
    """
    marks = find_marks(document.text)
    names = dict.fromkeys([*(mark.part for mark in marks), *written])
    return [_part(document, name, [mark for mark in marks if mark.part == name], written, where) for name in names]


def memories(text: str, where: str) -> dict[str, Memory]:
    """Part → what removal has to know, of a text as we left it. Raises EditRefused."""
    found = {mark.part: mark.memory for mark in find_marks(text) if mark.opens}
    if any(memory.items is None for memory in found.values()):
        found = {".".join(part.path): part.memory for part in find_parts(read(text, where), where, {})}
    return found


def _part(document: Document, name: str, marks: Sequence[Mark], written: Mapping[str, Memory], where: str) -> Part:
    path = tuple(name.split("."))
    around, listed, at = region(document.text, marks), items(document, path), find(document, path)
    memory = next((mark.memory for mark in marks if mark.opens), Memory())
    if memory.items is None:
        memory = written.get(name, memory)
    inside = [item for item in listed if around and around.holds(item.start)]
    if memory.items is None:  # a mark of an older version: all between the marks is ours
        if around is None:
            raise EditRefused(
                f"{where}:{document.line(marks[0].start)}: the marks around the lines of {OWNER} are damaged (each "
                "'# >>>' needs its '# <<<', once): put the missing one back, or take out what stands between them "
                "together with both"
            )
        digests = tuple(item.digest() for item in inside)
        memory = replace(memory, items=digests, key=at is not None and around.holds(at[0].start))
    ours = _ours(listed, inside, memory)
    return Part(path, marks, memory, around, ours, [item for item in listed if item not in ours])


def _ours(listed: Sequence[Node], inside: Sequence[Node], memory: Memory) -> list[Node]:
    """The items that we wrote, first those between the marks; and those there that somebody has changed since."""
    there, twins = Counter(item.digest() for item in listed), Counter(memory.twins)
    left = {digest: min(count, there[digest] - twins[digest]) for digest, count in Counter(memory.items).items()}
    found = []
    for item in sorted(listed, key=lambda item: item not in inside):
        if left.get(item.digest(), 0) > 0:
            left[item.digest()] -= 1
            found.append(item)
    missing = len(memory.items or ()) - len(found)
    unknown = [item for item in inside if item not in found and item.digest() not in twins]
    # As many as are missing: each is one of ours that was changed. Else it cannot be told, and nothing is taken away.
    return [*found, *unknown] if found and len(unknown) == missing else found
