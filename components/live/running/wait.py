"""Reload the servers until they run what was written, or say what does not run."""

import time
from collections.abc import Callable
from typing import cast

from components.live.cluster.pod_annotation import PodAnnotations
from components.live.provider import Props, info, warn, wrote
from components.live.running import operator_readback, reach, servers
from components.live.running.servers import ServerCheck
from components.live.running.wanted import Wanted, no_longer_wanted
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from ops.errors import BadAnswer, NoService, OpsError, Refused, Unreachable

PAUSES = (0.1, 0.1, 0.2, 0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between two attempts; the last one repeats
PROGRESS_INTERVAL = 10.0  # seconds between two lines of progress
# Seconds until pods are annotated again: kubelet may look at a pod before it knows of the change, or the Prometheus
# Operator makes another Secret of ours first.
ANNOTATE_AGAIN = 5.0


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
    PodAnnotations(props).remove()


def not_running(props: Props) -> list[str]:
    """What does not run as wanted now, without a reload; warns of what could not be looked at. Raises ops.errors.

    Once this run has written something, a server that does not answer may be restarting for it: then it counts as not
    running, else `up` would end without a proof.
    """
    found = []
    for kind in servers.kinds(props):
        checks, replicas = servers.replica_checks(props, kind, reload=False)
        if replicas.unseen:
            warn(f"{kind.capitalize()}: {replicas.unseen}")
        for server in checks:
            try:
                faults = server.not_running()
            except reach.NOT_REACHED as problem:
                reach.warn_unreachable(problem)
                if wrote() and not isinstance(problem, reach.LASTING):
                    found.append(reach.in_short(str(problem)))
            except OpsError as problem:
                warn(f"could not check whether it still runs: {problem}")
            else:
                found += [f"{server.name}: {fault}" for fault in faults] if len(checks) > 1 else faults
    return found


def _wait(props: Props, goal: str, check: Callable[[ServerCheck], list[str]], *, may_be_gone: bool = False) -> None:
    start = time.monotonic()
    limit, announced, attempt = float(props["timeout"]), start, 0
    looks, told = [_Look(props, kind) for kind in servers.kinds(props)], set[str]()
    pods, annotated = PodAnnotations(props), start
    pods.write()
    while True:
        for look in looks:
            try:
                look.again(check)
            except NoService as gone:
                if not may_be_gone:
                    raise EditRefused(str(gone)) from None
                reach.warn_gone(gone)
                continue
            if not look.faults:
                how_many = f" on {look.count} replicas" if look.count > 1 else ""
                info(f"{look.title} runs{goal.removeprefix('run')}{how_many} ({time.monotonic() - start:.1f} s)")
                if look.unseen:
                    warn(f"{look.title}: {look.unseen}")
        looks = [look for look in looks if look.faults]
        if not looks:
            return
        pending = {name: faults for look in looks for name, faults in look.faults.items()}
        now = time.monotonic()
        if now - annotated >= ANNOTATE_AGAIN:
            annotated = now
            pods.write()
        if now - start >= limit:
            what = "; ".join(_of_replica(name, shorten(faults, 3, "; ")) for name, faults in pending.items())
            stuck = [state for look in looks for state in servers.stuck_pods(props, look.kind)]
            raise EditRefused("; ".join([f"after {limit:g} s not all servers {goal}. {what}", *stuck]))
        if now - announced >= PROGRESS_INTERVAL:
            announced = now
            lines = {_progress(name, faults) for name, faults in pending.items()}
            for line in sorted(lines - told) or [f"waiting for {' and '.join(pending)}, {now - start:.0f} s"]:
                info(line)
            told |= lines
        time.sleep(min(PAUSES[min(attempt, len(PAUSES) - 1)], max(0.0, limit - (now - start))))
        attempt += 1


class _Look:
    """The replicas of one server, looked at until none has a fault; listed again each time, as pods are replaced."""

    def __init__(self, props: Props, kind: str) -> None:
        self.props, self.kind, self.title = props, kind, kind.capitalize()
        self.faults: dict[str, list[str]] = {}  # replica → what is not yet as it should be
        self.count, self.unseen = 0, ""
        self._done = set[str]()

    def again(self, check: Callable[[ServerCheck], list[str]]) -> None:
        """Look at those that were not in order. Raises EditRefused where waiting will not help, NoService."""
        self.faults = {}
        try:
            checks, replicas = servers.replica_checks(self.props, self.kind, reload=True)
        except OpsError as problem:
            self.faults = {self.title: _if_it_may_pass(problem)}
            return
        self.count, self.unseen = len(checks), replicas.unseen
        for server in checks:
            if server.name in self._done:
                continue
            if faults := _faults(server, check):
                self.faults[server.name] = faults
            else:
                self._done.add(server.name)


def _faults(server: ServerCheck, check: Callable[[ServerCheck], list[str]]) -> list[str]:
    """What is not yet as it should be. Raises EditRefused where waiting will not help, NoService."""
    try:
        # Reload each time: the first one may have read files that kubelet had not replaced yet.
        return server.reload() or check(server)
    except OpsError as problem:
        return _if_it_may_pass(problem)


def _if_it_may_pass(problem: OpsError) -> list[str]:
    """The problem in words, where it passes by itself. Raises EditRefused where it does not, NoService."""
    # It is starting, or the Service has no ready pod just now.
    waiting = isinstance(problem, (Unreachable, BadAnswer)) and not isinstance(problem, reach.LASTING)
    if waiting or (isinstance(problem, Refused) and problem.status >= 500):
        return [str(problem)]
    if isinstance(problem, NoService):
        raise problem
    raise EditRefused(str(problem)) from None


def _of_replica(name: str, faults: str) -> str:
    return faults if faults.startswith(name) else f"{name}: {faults}"


def _progress(server: str, faults: list[str]) -> str:
    """What is waited for, in one line without the time: a line that was shown is not repeated."""
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return reach.line(f"waiting for {server}: ", reach.in_short(faults[0]).removeprefix(f"{server} "), more)
