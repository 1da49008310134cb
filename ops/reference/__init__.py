"""The pages of docs/ that follow from the code: `make docs` writes them, and a test holds that they are current.

A package of its own and above all others, because it reads the verbs, which no library may import.
"""

from collections.abc import Sequence

DO_NOT_EDIT = "Written by `make docs`; a change here is overwritten."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown. Cells are Markdown on one line; a `|` in them is escaped here."""
    written = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in (head, *rows)]
    return "".join([written[0], "|" + "---|" * len(head) + "\n", *written[1:]])


def code(text: str) -> str:
    """The text as code in Markdown; nothing where it is empty."""
    return f"`{text}`" if text else ""
