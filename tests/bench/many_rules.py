"""`render`, a preview without changes, and `verify`, with our rules alone, and with 1,000 and 10,000."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import rules
from ops.build_tools import pulumi as built_engine
from ops.errors import OpsError
from tests.bench import other_rules
from tests.bench.bench_words import say, table
from tests.support.checkout import ROOT

OURS = sum(len(group.rules) for file in rules.load() for group in file.groups)
COUNTS = (OURS, 1_000, 10_000)
VERBS = ("render", "preview", "verify")


def run() -> list[str]:
    """The section of the page, as Markdown."""
    if not built_engine.find():
        return ["There is no Pulumi engine here (`make tools` builds one): this was not measured."]
    found = [(count, *_measured(count)) for count in COUNTS]
    rows = []
    for at, (count, size, took) in enumerate(found):
        cells = []
        for verb in VERBS:
            cells += [f"{took[verb]:.1f}", f"{took[verb] / found[0][2][verb]:.1f}", _growth(found[: at + 1], verb)]
        rows.append((f"{count:,}", f"{size / 1000:,.0f}", *cells))
    head = [words for verb in VERBS for words in (f"{verb}, s", "× the first", "a rule")]
    return table(("rules", "KB", *head), rows)


def _growth(found: Sequence[tuple[int, int, Mapping[str, float]]], verb: str) -> str:
    """What a rule more costs, as a ratio to what it cost a row before."""
    if len(found) < 3:
        return "–"
    (first, _, base), (middle, _, before), (last, _, now) = found[0], found[-2], found[-1]
    return f"{((now[verb] - base[verb]) / (last - first)) / ((before[verb] - base[verb]) / (middle - first)):.2f}"


def _measured(count: int) -> tuple[int, dict[str, float]]:
    """Bytes of rules, and the processor seconds of each verb, in a sandbox that has them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tree = Path(folder) / "tree"
        _copy(tree)
        other_rules.write(tree / "rules", count - OURS)
        size = sum(file.stat().st_size for file in (tree / "rules").glob("*.yml"))
        environment = {**os.environ, "SANDBOX_HOME": str(Path(folder) / "home")}

        def ops(*words: str) -> float:
            return _seconds([sys.executable, "-m", "ops", *words], tree, environment)

        try:
            say(f"{count} rules: `pulumi up` to a sandbox of their own")
            ops("sandbox", "up", "--history", "0")  # until all is in order
            took = {
                "render": ops("render", "--target", "prod", "--out", str(Path(folder) / "out")),
                "preview": ops("sandbox", "shell", "--", "pulumi", "preview"),
                "verify": ops("verify", "--target", "sandbox"),
            }
            say(f"{count} rules: {', '.join(f'{verb} {seconds:.1f} s' for verb, seconds in took.items())}")
        finally:
            ops("sandbox", "down")  # nothing may run on
        return size, took


def _copy(tree: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    (tree / ".venv").symlink_to((ROOT / ".venv").resolve())


def _seconds(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Processor seconds of a command and all that it waits for. Raises OpsError where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OpsError(f"{' '.join(command[1:])} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
