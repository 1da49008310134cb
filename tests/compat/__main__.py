"""`make compat`: the sandbox's whole life with every version of Prometheus and Alertmanager that is to be had.

    python -m tests.compat [prometheus=2.45.6 … | page]

Each Prometheus with the pinned Alertmanager, each Alertmanager with the pinned Prometheus. Prints one line a version;
with all of them it writes docs/compatibility.md. `page`: tries nothing, and writes of that page what follows from the
files alone. Exit code 1 where something does not work.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

from ops.errors import OpsError
from tests.compat import compatibility_page, server_builds
from tests.compat.compatibility_page import NAMES, Result
from tests.compat.life import ALERT, STEPS, Step
from tests.compat.server_builds import Server

AT_A_TIME = 2  # lives: each waits more than it computes


def say(line: str) -> None:
    print(line, flush=True)


def tried(server: Server, program: Path) -> Result:
    """One version: its life, and the features that it knows."""
    started = monotonic()
    environment = {**os.environ, f"SANDBOX_{server.name.upper()}": str(program)}
    lived = _child("tests.compat.life", environment=environment)
    steps = tuple(Step(**json.loads(line)) for line in lived)
    told = json.loads(
        _child("tests.compat.knows", server.name, str(program), server.version, environment=environment)[-1]
    )
    result = Result(server.name, server.version, steps, told["samples"], tuple(told["disagreements"]))
    say(f"{_line(result)} ({monotonic() - started:.0f} s)")
    return result


def _child(module: str, *arguments: str, environment: dict[str, str]) -> list[str]:
    """The lines that a module prints; what it says of a failure of its own is passed on."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OpsError(f"{' '.join(command[1:])} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return [line for line in done.stdout.splitlines() if line.startswith("{")]


def _line(result: Result) -> str:
    tried = [step for step in result.steps if step.tried]
    steps = ", ".join(f"{step.name} {'FAILED' if step.said else f'{step.seconds:.0f} s'}" for step in tried)
    missing = [name for name in STEPS if name not in {step.name for step in result.steps}]
    not_tried = f"; not tried: {', '.join(missing)}" if missing else ""
    features = f"{result.samples - len(result.wrong)} of {result.samples} features as said"
    return f"{NAMES[result.server]} {result.version}: {steps}{not_tried}; {features}"


def main(arguments: Sequence[str]) -> int:
    if arguments == ["page"]:
        kept = compatibility_page.FILE.read_text("utf-8")
        compatibility_page.FILE.write_text(compatibility_page.rewritten(kept), encoding="utf-8")
        return 0
    every = {f"{server.name}={server.version}": server for server in server_builds.servers()}
    if unknown := [name for name in arguments if name not in every]:
        print(f"{unknown[0]} is none of {', '.join(every)}.", file=sys.stderr)
        return 2
    wanted = [every[name] for name in arguments or every]
    try:
        programs = [server_builds.path(server, say) for server in wanted]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            results = list(pool.map(tried, wanted, programs))
    except OpsError as error:
        print(error, file=sys.stderr)
        return 2
    for result in results:
        for trouble in (*(f"{step.name}: {step.said}" for step in result.steps if step.said), *result.wrong):
            say(f"{NAMES[result.server]} {result.version}: {trouble}")
    if len(wanted) == len(every):
        compatibility_page.FILE.write_text(
            compatibility_page.text(results, server_builds.usual(), ALERT), encoding="utf-8"
        )
        say(f"wrote {compatibility_page.FILE.name}")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
