"""Starts, waits for and stops the local stack: real Prometheus and Alertmanager, a mail sink, a stand-in application.

    Sandbox(home).up(progress)   ->  State
    Sandbox(home).state          ->  State | None
    Sandbox(home).down()

What runs as a process of its own (`application`, `mail_sink`) imports this package too and needs nothing of it, hence
the names only on demand.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ops.sandbox.box import Sandbox as Sandbox
    from ops.sandbox.box import State as State


def __getattr__(name: str) -> Any:
    if name in ("Sandbox", "State"):
        from ops.sandbox import box

        return getattr(box, name)
    raise AttributeError(name)
