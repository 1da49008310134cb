"""The tracking document: what verbs record is between markers, everything else is written by people.

    <!-- begin baseline: written by `bin/ops baseline` -->
    …
    <!-- end baseline -->

A marker is a line of its own outside code fences. The text between `begin` and `end` is replaced; other bytes stay.
Of normal traffic there is one record for each target, below a heading with its name: `### prod`.
In docs/limits.md, the list of changed limits, an entry is added; every other byte stays.
"""

import re
from dataclasses import astuple, dataclass
from pathlib import Path

from ops.errors import Misconfigured
from ops.repo import files

DOCUMENT = files.ROOT / "docs" / "tracking.md"
LIMITS = files.ROOT / "docs" / "limits.md"

_MARKER = re.compile(r"\ufeff?<!--\s*(begin|end)\s+([a-z][a-z0-9-]*)\b[^>]*-->\s*")
_FENCE = re.compile(r"\ufeff? {0,3}(`{3,}|~{3,})(.*)")
_RECORD = re.compile(r"^### +(\S.*?) *$", re.MULTILINE)
_COLUMNS = ("Date", "Alert", "From", "To", "Target", "Window", "Alerts in it", "Evidence", "Reason")
# What the documents of a target that is for practice begin with.
_PRACTICE = {
    DOCUMENT.name: """\
# Tracking: what was observed in the sandbox

For practice: nothing here is about production, whose record is docs/tracking.md.

## Observed Baseline Values

<!-- begin baseline: written by `bin/ops baseline` -->
<!-- end baseline -->

## Threshold Changes

<!-- begin limits: written by `bin/ops tune` -->
<!-- end limits -->
""",
    LIMITS.name: """\
# Limits that were changed by what was observed in the sandbox

For practice: production's list is docs/limits.md.
""",
}
_ENTRY = re.compile(r"^- `\w+`: `", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """One limit that was changed, and why. `date` is YYYY-MM-DD; `before` and `after` are limits such as `> 1000`.

    `window` (start and end, UTC) of `target` is what the evidence was observed in, `fired` which alerts fired in it.
    """

    date: str
    alert: str
    before: str
    after: str
    target: str
    window: str
    fired: str
    evidence: str
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """A document. `fresh`: the text with which it begins where there is no such file; None: there has to be one."""

    path: Path
    fresh: str | None = None

    def read(self, remedy: str) -> tuple[str | None, str]:
        """(what is in the file, None where there is none; the text to edit). Raises Misconfigured with `remedy`."""
        if self.fresh is not None and not self.path.exists():
            return None, self.fresh
        text = files.read(self.path, remedy=remedy)
        return text, text


def place(given: Path | None, usual: Path, folder: Path) -> Place:
    """The document `given`; if None, that with the name of `usual` in a target's `folder` (`targets.documents`)."""
    if given is not None:
        return Place(given)
    return Place(folder / usual.name, None if folder == usual.parent else _PRACTICE[usual.name])


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


def record(text: str, target: str, *, where: str) -> str:
    """What is recorded of the normal traffic of `target`; empty for nothing. Raises Misconfigured without markers."""
    return _records(section(text, "baseline", where=where)).get(target, "")


def record_edit(into: Place, target: str, body: str) -> files.Edit:
    """The edit that makes `body` the record of the normal traffic of `target`; those of other targets stay.

    Raises Misconfigured.
    """
    where = files.shown(into.path)
    before, text = into.read(f"create it with two lines, {_pair('baseline')}, or name another with --document")
    records = _records(section(text, "baseline", where=where)) | {target: body.strip("\n")}
    written = "\n\n".join(f"### {name}\n\n{one}".rstrip("\n") for name, one in records.items())
    after = with_section(text, "baseline", written, where=where)
    if _records(section(after, "baseline", where=where)) != records:
        raise Misconfigured(f"{where}: the record of {target} contains a line that begins with ###; remove it")
    return files.Edit(into.path, before, after)


def changes(text: str, *, where: str) -> tuple[Change, ...]:
    """The recorded changes of limits, newest first. Raises Misconfigured without the markers."""
    rows = [_cells(line) for line in section(text, "limits", where=where).split("\n")]
    if (head := next((row for row in rows if row[:1] == _COLUMNS[:1]), _COLUMNS)) != _COLUMNS:
        raise Misconfigured(
            f"{where}: the table of limits has the columns {', '.join(head)}; make them {', '.join(_COLUMNS)}"
        )
    return tuple(Change(*row) for row in rows if len(row) == len(_COLUMNS) and re.match(r"\d{4}-\d\d-\d\d", row[0]))


def with_change(text: str, change: Change, *, where: str) -> str:
    """`text` with `change` above the earlier ones; the same change is added only once. Raises Misconfigured."""
    row = _row(astuple(change))
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
        f"{_prose(change.reason)} Evidence from `{change.target}`, {change.window}; "
        f"alerts that fired in it: {_prose(change.fired)} {_prose(_capital(change.evidence))}"
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


def _records(text: str) -> dict[str, str]:
    """The records in the section of normal traffic: target → text. What is above the first heading is none."""
    _, *parts = _RECORD.split(text)
    return {name: body.strip("\n") for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
