"""`render`, a preview without changes, and `verify`, with our rules alone, and with up to 10,000."""

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
COUNTS = (OURS, 1_000, 5_000, 10_000)
TURNS = 3  # of which the least counts: what disturbs a command only adds
VERBS = ("render", "preview", "verify")
Measured = tuple[int, int, Mapping[str, float]]  # rules, bytes, and of each verb the processor seconds


def run() -> list[str]:
    """The section of the page, as Markdown."""
    if not built_engine.find():
        return ["There is no Pulumi engine here (`make tools` builds one): this was not measured."]
    found = [(count, *_measured(count)) for count in COUNTS]
    rows = []
    for count, size, took in found:
        cells = [cell for verb in VERBS for cell in (f"{took[verb]:.1f}", _each(found[0], (count, size, took), verb))]
        rows.append((f"{count:,}", f"{size / 1000:,.0f}", *cells))
    return table(("rules", "KB", *(words for verb in VERBS for words in (f"{verb}, s", "ms a rule more"))), rows)


def _each(base: Measured, now: Measured, verb: str) -> str:
    """What each rule more than ours takes, in ms."""
    more = now[0] - base[0]
    return f"{(now[2][verb] - base[2][verb]) / more * 1000:.2f}" if more else "–"


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

        def least(*words: str) -> float:
            return min(ops(*words) for _ in range(TURNS))

        try:
            say(f"{count} rules: `pulumi up` to a sandbox of their own")
            ops("sandbox", "up", "--history", "0")  # until all is in order
            took = {
                "render": least("render", "--target", "prod", "--out", str(Path(folder) / "out")),
                "preview": least("sandbox", "shell", "--", "pulumi", "preview"),
                "verify": least("verify", "--target", "sandbox"),
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
