"""What is said of a server that cannot be reached: one line of at most 100 characters."""

import re

from components.live.provider import warn
from ops.errors import (
    Elsewhere,
    Forbidden,
    NoService,
    OpsError,
    OtherProtocol,
    Unauthorized,
    Unreachable,
    Untrusted,
)

NOT_REACHED = (Unreachable, Elsewhere, Forbidden)
# Only a person can change these, so they are not waited for. A host name without an address is: that of a headless
# Service has none while no pod is ready.
LASTING = (NoService, Untrusted, OtherProtocol, Elsewhere, Forbidden)
# Wrong settings whoever asks, so a preview refuses them. What the cluster says no to may differ by account, and a
# Service may be still to come.
WRONG_SETTINGS = (Untrusted, OtherProtocol, Elsewhere, Unauthorized)
LINE = 100  # characters

_ADDRESS = re.compile(r" at https?://\S+")
# What differs between two requests to the same server: without it both give the same line, which is shown once.
_SAME = (
    (re.compile(r'cannot be reached through a proxy \(404: services "([^"]+)" not found\)'), r"has no Service \1"),
    (re.compile(r"refused [A-Z]+ \S+ "), "refused the request "),
    (re.compile(r"answered [A-Z]+ \S+ with"), "answers with"),
    (re.compile(r"redirects \S+ to"), "redirects to"),
    (re.compile(r"within [\d.]+ s$"), "in time"),
)


def warn_unreachable(problem: OpsError) -> None:
    """Warn in one line that a server is needed and does not answer."""
    _warn(problem, "; `up` needs it")


def warn_gone(problem: OpsError) -> None:
    """Warn in one line that a server is no longer there to be asked."""
    _warn(problem, "; what it runs is unknown")


def _warn(problem: OpsError, ending: str) -> None:
    warn(line("", in_short(str(problem)), ending, LINE - len("warning: ")))


def line(beginning: str, text: str, ending: str = "", length: int = LINE) -> str:
    """All three, `text` as far as there is room for it."""
    room = length - len(beginning) - len(ending)
    return beginning + (text if len(text) <= room else text[: room - 1] + "…") + ending


def in_short(problem: str) -> str:
    """A message of ops.clients.http without address, path and advice; any other as it is."""
    if not _ADDRESS.search(problem):
        return problem
    text = _ADDRESS.sub("", problem, count=1)
    text = text.rpartition("; ")[0] or text
    for pattern, words in _SAME:
        text = pattern.sub(words, text)
    return text
