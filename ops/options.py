"""The options that every verb shares, and how every verb prints."""

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


PROD = "prod"  # what every verb is about unless it is told otherwise: runbooks are read in haste
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
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]


def console(*, stderr: bool = False) -> Console:
    """A console for text: plain and never wrapped short when it is not a terminal, colours as the terminal can."""
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
    """Print an answer for programs: one JSON document on stdout."""
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def progress(sentence: str) -> None:
    """Say on stderr what is going on, so that stdout holds the answer alone."""
    console(stderr=True).print(sentence, style="dim", markup=False)
