"""The tokens of a Go template, and Go's literals.

As text/template/parse/lex.go and strconv have them in Go 1.26. The white space that trim marks remove is not removed:
nobody here executes a template.
"""

import re
import unicodedata
from collections.abc import Generator, Iterator
from dataclasses import dataclass

KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with")  #
)
_SPACES = " \t\r\n"
_SPACE = re.compile(r"[ \t\r\n]+")
_STRING = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_RAW = re.compile(r"`[^`]*`")
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_ONE = r"(?:0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][-+]?[0-9_]*)?|0[oO][0-7_]*\.?[0-7_]*|0[bB][01_]*\.?[01_]*"
_NUMBER = re.compile(rf"[-+]?{_ONE}|[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9_]*)?)i?")


class TemplateError(ValueError):
    """A text that is no template to Go, or one that cannot be executed with the data that there is.

    `row` is the line of the text, from 0. The message is a sentence without a full stop.
    """

    def __init__(self, row: int, sentence: str) -> None:
        super().__init__(sentence)
        self.row = row


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is that of lex.go in small letters, or a keyword; `row` the line where it begins, from 0."""

    kind: str
    text: str
    row: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens, the last one of the kind `eof`. Raises TemplateError at the first that is none."""
    at = row = 0
    while (start := text.find("{{", at)) >= 0:
        if start > at:
            yield Token("text", text[at:start], row)
        row += text.count("\n", at, start)
        at = start + 2
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] in tuple(_SPACES):
            at += 2
        if text.startswith("/*", at):
            at = _after_comment(text, at, row)
        elif text.find("}}", at) < 0:
            raise TemplateError(row, "{{ is not closed; add }}")
        else:
            yield Token("left", "{{", row)
            at = yield from _action(text, at, row + text.count("\n", start, at))
        row += text.count("\n", start, at)
    if at < len(text):
        yield Token("text", text[at:], row)
    yield Token("eof", "the end", row + text.count("\n", at))


def _after_comment(text: str, at: int, row: int) -> int:
    end = text.find("*/", at + 2)
    if end < 0 or not (width := _right(text, end + 2)):
        raise TemplateError(row, "a comment does not end; close it with */}}")
    return end + 2 + width


def _right(text: str, at: int) -> int:
    """The width of the closing braces that stand there, with a trim mark or without; 0 for none."""
    if text.startswith("}}", at):
        return 2
    return 4 if text[at : at + 1] in tuple(_SPACES) and text.startswith("-}}", at + 1) else 0


def _action(text: str, at: int, row: int) -> Generator[Token, None, int]:
    """The tokens of an action, its closing braces last. Returns where it ends."""
    first, depth = row, 0
    while True:
        if width := _right(text, at):
            if depth:
                raise TemplateError(row, "a ( is not closed; add )")
            yield Token("right", "}}", row)
            return at + width
        if at >= len(text):
            raise TemplateError(first, "{{ is not closed; add }}")
        kind, end = _token(text, at, row)
        depth += {"(": 1, ")": -1}.get(kind, 0)
        if depth < 0:
            raise TemplateError(row, "a ) closes nothing; add ( before it")
        yield Token(kind, text[at:end], row)
        row += text.count("\n", at, end)
        at = end


def _token(text: str, at: int, row: int) -> tuple[str, int]:
    """The kind of the token that begins there, and its end."""
    character = text[at]
    if found := _SPACE.match(text, at):
        end = found.end()
        return "space", end - 1 if text.startswith("-}}", end) and end - at > 1 else end
    if character == ":":
        if not text.startswith(":=", at):
            raise TemplateError(row, "a : stands alone; a variable is set by :=")
        return "declare", at + 2
    if simple := {"=": "assign", "|": "pipe", "(": "(", ")": ")"}.get(character):
        return simple, at + 1
    for opening, kind, pattern in (
        ('"', "string", _STRING),
        ("`", "string", _RAW),
        ("'", "character", _CHARACTER),
    ):
        if character == opening:
            if found := pattern.match(text, at):
                return kind, found.end()
            raise TemplateError(row, f"a text in {opening} does not end")
    if character == "$" or (character == "." and text[at + 1 : at + 2] not in tuple("0123456789")):
        end = _word(text, at + 1, row)
        if character == "$":
            return "variable", end
        return ("field" if end > at + 1 else "dot"), end
    if character in "+-.0123456789":
        return _number(text, at, row)
    if _is_alphanumeric(character):
        end = _word(text, at, row)
        word = text[at:end]
        return word if word in KEYWORDS else "bool" if word in ("true", "false") else "identifier", end
    if " " <= character <= "~":
        return "char", at + 1
    raise TemplateError(row, f"{character!r} is not expected inside {{{{ }}}}")


def _is_alphanumeric(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] == "L" or unicodedata.category(character) == "Nd"


def _word(text: str, at: int, row: int) -> int:
    """Where the letters and digits end that begin there. A word has to be followed by what can end one."""
    while at < len(text) and _is_alphanumeric(text[at]):
        at += 1
    if at < len(text) and text[at] not in " \t\r\n.,|:)(" and not text.startswith("}}", at):
        raise TemplateError(row, f"{text[at]!r} is not expected after a name; put a space between")
    return at


def _number(text: str, at: int, row: int) -> tuple[str, int]:
    end = _scanned(text, at, row)
    if text[end : end + 1] in ("+", "-"):
        whole = _scanned(text, end, row)
        real, imaginary = text[at:end], text[end : whole - 1]
        if text[whole - 1] != "i" or not _is_float(real) or not _is_float(imaginary):
            raise TemplateError(row, f"{text[at:whole]} is no number")
        return "number", whole
    written = text[at:end]
    if not (_is_float(written[:-1]) if written.endswith("i") else _is_number(written)):
        raise TemplateError(row, f"{written} is no number")
    return "number", end


def _scanned(text: str, at: int, row: int) -> int:
    found = _NUMBER.match(text, at)
    end = found.end() if found else at
    if end < len(text) and _is_alphanumeric(text[end]):
        raise TemplateError(row, f"{text[at : end + 1]} is no number")
    return end


def _is_number(text: str) -> bool:
    """Whether strconv reads it, with base 0 or as a float with a point or an exponent."""
    try:
        bare = _without_underscores(text).lstrip("+-")
        value = int(bare, 8 if re.fullmatch(r"0[0-7]+", bare) else 0)
    except ValueError:
        return bool(re.search(r"[.eEpP]", text)) and _is_float(text)
    return value < (2**63 + text.startswith("-") if text[0] in "+-" else 2**64)


def _is_float(text: str) -> bool:
    """Whether strconv.ParseFloat reads it: decimal, or hexadecimal with an exponent; not beyond all numbers."""
    try:
        bare = _without_underscores(text)
        if re.fullmatch(r"[-+]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][-+]?[0-9]+", bare):
            return abs(float.fromhex(bare)) < float("inf")
        return "x" not in bare.lower() and abs(float(bare)) < float("inf")
    except (ValueError, OverflowError):
        return False


def _without_underscores(text: str) -> str:
    """Raises ValueError where one does not stand between digits, or between a base and a digit."""
    is_hex = text.lstrip("+-")[:2].lower() == "0x"
    digit = "[0-9a-fA-F]" if is_hex else "[0-9]"
    bare = re.sub(rf"(?<={digit})_(?={digit})|(?<=^0[xXoObB])_(?={digit})|(?<=[-+]0[xXoObB])_(?={digit})", "", text)
    if "_" in bare:
        raise ValueError(text)
    return bare
