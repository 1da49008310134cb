"""Ports on loopback: fixed ones, which have to be free, or free ones that the system chooses."""

import socket
from collections.abc import Mapping, Sequence

from ops.sandbox.sandbox_errors import PortTaken, SandboxError

HOST = "127.0.0.1"


def choose(names: Sequence[str], fixed: Mapping[str, int]) -> dict[str, int]:
    """A port for each name: the fixed one if it is free, else one that the system chooses, all of them different.

    Raises PortTaken for a fixed port in use, SandboxError for an unknown name.
    """
    for name in fixed:
        if name not in names:
            raise SandboxError(f"the sandbox has no port {name!r}; it has {', '.join(names)}")
    held, chosen = [], {}
    try:
        for name in names:
            listener = socket.socket()
            held.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, fixed.get(name, 0)))
            except OSError as error:
                raise PortTaken(
                    f"port {fixed[name]}, wanted for {name}, is taken ({error.strerror}): stop the program that uses "
                    f"it, or give {name} another port, or none for a free one"
                ) from error
            listener.listen(1)  # with SO_REUSEADDR a second listener fails only here
            chosen[name] = int(listener.getsockname()[1])
    finally:
        for listener in held:
            listener.close()
    return chosen


def answers(port: int) -> bool:
    """Whether something takes connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0
