"""Ports on loopback: free ones chosen by the system, or fixed ones, checked before anything is started."""

import socket
from collections.abc import Mapping, Sequence

from ops.sandbox.sandbox_errors import PortTaken, SandboxError

HOST = "127.0.0.1"


def choose(names: Sequence[str], fixed: Mapping[str, int]) -> dict[str, int]:
    """A port for each name: the fixed one if it is free, else one that the system chooses, all of them different.

    Raises PortTaken for a fixed port where somebody listens, SandboxError for a name that nothing has.
    """
    for name in fixed:
        if name not in names:
            raise SandboxError(f"nothing in the sandbox is called {name!r}; ports can be given to {', '.join(names)}")
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
                    f"port {fixed[name]}, wanted for {name}, is taken ({error.strerror}): stop what listens there, "
                    f"or give {name} another port, or none for a free one"
                ) from error
            listener.listen(1)  # a listener of somebody else shows only now where SO_REUSEADDR lets two bind
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
