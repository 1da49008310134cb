"""Reload the servers until they run what was written, or say what does not run."""

import time
from collections.abc import Callable
from typing import cast

from components.live.provider import Props, info, warn
from components.live.running import operator_readback, reach
from components.live.running.servers import ServerCheck, server_checks
from components.live.running.wanted import Wanted, no_longer_wanted
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from ops.errors import BadAnswer, NoService, OpsError, Refused, Unreachable

PAUSES = (0.1, 0.1, 0.2, 0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between two attempts; the last one repeats
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
    """Wait until both servers run, and nothing of ours. Raises EditRefused when the time is up.

    A server whose Service is gone is not waited for: what others took away must not keep us from going.
    """

    def still_running(server: ServerCheck) -> list[str]:
        return server.still_running(cast(Wanted, props)) or server.reload_failed()

    _wait(props, "run without what was taken back", still_running, may_be_gone=True)


def not_running(props: Props) -> list[str]:
    """What does not run as wanted now, without a reload; warns of what could not be looked at. Raises ops.errors."""
    found = []
    for server in server_checks(props):
        try:
            found += server.not_running()
        except reach.NOT_REACHED as problem:
            reach.warn_unreachable(problem)
        except OpsError as problem:
            warn(f"could not check whether it still runs: {problem}")
    return found


def _wait(props: Props, goal: str, check: Callable[[ServerCheck], list[str]], *, may_be_gone: bool = False) -> None:
    start = time.monotonic()
    limit, announced, attempt = float(props["timeout"]), start, 0
    pending, told = server_checks(props), set[str]()
    while True:
        faults = {}
        for server in pending:
            try:
                faults[server] = _faults(server, check)
            except NoService as gone:
                if not may_be_gone:
                    raise EditRefused(str(gone)) from None
                reach.warn_gone(gone)
        pending = list(faults)
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
            lines = {_progress(server.name, faults[server]) for server in pending}
            for line in sorted(lines - told) or [f"waiting for {_names(pending)}, {now - start:.0f} s"]:
                info(line)
            told |= lines
        time.sleep(min(PAUSES[min(attempt, len(PAUSES) - 1)], max(0.0, limit - (now - start))))
        attempt += 1


def _faults(server: ServerCheck, check: Callable[[ServerCheck], list[str]]) -> list[str]:
    """What is not yet as it should be. Raises EditRefused where waiting will not help."""
    try:
        # Reload each time: the first one may have read files that kubelet had not replaced yet.
        return server.reload() or check(server)
    except OpsError as problem:
        # It is starting, or the Service has no ready pod just now.
        waiting = isinstance(problem, (Unreachable, BadAnswer)) and not isinstance(problem, reach.LASTING)
        if waiting or (isinstance(problem, Refused) and problem.status >= 500):
            return [str(problem)]
        if isinstance(problem, NoService):
            raise
        raise EditRefused(str(problem)) from None


def _progress(server: str, faults: list[str]) -> str:
    """What is waited for, in one line without the time: a line that was shown is not repeated."""
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return reach.line(f"waiting for {server}: ", reach.in_short(faults[0]).removeprefix(f"{server} "), more)


def _names(servers: list[ServerCheck]) -> str:
    return " and ".join(server.name for server in servers)
