"""The tracking document: what verbs record is between markers, everything else is written by people.

    <!-- begin baseline: written by `bin/ops baseline` -->
    …
    <!-- end baseline -->

A marker is a line of its own outside code fences. The text between `begin` and `end` is replaced; other bytes stay.
In docs/limits.md, the list of changed limits, an entry is added; every other byte stays.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ops.errors import Misconfigured
from ops.repo import files

DOCUMENT = files.ROOT / "docs" / "tracking.md"
LIMITS = files.ROOT / "docs" / "limits.md"

_MARKER = re.compile(r"\ufeff?<!--\s*(begin|end)\s+([a-z][a-z0-9-]*)\b[^>]*-->\s*")
_FENCE = re.compile(r"\ufeff? {0,3}(`{3,}|~{3,})(.*)")
_COLUMNS = ("Date", "Alert", "From", "To", "Evidence", "Reason")
_ENTRY = re.compile(r"^- `\w+`: `", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """One limit that was changed, and why. `date` is YYYY-MM-DD; `before` and `after` are limits such as `> 1000`."""

    date: str
    alert: str
    before: str
    after: str
    evidence: str
    reason: str


def section(text: str, name: str, *, where: str) -> str:
    """The text between the markers of `name`, without blank lines around it. Raises Misconfigured without markers."""
    lines = text.split("\n")
    begin, end = _find(lines, name, where)
    return "\n".join(line.removesuffix("\r") for line in lines[begin + 1 : end]).strip("\n")


def with_section(text: str, name: str, body: str, *, where: str) -> str:
    """`text` with `body` between the markers of `name`, in the line ends of the begin marker; all other bytes kept.

    Raises Misconfigured where the markers are missing or doubled, or `body` contains what would hide them.
    """
    lines = text.split("\n")
    begin, end = _find(lines, name, where)
    eol = "\r" if lines[begin].endswith("\r") else ""
    body = body.strip("\n")
    inner = ["", *body.split("\n"), ""] if body else [""]
    result = "\n".join([*lines[: begin + 1], *(line.removesuffix("\r") + eol for line in inner), *lines[end:]])
    if section(result, name, where=where) != body.replace("\r\n", "\n"):
        raise Misconfigured(f"{where}: the text for {name} contains a marker or an open code fence; remove it")
    return result


def edit(path: Path, name: str, body: str) -> files.Edit:
    """The edit that puts `body` between the markers of `name` in the document at `path`. Raises Misconfigured."""
    where = files.shown(path)
    before = files.read(path, remedy=f"create it with two lines, {_pair(name)}, or name another with --document")
    return files.Edit(path, before, with_section(before, name, body, where=where))


def changes(text: str, *, where: str) -> tuple[Change, ...]:
    """The recorded changes of limits, newest first. Raises Misconfigured without the markers."""
    rows = [_cells(line) for line in section(text, "limits", where=where).split("\n")]
    return tuple(Change(*row) for row in rows if len(row) == len(_COLUMNS) and re.match(r"\d{4}-\d\d-\d\d", row[0]))


def with_change(text: str, change: Change, *, where: str) -> str:
    """`text` with `change` above the earlier ones; the same change is added only once. Raises Misconfigured."""
    row = _row((change.date, change.alert, change.before, change.after, change.evidence, change.reason))
    lines = section(text, "limits", where=where).split("\n")
    if row in lines:
        return text
    top = next((at for at, line in enumerate(lines) if re.fullmatch(r"\|( -+ \|)+", line)), None)
    if top is None:
        lines = [*(line for line in lines if line), _row(_COLUMNS), "|" + " --- |" * len(_COLUMNS), row]
    else:
        lines.insert(top + 1, row)
    return with_section(text, "limits", "\n".join(lines), where=where)


def with_entry(text: str, change: Change) -> str:
    """The list of limits with `change` above the earlier ones, or at the end where it is the first.

    All other bytes are kept; the same change is added only once.
    """
    eol = "\r\n" if "\r\n" in text else "\n"
    entry = (
        f"- `{change.alert}`: `{change.before}` → `{change.after}` ({change.date}). "
        f"{_prose(change.reason)} Evidence: {_prose(change.evidence)}"
    )
    if entry in text.splitlines():
        return text
    if earlier := _ENTRY.search(text):
        return f"{text[: earlier.start()]}{entry}{eol}{text[earlier.start() :]}"
    above = text if not text or text.endswith("\n") else text + eol
    return above + (eol if above.strip() and not above.endswith(eol * 2) else "") + entry + eol


def _find(lines: list[str], name: str, where: str) -> tuple[int, int]:
    """The indices of the begin and the end marker of `name`. Raises Misconfigured."""
    found: dict[str, list[int]] = {"begin": [], "end": []}
    fence = ""
    for at, line in enumerate(lines):
        opening = _FENCE.match(line.removesuffix("\r"))
        if fence:
            if opening and opening[1].startswith(fence) and not opening[2].strip():
                fence = ""
        elif opening and not (opening[1][0] == "`" and "`" in opening[2]):
            fence = opening[1]
        elif (marker := _MARKER.fullmatch(line)) and marker[2] == name:
            found[marker[1]].append(at)
    begins, ends = found["begin"], found["end"]
    if not begins and not ends:
        raise Misconfigured(
            f"{where} has no markers for {name}; add two lines, {_pair(name)}, where it is to be written"
        )
    for kind, places in found.items():
        if len(places) != 1:
            many = "none" if not places else "lines " + " and ".join(str(at + 1) for at in places)
            raise Misconfigured(f"{where} needs one `{kind} {name}` marker and has {many}; leave one of each")
    if begins[0] > ends[0]:
        raise Misconfigured(f"{where}:{ends[0] + 1}: the end marker of {name} is before its begin marker; swap them")
    between = [at for at in range(begins[0] + 1, ends[0]) if (m := _MARKER.fullmatch(lines[at])) and m[2] != name]
    if between:
        raise Misconfigured(f"{where}:{between[0] + 1}: another marker is between those of {name}; move it out")
    return begins[0], ends[0]


def _pair(name: str) -> str:
    return f"<!-- begin {name} --> and <!-- end {name} -->"


def _prose(text: str) -> str:
    """One line that ends in a full stop, with HTML escaped."""
    line = " ".join(text.split()).replace("<", "\\<")
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(re.sub(r"([\\|<`*_])", r"\\\1", " ".join(cell.split())) for cell in cells) + " |"


def _cells(line: str) -> tuple[str, ...]:
    """The cells of a table row, unescaped; none when the line is not one."""
    if not (line.startswith("|") and line.rstrip().endswith("|")):
        return ()
    cells = re.findall(r"(?:\\.|[^\\|])+", line.rstrip()[1:-1])
    return tuple(re.sub(r"\\(.)", r"\1", cell.strip()) for cell in cells)
