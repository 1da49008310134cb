"""Rows of facts: a table where there is room for it, else a list."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_GAP = 2  # columns between two others
_PROSE = 30  # columns that the last one needs, which is prose and may be folded


def print_rows(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows below their titles. No cell but the last of a row is folded: where the console is too narrow for
    that, each row is printed over several lines.
    """
    widths = [max(cell_len(row[place]) for row in (titles, *rows)) for place in range(len(titles) - 1)]
    if sum(widths) + _GAP * len(widths) + _PROSE <= console.width:
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for place, title in enumerate(titles):
            table.add_column(title, no_wrap=place < len(widths))
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    for first, *facts, prose in rows:
        named = (f"{title} {fact}" for title, fact in zip(titles[1:-1], facts, strict=True) if fact)
        console.print(Text(first, style="bold"))
        for line in (", ".join(named), prose):
            if line:
                console.print(Padding(Text(line), (0, 0, 0, _GAP), expand=False))
