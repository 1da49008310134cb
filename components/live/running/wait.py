"""Reload the servers until they run what was written, or say what does not run."""

import time
from collections.abc import Callable
from typing import cast

from components.live.provider import Props, info
from components.live.running import operator_readback
from components.live.running.servers import ServerCheck, server_checks
from components.live.running.wanted import Wanted, no_longer_wanted
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from ops.errors import BadAnswer, OpsError, Refused, Unreachable

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between two attempts; the last one repeats
PROGRESS_INTERVAL = 10.0  # seconds between two lines of progress


def until_running(props: Props, olds: Props | None = None) -> None:
    """Wait until both servers run what is wanted, and nothing of `olds` that is no longer wanted.

    Raises EditRefused, with what does not run, after `timeout` seconds.
    """
    gone = no_longer_wanted(cast(Wanted, olds), cast(Wanted, props)) if olds and olds.get("rules") is not None else None
    try:
        _wait(
            props,
            "run what was written",
            lambda server: (server.still_running(gone) if gone else []) or server.not_running(),
        )
    except EditRefused as error:
        if told := operator_readback.rejections(props):
            raise EditRefused(f"{error}; {'; '.join(told)}") from None
        raise


def until_gone(props: Props) -> None:
    """Wait until both servers run, and nothing of ours. Raises EditRefused when the time is up."""
    _wait(
        props,
        "run without what was taken back",
        lambda server: server.still_running(cast(Wanted, props)) or server.reload_failed(),
    )


def not_running(props: Props) -> list[str]:
    """What does not run as wanted now, without a reload. Raises ops.errors."""
    return [fault for server in server_checks(props) for fault in server.not_running()]


def _wait(props: Props, goal: str, check: Callable[[ServerCheck], list[str]]) -> None:
    start = time.monotonic()
    limit, announced, attempt = float(props["timeout"]), start, 0
    pending = server_checks(props)
    while True:
        faults = {server: _faults(server, check) for server in pending}
        for server in pending:
            if not faults[server]:
                info(f"{server.name} {'runs' + goal.removeprefix('run')} ({time.monotonic() - start:.1f} s)")
        pending = [server for server in pending if faults[server]]
        if not pending:
            return
        now = time.monotonic()
        if now - start >= limit:
            what = "; ".join(f"{server.name}: {shorten(faults[server], 3, '; ')}" for server in pending)
            raise EditRefused(f"after {limit:g} s not all servers {goal}. {what}")
        if now - announced >= PROGRESS_INTERVAL:
            announced = now
            seen = " and ".join(f"{server.name} ({shorten(faults[server], 1)})" for server in pending)
            info(f"waiting for {seen}, {now - start:.0f} s")
        time.sleep(min(PAUSES[min(attempt, len(PAUSES) - 1)], max(0.0, limit - (now - start))))
        attempt += 1


def _faults(server: ServerCheck, check: Callable[[ServerCheck], list[str]]) -> list[str]:
    """What is not yet as it should be. Raises EditRefused where waiting will not help."""
    try:
        # Reload each time: the first one may have read files that kubelet had not replaced yet.
        return server.reload() or check(server)
    except OpsError as problem:
        # It is starting, or the Service has no ready pod just now.
        if isinstance(problem, (Unreachable, BadAnswer)) or (isinstance(problem, Refused) and problem.status >= 500):
            return [str(problem)]
        raise EditRefused(str(problem)) from None
