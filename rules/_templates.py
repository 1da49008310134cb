"""A check of the Go templates in labels and annotations: what would fail only when the alert fires."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""\s+|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)')|(?P<variable>\$\w*)|(?P<field>(?:\.[A-Za-z_]\w*)+|\.)
    |(?P<number>[-+]?\d[\w.]*)|(?P<word>[A-Za-z_]\w*)|(?P<sign>:=|[|(),=])""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"\{\{(?:-\s)?/\*.*?\*/(?:\s-)?\}\}", re.DOTALL)
_INSIDE = re.compile(r"(?:\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|[^\"`}]|\}(?!\}))*")
_OPENING = {"if", "range", "with", "block", "define"}
_WORDS = {"else", "template", "break", "continue", "true", "false", "nil"}
_VARIABLES = {"$", "$labels", "$value", "$externalLabels", "$externalURL"}
_FIELDS = {".", ".Labels", ".Value", ".ExternalLabels", ".ExternalURL"}
# https://prometheus.io/docs/prometheus/latest/configuration/template_reference/, then Go's own.
# fmt: off
_FUNCTIONS = {
    "query", "first", "label", "value", "strvalue", "sortByLabel", "humanize", "humanize1024",
    "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toTime", "toDuration", "now", "title",
    "toUpper", "toLower", "stripPort", "match", "reReplaceAll", "graphLink", "tableLink", "parseDuration",
    "stripDomain", "args", "tmpl", "safeHtml", "externalURL", "pathPrefix", "urlQueryEscape", "and", "or",
    "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "call", "eq",
    "ne", "lt", "le", "gt", "ge",
}
# fmt: on


def problem(text: str) -> str | None:
    """What is wrong with a template, as the end of a sentence ("has a …"); None if nothing is."""
    open_blocks: list[str] = []
    known = set(_VARIABLES)
    try:
        for action in _actions(text):
            _check(action, open_blocks, known)
    except ValueError as error:
        return str(error)
    return f"has a {{{{ {open_blocks[-1]} }}}} without {{{{ end }}}}" if open_blocks else None


def words(text: str) -> set[str]:
    """Every function, variable and field that a template uses (`toTime`, `$externalLabels`, `.ExternalURL`)."""
    return {
        word for action in _actions(text) for sort, word in _tokens(action) if sort in ("word", "variable", "field")
    }


def _actions(text: str) -> Iterator[str]:
    """The insides of every `{{ … }}`, comments left out."""
    at = 0
    while (start := text.find("{{", at)) >= 0:
        if "}}" in text[at:start]:
            raise ValueError("has a `}}` without its `{{`")
        if comment := _COMMENT.match(text, start):
            at = comment.end()
            continue
        inside = _INSIDE.match(text, start + 2)
        end = inside.end() if inside else start + 2
        if not text.startswith("}}", end):
            raise ValueError("has a `{{` without its `}}`")
        action = text[start + 2 : end].removeprefix("- ").removesuffix(" -").strip()
        if "{{" in _without_strings(action):
            raise ValueError("has a `{{` without its `}}`")
        yield action
        at = end + 2
    if "}}" in text[at:]:
        raise ValueError("has a `}}` without its `{{`")


def _without_strings(action: str) -> str:
    return re.sub(r"\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`", '""', action)


def _check(action: str, open_blocks: list[str], known: set[str]) -> None:
    tokens = list(_tokens(action))
    if not tokens:
        raise ValueError("has an empty `{{ }}`")
    first = tokens[0][1]
    if first == "end":
        if not open_blocks or len(tokens) > 1:
            raise ValueError("has an {{ end }} too many")
        open_blocks.pop()
        return
    if first in _OPENING:
        open_blocks.append(first)
    if first == "else" and not open_blocks:
        raise ValueError("has an {{ else }} outside any {{ if }}")
    values = [text for _, text in tokens]
    for place, (sort, text) in enumerate(tokens):
        if sort == "variable":
            if ":=" in values[place + 1 :]:
                known.add(text)
            if text not in known:
                raise ValueError(f"uses {text}, which Prometheus does not know (it knows $labels and $value)")
        elif sort == "field":
            follows = place > 0 and tokens[place - 1][0] in ("variable", "sign") and place > 0
            if not open_blocks and not follows and "." + text.split(".")[1] not in _FIELDS:
                raise ValueError(f"uses {text}, which Prometheus does not know (it knows .Labels and .Value)")
        elif sort == "word" and text not in _FUNCTIONS | _WORDS | _OPENING:
            raise ValueError(f"calls {text}, which is no function of Prometheus' templates")
    if values.count("(") != values.count(")"):
        raise ValueError(f"has unbalanced parentheses in {{{{ {action} }}}}")
    if values[-1] in ("|", ":=", ",", "=") or values[0] in ("|", ":=", ",", "="):
        raise ValueError(f"has an unfinished {{{{ {action} }}}}")


def _tokens(action: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(action):
        found = _TOKEN.match(action, at)
        if not found:
            raise ValueError(f"has {{{{ {action} }}}}, which is no template action")
        if found.lastgroup:
            yield found.lastgroup, found.group()
        at = found.end()
