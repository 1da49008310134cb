"""`make bench`: figures, each measured side by side with its yardstick in one run; writes docs/benchmarks.md.

    python -m tests.bench [rule_evaluation …]

With names only those are measured, and the rest of the page stays.
"""

import importlib
import signal
import sys
import time
from collections.abc import Sequence

from ops import interruption
from ops.errors import OpsError
from tests.bench import benchmarks_page
from tests.bench.bench_words import say


def main(wanted: Sequence[str]) -> int:
    """Measure, and write the page after each part, so that an interrupted run leaves what it has measured."""
    if unknown := [name for name in wanted if name not in benchmarks_page.PARTS]:
        say(f"{unknown[0]} is none of {', '.join(benchmarks_page.PARTS)}")
        return 2
    for name in wanted or benchmarks_page.PARTS:
        begin = time.monotonic()
        say(f"── {name} ──")
        lines: list[str] = importlib.import_module(f"tests.bench.{name}").run()
        print("\n".join([f"{name}:", *lines, ""]), flush=True)
        benchmarks_page.replace(name, lines)
        say(f"{name} took {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except OpsError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say(interruption.sentence())
        sys.exit(interruption.EXIT_CODE)
