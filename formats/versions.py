"""Versions of servers: what a file uses, and which versions of its server know that."""

import re
from dataclasses import dataclass

Version = tuple[int, int]  # major, minor: what a server's files may say never changes with the third number


@dataclass(frozen=True)
class Feature:
    """Something that not every version of a server knows.

    `since`: the first version that does, be it behind a flag. `source`: where that is written, most often a pull
    request that the server's CHANGELOG.md names.
    """

    since: str
    source: str


@dataclass(frozen=True)
class Need:
    """A feature (`what`, as a person calls it), and the first one who uses it (`where`)."""

    what: str
    where: str
    feature: Feature


def number(text: str) -> Version | None:
    """`2.45.6+ds` → (2, 45); None for what is no version, such as a build of one's own that has none."""
    found = re.match(r"v?(\d+)\.(\d+)(?!\d)", text)
    return (int(found[1]), int(found[2])) if found else None
