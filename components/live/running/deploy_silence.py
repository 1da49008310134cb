"""Silences our own alerts while `pulumi up` runs, as Prometheus may restart meanwhile.

The silence is a lease: it ends by itself soon, and a thread renews it. One process of the plugin works for all dynamic
resources of a run and ends with it, so this process keeps the lease (docs/adr/0020).
"""

import atexit
import re
import select
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from components.live.cluster import connections
from components.live.provider import Props, info, warn
from formats.json_types import JsonObject
from ops.clients.alertmanager import DEPLOY_COMMENT
from ops.errors import NotFound, OpsError

LEASE = 60.0  # seconds until it ends by itself
RENEWAL = 20.0  # seconds between two renewals: two may fail

Labels = Mapping[str, str]


class DeploySilence:
    """At most one silence, begun by whatever changes first and ended by `Live`, or when this process ends.

    Safe to use from several threads. A failure is a warning: `up` goes on.
    """

    def __init__(self, lease: float = LEASE, renewal: float = RENEWAL) -> None:
        self._times = (lease, renewal)
        self._lock = threading.Lock()
        self._wanted: Props = {}
        self._held: _Lease | None = None
        atexit.register(self.end)  # an `up` that fails before `Live`, or is interrupted

    def prepare(self, props: Props) -> None:
        """Remember what `begin` is to silence: the inputs of `Withdrawn`, which each run checks first."""
        self._wanted = props

    def begin(self) -> None:
        """Silence our alerts, if the settings say so and they are not silenced yet."""
        with self._lock:
            if self._held or not self._wanted.get("silenced"):
                return
            try:
                self._held = _Lease(self._wanted, *self._times)
            except OpsError as error:
                warn(f"our alerts are not silenced while this runs: {error}")

    def end(self) -> None:
        """End the silence, if there is one."""
        with self._lock:
            held, self._held = self._held, None
        if held:
            held.end()


deploy_silence = DeploySilence()  # that of this run


class _Lease:
    """A silence at Alertmanager, for `lease` seconds, and the thread that renews it every `renewal` seconds.

    Raises ops.errors where it cannot be made.
    """

    def __init__(self, props: Props, lease: float, renewal: float) -> None:
        self._alertmanager = connections.alertmanager(props)
        self._lease, self._renewal = timedelta(seconds=lease), renewal
        sender = connections.prometheus(props).sender()
        arriving = [labels for alert in props["silenced"] for labels in sender.sent(alert)]
        self._silence: JsonObject = {
            "matchers": matchers(arriving),
            "createdBy": props["manager"],
            "comment": f"{DEPLOY_COMMENT} for as long as `pulumi up` of {props['manager']} runs; renewed every "
            f"{renewal:g} s, ends by itself within {lease:g} s",
        }
        if not self._silence["matchers"]:
            raise OpsError("none of them has the label component when it arrives at Alertmanager")
        self._until = self._make()
        info(f"our alerts are silenced while this runs, {lease:g} s at a time")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End it now."""
        self._over.set()
        self._thread.join()

    def _make(self) -> datetime:
        """Make it; returns when it ends, by Alertmanager's clock."""
        now = self._alertmanager.clock()
        until = now + self._lease
        self._number = self._alertmanager.post_silence(
            {**self._silence, "startsAt": now.isoformat(), "endsAt": until.isoformat()}
        )
        return until

    def _keep(self) -> None:
        while not self._over.wait(self._renewal) and _engine_runs():
            try:
                if not self._renew():
                    return
            except OpsError as error:
                warn(f"could not renew the silence of our alerts: {error}")
        try:
            self._alertmanager.expire_silence(self._number)
        except NotFound:
            pass  # an Alertmanager that was restarted has forgotten it
        except OpsError as error:
            seconds = self._lease.total_seconds()
            warn(f"could not end the silence of our alerts, which ends by itself within {seconds:g} s: {error}")

    def _renew(self) -> bool:
        """Make it last `lease` from now; False where somebody has ended it, which stays so."""
        try:
            found = self._alertmanager.silence(self._number)
        except NotFound:
            self._until = self._make()
            return True
        if found["status"]["state"] == "expired":
            if datetime.fromisoformat(found["endsAt"]) < self._until - timedelta(seconds=1):
                info("somebody has ended the silence of our alerts; it is not made again")
                return False
            self._until = self._make()  # nothing could renew it in time
            return True
        until = self._alertmanager.clock() + self._lease
        changed = {**self._silence, "id": self._number, "startsAt": found["startsAt"], "endsAt": until.isoformat()}
        self._number, self._until = self._alertmanager.post_silence(changed), until
        return True


def matchers(label_sets: Iterable[Labels]) -> list[JsonObject]:
    """What alerts with these labels match, as Alertmanager's API has it; [] for none.

    By their names, and by each label that all of them have with values known beforehand. An alert without a component
    is left out: its name alone could be that of an alert of others.
    """
    known = [{name: value for name, value in labels.items() if "{{" not in value} for labels in label_sets]
    ours = [labels for labels in known if {"alertname", "component"} <= labels.keys()]
    names = sorted(set[str].intersection(*(set(labels) for labels in ours))) if ours else []
    return [_matcher(name, sorted({labels[name] for labels in ours})) for name in names]


def _matcher(name: str, values: list[str]) -> JsonObject:
    several = len(values) > 1
    value = "|".join(map(re.escape, values)) if several else values[0]
    return {"name": name, "value": value, "isRegex": several, "isEqual": True}


def _engine_runs() -> bool:
    """Whether somebody still reads what this process prints: an engine that was killed leaves this process behind."""
    stdout = select.poll()
    stdout.register(1, 0)  # no events, so only that the other end is closed
    return not stdout.poll(0)
