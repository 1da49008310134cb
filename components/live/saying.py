"""How a provider speaks: failures of one sentence without traceback, and lines that the engine shows as they come."""

import functools
import sys
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from components.live.refused import Refused
from ops.errors import OpsError

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


class NotDone(Exception):
    """A failure as a person reads it."""


NotDone.__module__ = "builtins"  # shown as "NotDone: sentence"


def in_one_sentence(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """For a provider's methods, which run in the plugin's process: only there may tracebacks be switched off."""

    def spoken(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        sys.tracebacklimit = 0
        try:
            return method(self, *args, **kwargs)
        except (OpsError, Refused) as error:
            raise NotDone(str(error)) from None

    return cast(Callable[Concatenate[S, P], T], functools.wraps(method)(spoken))


_said: set[str] = set()


def say(line: str) -> None:
    """Shown by the engine at once, as a message of this provider's; the same line once in an operation."""
    if line not in _said:
        _said.add(line)
        print(line, flush=True)
