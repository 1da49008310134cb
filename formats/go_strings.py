"""Strings as Go writes them in its source: `"a\\n"`, and between backquotes."""

import re

_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\\"'])|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<o>[0-7]{3})|.?)",
    re.DOTALL,
)


def quote(text: str) -> str:
    """A text as a double-quoted Go string."""
    names = {**{value: f"\\{name}" for name, value in _PLAIN.items()}, '"': '\\"'}
    return '"' + "".join(names.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'


def unquote(quoted: str) -> str:
    """The value of a Go string in double quotes, single ones or backquotes; bytes that are no UTF-8 as surrogates.

    Raises ValueError, with a sentence that begins with the text, as strconv.Unquote would.
    """
    mark = quoted[0]
    if mark == "`":
        return quoted[1:-1].replace("\r", "")
    if "\n" in quoted:
        raise ValueError(f"{quoted} has a line break in it; write \\n")
    data = bytearray()
    position, end = 1, len(quoted) - 1
    while position < end:
        escape = _ESCAPE.match(quoted, position) if quoted[position] == "\\" else None
        if escape is None:
            data += quoted[position].encode("utf-8", "surrogateescape")
            position += 1
            continue
        data += _escaped(escape, mark, quoted)
        position = escape.end()
    return data.decode("utf-8", "surrogateescape")


def _escaped(escape: re.Match[str], mark: str, quoted: str) -> bytes:
    if (plain := escape["plain"]) and plain in (mark, *_PLAIN):
        return _PLAIN.get(plain, plain).encode()
    if escape["x"] or escape["o"]:
        byte = int(escape["x"] or escape["o"], 16 if escape["x"] else 8)
        if byte > 255:
            raise ValueError(f"{quoted} has an escape beyond one byte, {escape[0]}")
        return bytes([byte])
    if digits := escape["u"] or escape["U"]:
        code = int(digits, 16)
        if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
            return chr(code).encode()
    raise ValueError(f"{quoted} has an escape that Go does not know: {escape[0]}")
