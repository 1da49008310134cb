"""A verb for every stack of this checkout, side by side, each in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from formats.json_types import JsonObject
from ops.errors import Misconfigured
from ops.options import console, emit, progress
from ops.repo.files import ROOT
from ops.targets import stacks
from ops.words import count_noun

AT_ONCE = 4


@dataclass(frozen=True)
class Answer:
    """What the verb said of one stack: its exit code, its JSON (None where it gave none), and its last line else."""

    stack: str
    code: int
    said: JsonObject | None
    error: str


def ask(arguments: Callable[[str], Sequence[str]]) -> list[Answer]:
    """Run `ops ARGUMENTS --format json` for each stack; `arguments` makes them from its name.

    Raises Misconfigured where there is no stack.
    """
    names = stacks()
    if not names:
        raise Misconfigured("there is no stack here: no file is called Pulumi.STACK.yaml")
    progress(f"asking {count_noun(len(names), 'stack')}, {AT_ONCE} at a time …")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda name: _ask(name, arguments(name)), names))


def _ask(stack: str, arguments: Sequence[str]) -> Answer:
    done = subprocess.run(
        [sys.executable, "-m", "ops", *arguments, "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        said: JsonObject | None = json.loads(done.stdout)
    except ValueError:
        said = None
    lines = done.stderr.strip().splitlines()
    return Answer(stack, done.returncode, said, lines[-1] if lines else "it said nothing")


def show(answers: Iterable[Answer], line: Callable[[JsonObject], str], *, as_json: bool) -> int:
    """Print a line for each stack, or all as one JSON document; returns the worst exit code."""
    found = list(answers)
    if as_json:
        emit({one.stack: one.said if one.said is not None else {"error": one.error} for one in found})
    else:
        width = max(len(one.stack) for one in found)
        for one in found:
            sign = "✓" if one.code == 0 else "✗"
            words = one.error if one.said is None else line(one.said)
            console().print(f"{sign} {one.stack:<{width}}  {words}", markup=False)
    return max(one.code for one in found)
