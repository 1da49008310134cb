"""promtool and amtool, where they are installed: would the servers accept a configuration?"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ops import build_tools

SECONDS = 30.0


def find(tool: str) -> Path | None:
    """The tool on PATH, of any version, else the one that `make tools` built; None where there is neither."""
    found = shutil.which(tool)
    return Path(found) if found else build_tools.built(tool)


def check_prometheus(text: str) -> list[str] | None:
    """The faults that promtool finds in a prometheus.yml; None without promtool.

    Files that it names (rules, passwords, certificates) are not looked for.
    """
    return _check("promtool", ["check", "config", "--syntax-only"], "prometheus.yml", text)


def check_alertmanager(text: str) -> list[str] | None:
    """The faults that amtool finds in an alertmanager.yml; None without amtool."""
    return _check("amtool", ["check-config"], "alertmanager.yml", text)


def new_faults(before: Sequence[str] | None, after: Sequence[str] | None) -> list[str]:
    """The faults after an edit that were not there before; line numbers are ignored."""
    known = {re.sub(r"\d+", "", line) for line in before or ()}
    return [line for line in after or () if re.sub(r"\d+", "", line) not in known]


def _check(tool: str, command: list[str], name: str, text: str) -> list[str] | None:
    program = find(tool)
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="api-performance-") as folder:
        file = Path(folder, name)
        file.write_bytes(text.encode())
        try:
            done = subprocess.run(
                [program, *command, file], capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired):
            return None  # the tool does not run, which says nothing about the text
    if done.returncode == 0:
        return []
    said = (done.stdout + done.stderr).replace(f"{file}", name).replace(f"{folder}/", "")
    lines = [re.sub(r"^.*?(?:FAILED:|error:|err=)\s*", "", line).strip() for line in said.splitlines()]
    lines = [line.rstrip('"') if line.count('"') % 2 else line for line in lines]
    noise = re.compile(r"^$|^Checking |^SUCCESS|^Found:|^ - |^amtool: *$|failed to validate \d")
    return [line for line in lines if not noise.search(line)] or [f"{tool} refuses it without saying why"]
