"""A check of Go templates without Go: delimiters, quotes, blocks that end, functions and templates that exist."""

import re
from collections.abc import Set

_ACTION = re.compile(r"\{\{-?(?=[\s/])|\{\{")
_COMMENT = re.compile(r"/\*.*?\*/\s*-?\}\}", re.S)
_TOKEN = re.compile(
    r"""\s+|(?P<end>-?\}\})|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')|(?P<field>[$.][\w.$]*)"""
    r"""|(?P<word>[A-Za-z_]\w*(?:\.\w+)*)|[-+]?\d[\w.]*|:=|[=|(),]|\)\.\w+"""
)
_BLOCKS = ("if", "range", "with", "define", "block")
_FUNCTIONS = {
    *("and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery"),
    *("eq", "ne", "lt", "le", "gt", "ge", "true", "false", "nil"),
    # Alertmanager's own (template.DefaultFuncs of 0.35; since when each is there: routing.needs)
    *("toUpper", "toLower", "title", "trimSpace", "join", "match", "safeHtml", "safeUrl", "urlUnescape"),
    *("reReplaceAll", "stringSlice", "date", "tz", "since", "humanizeDuration", "toJson", "now", "toDate"),
    *("mustToDate", "addDuration", "dict", "list", "append", "base64encode", "base64decode", "routeLabels"),
}
_BUILT_IN = re.compile(r"__\w+|[a-z]\w*\.default\.\w+")  # templates that Alertmanager brings with it


class TemplateError(ValueError):
    """A template that Alertmanager could not parse: `line` counts from 0 at the template's first line."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def check(text: str) -> None:
    """Raise TemplateError at the first thing that Go's template parser, or Alertmanager on sending, would refuse."""
    opened: list[tuple[str, int]] = []
    defined: set[str] = set()
    used: list[tuple[str, int]] = []
    position = 0
    while found := _ACTION.search(text, position):
        line = text.count("\n", 0, found.start())
        position = found.end()
        inner = text[position:].lstrip()
        if inner.startswith("/*"):
            comment = _COMMENT.search(text, position)
            if comment is None:
                raise TemplateError(line, "a comment does not end; close it with */}}.")
            position = comment.end()
            continue
        words, strings, position = _action(text, position, line)
        first = words[0] if words else ""
        if first in ("else", "end"):
            if not opened:
                raise TemplateError(
                    line, f"{{{{ {first} }}}} stands here without an if, range, with or define before it."
                )
            if first == "end":
                opened.pop()
            elif opened[-1][0] in ("define", "block"):
                raise TemplateError(line, "{{ else }} belongs to if, range or with, and none is open here.")
        elif first in ("break", "continue"):
            if not any(block == "range" for block, _ in opened):
                raise TemplateError(line, f"{{{{ {first} }}}} stands outside a range.")
        elif first in _BLOCKS:
            opened.append((first, line))
        if first in ("define", "block", "template"):
            if not strings:
                raise TemplateError(line, f'{{{{ {first} }}}} needs a name in quotes: {{{{ {first} "name" }}}}.')
            (used.append((strings[0], line)) if first == "template" else defined.add(strings[0]))
        start = 2 if words[:2] in (["else", "if"], ["else", "with"]) else 1
        known = first in (*_BLOCKS, "else", "end", "template", "break", "continue")
        _know(words[start:] if known else words, line)
    if opened:
        block, line = opened[-1]
        raise TemplateError(line, f"{{{{ {block} }}}} is not closed; add {{{{ end }}}}.")
    if "}}" in text[position:]:
        raise TemplateError(text.count("\n", 0, text.index("}}", position)), "}} closes nothing; add {{ before it.")
    for name, line in used:
        if name not in defined and not _BUILT_IN.fullmatch(name):
            raise TemplateError(line, f"there is no template {name}; define it in the same text.")


def functions(texts: Set[str]) -> set[str]:
    """The functions that templates which `check` has passed call; keywords are among them."""
    found: set[str] = set()
    for text in texts:
        position = 0
        while action := _ACTION.search(text, position):
            position = action.end()
            if text[position:].lstrip().startswith("/*") and (comment := _COMMENT.search(text, position)):
                position = comment.end()
            else:
                words, _, position = _action(text, position, 0)
                found.update(words)
    return found


def _action(text: str, position: int, line: int) -> tuple[list[str], list[str], int]:
    """The words and the strings of one action, and where it ends."""
    words: list[str] = []
    strings: list[str] = []
    start = position
    while True:
        token = _TOKEN.match(text, position)
        if token is None:
            rest = text[position : position + 1]
            what = "{{ is not closed; add }}" if rest in ("", "{", "}") else f"{rest} is not expected inside {{{{ }}}}"
            if rest in ('"', "'", "`"):
                what = f"a text in {rest} does not end"
            raise TemplateError(line + text.count("\n", start, position), f"{what}.")
        position = token.end()
        if token["end"]:
            if not text[start : token.start()].strip():
                raise TemplateError(line, "{{ }} is empty; take it out.")
            return words, strings, position
        if token["string"]:
            strings.append(token["string"][1:-1])
        if token["word"]:
            words.append(token["word"])


def _know(words: list[str], line: int) -> None:
    unknown: Set[str] = {word.split(".")[0] for word in words} - _FUNCTIONS
    if unknown:
        name = min(unknown)
        raise TemplateError(line, f"Alertmanager has no function {name} for templates; a field is written .{name}.")
