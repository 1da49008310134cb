"""A scenario that began a while ago: the sandbox's past is written anew, and its alerts are as old as that says.

Prometheus takes the age of an alert from ALERTS_FOR_STATE when it starts. So the work is done on a copy of its
database: the traffic since then is replaced, recordings and alerts are evaluated over it, and Prometheus is restarted
on the copy. Until then nothing of what runs is changed but the application, whose scenarios are put back after an
error.
"""

import contextlib
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

import rules
from ops.build_tools import Progress
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.replay.run import replay
from ops.replay.signals import Replay
from ops.sandbox.blocks import Floats, write_series
from ops.sandbox.evaluation import evaluating
from ops.sandbox.lifecycle import Sandbox
from ops.sandbox.past_traffic import TARGET, Incident, PastTraffic, recording_levels
from ops.sandbox.sandbox_errors import SandboxError
from ops.targets import SANDBOX

LONGEST = 6 * 3600.0  # seconds
STEP = 15.0  # seconds between samples of the new past
SCRAPED_WITHIN = 60.0  # seconds
_SPARSEST = 120.0  # seconds between two values of a recording, at most
_AT_ONCE = 120.0  # seconds; a snapshot of many days takes a while


def begin(sandbox: Sandbox, scenarios: Mapping[str, float], already: float, progress: Progress) -> float:
    """Set `scenarios` (name → intensity) as if they had begun `already` seconds ago. Prometheus is restarted.

    Returns when they began (seconds since the epoch). Raises SandboxError, and what a client raises; then, and after an
    interrupt, all is as before.
    """
    with sandbox.locked(), _application(sandbox) as since:
        sandbox.control(scenarios)
        until = float(math.floor(time.time()))
        _wait_scraped(sandbox.prometheus, since)
        progress("writing the past anew")
        database = sandbox.home / "data" / "prometheus"
        copy = database.with_name("prometheus-rewritten")
        shutil.rmtree(copy, ignore_errors=True)
        try:
            _snapshot(sandbox.prometheus, database).replace(copy)
            _rewrite(copy, scenarios, until - already, until)
            progress("restarting Prometheus with it")
            _restart(sandbox, database, copy)
        finally:
            shutil.rmtree(copy, ignore_errors=True)
        return until - already


@contextlib.contextmanager
def _application(sandbox: Sandbox) -> Iterator[float]:
    """Restart the application, so that its counters begin at 0 as after a new past; its scenarios are put back after an
    error. The moment of the restart, in seconds since the epoch.
    """
    state = sandbox.state
    if state is None:
        raise SandboxError(f"no sandbox runs in {sandbox.home}; start it with `make sandbox`")
    with Http(state.application_url, name="the simulated application") as http:
        before = http.get_json("/control")["scenarios"]
    try:
        sandbox.stop("application")
        sandbox.start("application")
        yield time.time()
    except BaseException:
        sandbox.stop("application")  # an interrupt may have left it half stopped
        sandbox.start("application")
        sandbox.control(before)
        raise


def _wait_scraped(prometheus: Prometheus, since: float) -> None:
    """Wait for two scrapes: the first may have begun before, and a series that is no longer shown ends with one."""
    seen = set[float]()
    deadline = time.monotonic() + SCRAPED_WITHIN
    while len(seen) < 2:
        found = prometheus.query(f'timestamp(up{{job="{TARGET["job"]}"}})')
        seen |= {one.value for one in found if one.value > since}
        if time.monotonic() > deadline:
            raise SandboxError(
                f"Prometheus has not scraped the application within {SCRAPED_WITHIN:.0f} s; is it running? "
                "`bin/ops sandbox status` says so, and where its log is"
            )
        time.sleep(0.1)


def _snapshot(prometheus: Prometheus, database: Path) -> Path:
    """A copy of the database as blocks; old blocks are links, which cost no space."""
    answer = prometheus.http.post("/api/v1/admin/tsdb/snapshot", timeout=_AT_ONCE).json()
    return database / "snapshots" / str(answer["data"]["name"])


def _rewrite(database: Path, scenarios: Mapping[str, float], start: float, end: float) -> None:
    """Replace the application's traffic from `start` to `end` (seconds since the epoch), and what follows from it."""
    ours = [alert for alert in rules.alerts(stack=SANDBOX).values() if not alert.is_watchdog]
    with evaluating(database, STEP) as prometheus:
        names = "|".join(alert.name for alert in ours)
        derived = [*rules.recordings(), *(f'{kind}{{alertname=~"{names}"}}' for kind in ("ALERTS", "ALERTS_FOR_STATE"))]
        _delete(prometheus, [f'{{job="{TARGET["job"]}"}}'], start, end)
        _delete(prometheus, derived, start, None)
        # Prometheus 3.16 fails ("index out of range") on some queries that meet a mark of what was deleted.
        prometheus.http.post("/api/v1/admin/tsdb/clean_tombstones", timeout=_AT_ONCE)
    length = end - start
    past = PastTraffic(database, length, step=STEP, end=end, faults=[Incident(length, length, scenarios)])
    past.traffic()
    first, *others = recording_levels()
    with evaluating(database, STEP) as prometheus:  # it loads new blocks at its start
        past.evaluate_recordings(prometheus.url, start, first)
        known = rules.recordings(stack=SANDBOX)
        replays = [replay(prometheus, alert, start, end, recordings=known) for alert in ours]
    for level in others:
        with evaluating(database, _SPARSEST) as prometheus:  # what is recorded has fewer values than the traffic
            past.evaluate_recordings(prometheus.url, start, level)
    times = np.append(past.times, end)
    series = [line for replayed in replays for line in _states(replayed, times)]
    if series:
        write_series(database, series, times)


def _delete(prometheus: Prometheus, matchers: list[str], start: float, end: float | None) -> None:
    prometheus.http.post(
        "/api/v1/admin/tsdb/delete_series", params={"match[]": matchers, "start": start, "end": end}, timeout=_AT_ONCE
    )


def _states(replayed: Replay, times: Floats) -> Iterator[tuple[str, list[str]]]:
    """The series that Prometheus writes of an alert: its state, and since when its expression holds."""
    active: dict[tuple[tuple[str, str], ...], dict[str, list[str]]] = {}
    begun: dict[tuple[tuple[tuple[str, str], ...], float], float] = {}
    for one in replayed.episodes:
        labels = tuple(sorted(one.labels.items()))
        began = begun.get((labels, one.start), one.start)  # firing goes on from pending
        begun[labels, one.end] = began
        inside = (times >= one.start) & ((times < one.end) | one.open)
        states = active.setdefault(labels, {})
        for kind, value in ((one.state, "1"), ("", f"{began:.0f}")):
            values = states.setdefault(kind, [""] * len(times))
            for place in np.flatnonzero(inside):
                values[place] = value
    for labels, states in active.items():
        for state, values in states.items():
            more = (("alertstate", state),) if state else ()
            shown = ",".join(f'{name}="{_escaped(value)}"' for name, value in (*labels, *more))
            yield f"{'ALERTS' if state else 'ALERTS_FOR_STATE'}{{{shown}}} ", values


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _restart(sandbox: Sandbox, database: Path, copy: Path) -> None:
    """Restart Prometheus on the copy; after an error, on the database that it had."""
    before = database.with_name("prometheus-before")
    shutil.rmtree(before, ignore_errors=True)
    try:
        sandbox.stop("prometheus")
        database.replace(before)
        copy.replace(database)
        sandbox.start("prometheus")
    except BaseException:
        sandbox.stop("prometheus")
        if before.exists():
            shutil.rmtree(database, ignore_errors=True)
            before.replace(database)
        sandbox.start("prometheus")
        raise
    shutil.rmtree(before, ignore_errors=True)
