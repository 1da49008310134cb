"""A dead man's switch, as services outside are: it is told regularly that all is well, and calls when it is not told.

    POST   /beat       all is well; the body is not looked at
    GET    /state      {"beats": [seconds since the epoch], "missing_since": seconds since the epoch or null,
                       "calls": [[from, to or null]]}: `missing_since` while it calls, and each time that it called
    POST   /forget     forget all beats and calls: it waits for a first beat, and does not call before

It calls when `--period` and `--grace`, in seconds, have gone by since the last beat.
"""

import argparse
import threading
import time
from collections import deque
from collections.abc import Callable

from ops.sandbox.servers.loopback_http import Answer, as_json, serve

KEPT = 2000  # beats and calls, the latest ones


class Switch:
    """The beats and the calls. `now`: seconds since the epoch."""

    def __init__(self, period: float, grace: float, now: Callable[[], float] = time.time) -> None:
        self._patience, self._now = period + grace, now
        self._lock = threading.Lock()
        self._beats: deque[float] = deque(maxlen=KEPT)
        self._calls: deque[tuple[float, float]] = deque(maxlen=KEPT)  # that are over

    def beat(self) -> Answer:
        """All is well."""
        with self._lock:
            now = self._now()
            if (since := self._missing_since(now)) is not None:
                self._calls.append((since, now))
            self._beats.append(now)
        return as_json({})

    def forget(self) -> Answer:
        """Wait for a first beat again."""
        with self._lock:
            self._beats.clear()
            self._calls.clear()
        return as_json({})

    def state(self) -> Answer:
        """What was heard, and whether it calls."""
        with self._lock:
            since = self._missing_since(self._now())
            calls = [*self._calls, *([(since, None)] if since is not None else [])]
            return as_json({"beats": list(self._beats), "missing_since": since, "calls": calls})

    def _missing_since(self, now: float) -> float | None:
        """Since when it calls; None while it does not."""
        late = self._beats[-1] + self._patience if self._beats else now
        return late if late < now else None


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m ops.sandbox.servers.dead_mans_switch", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--period", type=float, required=True)
    parser.add_argument("--grace", type=float, required=True)
    options = parser.parse_args()
    switch = Switch(options.period, options.grace)
    serve(
        options.port,
        {
            ("POST", "/beat"): lambda _, accept: switch.beat(),
            ("POST", "/forget"): lambda _, accept: switch.forget(),
            ("GET", "/state"): lambda _, accept: switch.state(),
        },
    )


if __name__ == "__main__":
    main()
