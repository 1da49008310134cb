"""Alertmanager's matchers (`component="api"`, `severity=~"warning|critical"`), as Alertmanager 0.27+ reads them.

There are two grammars. The newer one (UTF-8) knows quoted label names; what only the older (classic) one understands is
still accepted, and where both understand but differ, the older one wins.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from formats.go_strings import quote, unquote
from formats.regexes import Regex, RegexError


class MatcherError(ValueError):
    """A matcher that Alertmanager would refuse; the message says what is wrong with it."""


@dataclass(frozen=True, order=True)
class Matcher:
    """One condition on a label; a label that an alert does not have counts as the empty text."""

    name: str
    value: str
    operator: str  # one of = != =~ !~

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            compile_regex(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return compile_regex(self.value).matches(value) == (self.operator == "=~")

    def __str__(self) -> str:
        if re.fullmatch(_BARE, self.name):
            value = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
            return f'{self.name}{self.operator}"{value}"'
        return f"{quote(self.name)}{self.operator}{quote(self.value)}"


def compile_regex(pattern: str) -> Regex:
    """Go's regular expression, for whole texts. Raises MatcherError."""
    try:
        return Regex(pattern)
    except RegexError as error:
        raise MatcherError(f"{pattern!r} is not a regular expression: {error}") from None


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Matcher, ...]:
    """The matchers of one entry of a `matchers` list, such as `{a="b", c!="d"}`. Raises MatcherError."""
    try:
        newer = tuple(_utf8(text))
    except MatcherError as refused:
        try:
            return tuple(_classic(text))
        except MatcherError:
            raise refused from None
    try:
        older = tuple(_classic(text))
    except MatcherError:
        return newer
    return older if older != newer and (older or newer) else newer


def is_classic(text: str) -> bool:
    """Whether an Alertmanager before 0.27, which knows only the older grammar, can read one entry of `matchers`."""
    try:
        tuple(_classic(text))
    except MatcherError:
        return False
    return True


# ── the newer grammar ──

_WHITE = r"\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # what Go takes for a space
_SPACE = re.compile(f"[{_WHITE}]+")
_BARE = rf"[^{{}}!=~,\\\"'`{_WHITE}]+"  # all but what is reserved
_TOKEN = re.compile(
    rf'(?P<mark>[{{}},])|(?P<operator>=~|!=|!~|=)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<bare>{_BARE})', re.S
)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        token = _TOKEN.match(text, position)
        if token is None:
            rest = text[position:]
            what = (
                "a quoted text does not end"
                if rest.startswith('"')
                else f"{rest[0]} is not expected here; quote the text"
            )
            raise MatcherError(f"{text!r} is not a matcher: {what}")
        position = token.end()
        yield token.lastgroup or "", token[0]
    yield "end", ""


def _utf8(text: str) -> Iterator[Matcher]:
    tokens = _tokens(text)

    def wrong(wanted: str, got: str) -> MatcherError:
        return MatcherError(f"{text!r} is not a matcher: expected {wanted}, found {got or 'the end'}")

    kind, value = next(tokens)
    braces = value == "{" and kind == "mark"
    if braces:
        kind, value = next(tokens)
    while True:
        if kind in ("bare", "quoted"):
            name = _unquote(value) if kind == "quoted" else value
            kind, operator = next(tokens)
            if kind != "operator":
                raise wrong("one of = != =~ !~", operator)
            kind, value = next(tokens)
            if kind not in ("bare", "quoted"):
                raise wrong("a value", value)
            yield Matcher(name, _unquote(value) if kind == "quoted" else value, operator)
            kind, value = next(tokens)
            if (kind, value) == ("mark", ","):
                kind, value = next(tokens)
                if kind in ("bare", "quoted"):
                    continue
        elif kind != "end" and (kind, value) != ("mark", "}"):
            raise wrong("a label name", value)
        break
    if braces:
        if (kind, value) != ("mark", "}"):
            raise wrong("}", value)
        kind, value = next(tokens)
    if kind != "end":
        raise wrong("the end", value)


def _unquote(quoted: str) -> str:
    try:
        return unquote(quoted)
    except ValueError as error:
        raise MatcherError(str(error)) from None


# ── the older grammar ──

_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.S | re.A)


def _classic(text: str) -> Iterator[Matcher]:
    inside = escaped = False
    token = ""
    tokens = []
    for character in text.removeprefix("{").removesuffix("}"):
        if character == "," and not inside:
            tokens.append(token)
            token = ""
            continue
        if character == '"':
            inside, escaped = (inside, False) if escaped else (not inside, escaped)
        elif character == "\\":
            escaped = not escaped
        else:
            escaped = False
        token += character
    if token.strip():
        tokens.append(token.strip())
    for token in tokens:
        yield _classic_matcher(token)


def _classic_matcher(text: str) -> Matcher:
    found = _CLASSIC.fullmatch(text)
    if found is None:
        raise MatcherError(f"{text!r} is not a matcher; write one as {_EXAMPLE}")
    name, operator, raw = found.groups()
    quoted = raw.startswith('"')
    raw = raw[1:] if quoted else raw
    value = ""
    escaped = False
    for position, character in enumerate(raw):
        last = position == len(raw) - 1
        if escaped:
            escaped = False
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(character, "\\" + character)
        elif character == "\\" and not last:
            escaped = True
        elif character == '"':
            if not quoted or not last:
                raise MatcherError(f'{text!r} has a quote in its value; write \\"')
            quoted = False
        else:
            value += character
    if quoted:
        raise MatcherError(f"{text!r} has a value whose quote does not end")
    return Matcher(name, value, operator)


_EXAMPLE = 'label="value"'
