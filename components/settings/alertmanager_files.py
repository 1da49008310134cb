"""Reads settings that name a file in Alertmanager's container with a secret in it, and the heartbeat."""

from collections.abc import Callable

from components.settings.schema import SettingsError
from components.settings.values import OPERATOR_SECRET, Heartbeat
from formats import durations

_SHORTEST, _LONGEST = 30.0, 86400.0  # seconds; services for heartbeats have periods from a minute to days
INTERVAL = "a duration from 30s to 1d, such as 1m or 5m"


def check(path: str, mode: str, refusal: Callable[[str], SettingsError]) -> str:
    """The absolute path, where Alertmanager can read it in this `alertmanagerMode`.

    Raises the `refusal`, given what to write instead.
    """
    if mode == "tenant":
        raise refusal("no file: in alertmanagerMode tenant Alertmanager reads none")
    if mode == "operator" and not OPERATOR_SECRET.fullmatch(path):
        raise refusal("/etc/alertmanager/secrets/SECRET/KEY, for the operator takes a Secret and no other file")
    return path


def heartbeat(
    file: str | None, interval: str, given: bool, refusal: Callable[[str], SettingsError]
) -> Heartbeat | None:
    """The heartbeat; None without a file, where the stack must not have `given` an `interval` of its own.

    Raises the `refusal` of the interval, given what to write instead.
    """
    if file is None:
        if given:
            raise refusal("heartbeatUrlFile too: it has no effect without")
        return None
    try:
        length = durations.seconds(interval)
    except ValueError:
        length = 0.0
    if not _SHORTEST <= length <= _LONGEST:
        raise refusal(INTERVAL)
    return Heartbeat(file, interval)
