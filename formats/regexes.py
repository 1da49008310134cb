r"""Regular expressions as Go reads them: matchers of Prometheus and Alertmanager are Go's.

RE2 has the syntax of Go's `regexp` (https://github.com/google/re2/wiki/Syntax). Only `\C`, a single byte, is unknown to
Go, and refused here too.
"""

import re
from functools import lru_cache

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_REFERENCE = re.compile(r"\$(?:\$|\{(?P<braced>\w+)\}|(?P<bare>\w+))")
_PIECE = re.compile(r"\\Q.*?(?:\\E|\Z)|\\(?P<escape>.)", re.DOTALL)


class RegexError(ValueError):
    """A text that is no regular expression to Go. The message is RE2's reason: `missing ): (`."""


class Regex:
    """A regular expression that has to match the whole of a text, as those of matchers do."""

    def __init__(self, pattern: str) -> None:
        """Raises RegexError."""
        self._compiled = _compiled(pattern)

    def matches(self, text: str) -> bool:
        """Whether it matches the whole of `text`."""
        return self._compiled.search(_encoded(text)) is not None

    def expand(self, template: str, text: str) -> str | None:
        """`template` with what the groups found in `text` for `$1` and `${name}`; None where `text` does not match.

        As Go's `Regexp.Expand`: a group that does not exist is empty, and `$$` is a dollar.
        """
        found = self._compiled.search(_encoded(text))
        if found is None:
            return None
        groups = dict(enumerate((found[0], *found.groups())))
        named = {name.decode(): groups[number] for name, number in self._compiled.groupindex.items()}

        def value(reference: re.Match[str]) -> str:
            name = reference["braced"] or reference["bare"]
            if name is None:
                return "$"
            group = groups.get(int(name)) if name.isascii() and name.isdecimal() else named.get(name)
            return (group or b"").decode("utf-8", "surrogateescape")

        return _REFERENCE.sub(value, template)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> "re2._Regexp":
    # In Alertmanager's own words (pkg/labels/matcher.go), which make a difference for `a)|(b`.
    anchored = f"^(?:{pattern})$"
    try:
        compiled = re2.compile(_encoded(anchored), _OPTIONS)
    except re2.error:
        try:
            re2.compile(_encoded(pattern), _OPTIONS)
        except re2.error as error:
            raise RegexError(_words(error)) from None
        raise RegexError(f"it cannot be anchored as {anchored}") from None
    if any(piece["escape"] == "C" for piece in _PIECE.finditer(pattern)):
        raise RegexError(r"invalid escape sequence: \C")
    return compiled


def _words(error: Exception) -> str:
    said = error.args[0]
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _encoded(text: str) -> bytes:
    """As Go holds it: a text that is no UTF-8 stays what it is."""
    return text.encode("utf-8", "surrogateescape")
