"""Runs every drill and the quiet weeks, and writes docs/drills.md: `python -m ops.faults`, or make drills.

`python -m ops.faults heartbeat`, or make heartbeat, runs the heartbeat's drill instead, and writes docs/heartbeat.md.
The exit code is 1 where something is not as it should be; the page is written all the same.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from formats.durations import humanize
from ops import interruption
from ops.errors import OpsError
from ops.faults import (
    drill_words,
    drills_page,
    heartbeat_drill,
    heartbeat_page,
    live_drill,
    measured,
    quiet_weeks,
    scenario_files,
)
from ops.faults.live_drill import Drill
from ops.faults.scenario_files import Scenario
from ops.options import progress
from ops.sandbox.sandbox_errors import SandboxError

DOCS = Path(__file__).resolve().parents[2] / "docs"


def drills() -> Iterator[Drill]:
    """Every scenario, one after the other. Raises what a drill raises."""
    known = list(scenario_files.load().values())
    takes = sum(one.lasts / live_drill.SPEED + 20 for one in known)
    progress(f"{len(known)} drills, about {humanize(takes)} in all")
    for scenario in known:
        print(f"{scenario.name}: {scenario.what}")
        done = _run(scenario)
        for line in drill_words.as_lines(done):
            print(line)
        sys.stdout.flush()
        yield done


def _run(scenario: Scenario) -> Drill:
    """One drill; a second time where the machine was too busy to begin."""
    for last in (False, True):
        try:
            with TemporaryDirectory(prefix="drill-") as home:
                return live_drill.run(scenario, Path(home), live_drill.SPEED, progress)
        except SandboxError as error:
            if last:
                raise
            progress(f"{error}; once more")
    raise AssertionError("unreachable")


def main() -> int:
    """Run all, write the page, and return the exit code."""
    done = list(drills())
    quiet = []
    for weeks in quiet_weeks.WEEKS:
        progress(f"four quiet weeks from {weeks.first} on")
        with TemporaryDirectory(prefix="drill-") as folder:
            quiet.append((weeks, weeks.replay(Path(folder))))
    conditions = measured.on(live_drill.SPEED)
    _write("drills.md", drills_page.page(done, quiet, conditions))
    false = any(replay.firing for _, one in quiet for replay in one.versions[0].replays.values())
    return 1 if false or any(drill.wrong for drill in done) else 0


def heartbeat() -> int:
    """Run the heartbeat's drill, write its page, and return the exit code."""
    with TemporaryDirectory(prefix="drill-") as home:
        found = heartbeat_drill.run(Path(home), heartbeat_drill.SPEED, progress)
    _write("heartbeat.md", heartbeat_page.page(found, measured.on(heartbeat_drill.SPEED)))
    return 1 if heartbeat_drill.problems(found) else 0


def _write(name: str, page: str) -> None:
    (DOCS / name).write_text(page, encoding="utf-8")
    print(f"Written: docs/{name}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(heartbeat() if sys.argv[1:] == ["heartbeat"] else main())
    except OpsError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(interruption.sentence(), file=sys.stderr)
        sys.exit(interruption.EXIT_CODE)
