"""The options that verbs share, and how they print."""

import json
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console


class Format(StrEnum):
    """How the answer is written."""

    text = "text"
    json = "json"


PROD = "prod"  # the default target of every verb, as runbooks are read in a hurry
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        help="`sandbox`, or a stack's name such as `prod` (reads Pulumi.NAME.yaml).",
        metavar="NAME",
        envvar="OPS_TARGET",
        show_envvar=False,
    ),
]
FormatOption = Annotated[
    Format,
    typer.Option("--format", help="For people (text) or programs (json).", case_sensitive=False),
]
# The one pair for a period in the past; `ops.window` reads it.
WindowOption = Annotated[
    str, typer.Option("--window", help="How far back to look, such as 90m, 24h or 7d.", metavar="DURATION")
]
EndOption = Annotated[
    str | None,
    typer.Option(
        "--end",
        help="Where the window ends, such as 2026-01-31T12:00Z, or 2h for two hours ago; now if left out.",
        metavar="MOMENT",
    ),
]
AllStacksOption = Annotated[
    bool, typer.Option("--all-stacks", help="Do so for every stack of this checkout, with a line for each.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]


def console(*, stderr: bool = False) -> Console:
    """A console for text; without a terminal it has no colours and does not wrap lines."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", "160"))
    plain = "NO_COLOR" in os.environ  # bold and dim are no colours to rich, but who asks for none wants plain text
    return Console(
        stderr=stderr,
        width=width,
        color_system=None if plain else "auto",
        highlight=False,
        soft_wrap=not stream.isatty(),
        emoji=False,
    )


def emit(answer: object) -> None:
    """Print an answer as one JSON document on stdout."""
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def progress(sentence: str) -> None:
    """Print a line of progress on stderr, as stdout is for the answer."""
    console(stderr=True).print(sentence, style="dim", markup=False)
