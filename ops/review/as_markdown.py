"""A review as Markdown, for a comment of at most so many characters."""

from collections.abc import Iterator, Mapping, Sequence

from formats.durations import humanize
from ops.replay.run import Version as Replayed
from ops.review.verdict import Review
from ops.window import iso, stamp
from ops.words import count_noun, times

MOST = 65_000  # characters; GitHub takes 65,536
_CUT = "\n\nThis was too long for a comment and is cut here.\n"
BARS = 60  # in the timeline
# Room for the names of alerts, UTC, and no line at the present.
_GANTT = """\
%%{init: {"gantt": {"leftPadding": 280}}}%%
gantt
  dateFormat YYYY-MM-DDTHH:mm:ss
  axisFormat %d %b %H:%M
  todayMarker off"""
LINES = 60  # of what changes in one part
_PARTS = {
    "settings": "Settings",
    "other_alerts": "Alerts of others",
    "recordings": "Recording rules",
    "routing": "Routing",
    "dashboard": "Dashboard",
}


def markdown(review: Review, picture: str | None = None, most: int = MOST) -> str:
    """The whole review. `picture`: the address of a timeline, drawn into a file. The preview is cut where need be."""
    head = "\n".join(_head(review, picture))
    room = most - len(head) - 300  # for what is said around the preview
    whole = f"{head}\n{_preview(review, max(0, room))}\n"
    if len(whole) <= most:
        return whole
    return f"{whole[: most - len(_CUT)]}{_CUT}"


def _head(review: Review, picture: str | None) -> Iterator[str]:
    yield f"## {review.sign} {review.verdict}"
    yield f"`{review.head}` beside `{review.base}`, for the stack `{review.target}`."
    if review.preview.refused:
        yield f"\n**Refused:** {_text(review.preview.refused)}"
    yield from _items("What policies say", review.preview.violations)
    if review.changes.objective:
        yield f"\n### Objective\n\n{_text(review.changes.objective.capitalize())}."
    yield from _alerts(review)
    yield from _told(review)
    for part, title in _PARTS.items():
        yield from _lines(title, *review.changes.lines[part])
    restarts = review.preview.restarts
    yield from _items("What restarts", restarts)
    yield from _items("Warnings of the preview", [line for line in review.preview.warnings if line not in restarts])
    yield from _items("Missing", review.missing)
    yield from _timeline(review, picture)


def _alerts(review: Review) -> Iterator[str]:
    if not review.changes.alerts:
        return
    yield "\n### Alerts\n"
    for change in review.changes.alerts:
        what = "" if change.kind == "changed" else f"{change.kind}: "
        yield f"- **{change.name}**: {what}{_text(', '.join(change.words))}{_often(review, change.name)}"


def _often(review: Review, name: str) -> str:
    before, now = review.past.fired(name)
    outcome = review.past.outcome
    if outcome is None or (before is None and now is None):
        return ""
    span = f"in {humanize(outcome.end - outcome.start)}"
    if before is None or now is None:
        return f"; fires {times((before or 0) + (now or 0))} {span}"
    return f"; fires {times(now)} {f'instead of {times(before)} ' if before != now else ''}{span}"


def _told(review: Review) -> Iterator[str]:
    """A table of the alerts of which others are told, or the same people at other times."""
    rows = []
    for name, told in review.changes.told.items():
        before, now = review.past.messages(name)
        if told.before != told.now or before != now:
            rows.append(f"| {name} | {_whom(told.before, before)} | {_whom(told.now, now)} |")
    if rows:
        yield "\n### Who is told\n"
        yield f"| alert | in `{review.base}` | now |\n| --- | --- | --- |"
        yield from rows
    if review.past.not_made:
        yield f"\nHow often was not computed: {_text(review.past.not_made)}."
    elif outcome := review.past.outcome:
        yield f"\nComputed over {stamp(outcome.start)} to {stamp(outcome.end)} UTC."
        yield from (f"{_text(note)}" for note in outcome.notes)


def _whom(receivers: Sequence[str], sent: Mapping[str, int]) -> str:
    """The receivers by the routing, each with its messages; a mute leaves fewer than the routes say."""
    found = [f"`{name}` ({count_noun(sent[name], 'message')})" if sent.get(name) else f"`{name}`" for name in receivers]
    return ", ".join(found) or "nobody"


def _lines(title: str, gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    if not gone and not come:
        return
    signed = sorted([*((line, "-") for line in gone), *((line, "+") for line in come)], key=_place)
    yield f"\n### {title}\n\n```diff"
    yield from (f"{sign} {line}" for line, sign in signed[:LINES])
    if len(signed) > LINES:
        yield f"… and {count_noun(len(signed) - LINES, 'line')} more"
    yield "```"


def _place(signed: tuple[str, str]) -> tuple[str, bool]:
    """What a line is about first, then the old one before the new one."""
    line, sign = signed
    return line.partition(" to ")[0].partition(": ")[0].partition(" (")[0], sign == "+"


def _items(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"\n### {title}\n"
        yield from (f"- {_text(line)}" for line in lines)


def _timeline(review: Review, picture: str | None) -> Iterator[str]:
    """When the changed alerts fired: as Mermaid's Gantt chart, which GitHub and GitLab draw, or as a picture."""
    outcome = review.past.outcome
    if outcome is None:
        return
    if picture:
        yield f"\n![When the alerts would have fired]({picture})"
        return
    bars = list(_bars(review, outcome.versions))
    if not bars:
        return
    yield f"\n### When they would have fired (UTC)\n\n```mermaid\n{_GANTT}"
    section = ""
    for name, bar in bars[:BARS]:
        if name != section:
            yield f"  section {name}"
            section = name
        yield f"    {bar}"
    yield "```"
    if len(bars) > BARS:
        yield f"\n{count_noun(len(bars) - BARS, 'later bar')} left out."


def _bars(review: Review, versions: Sequence[Replayed]) -> Iterator[tuple[str, str]]:
    for change in review.changes.alerts:
        for version, style in zip(versions, ("done", "crit"), strict=True):
            title = "before" if style == "done" else "now"
            for one in version.replays[change.name].firing if change.name in version.replays else ():
                yield change.name, f"{title} :{style}, {_moment(one.start)}, {_moment(max(one.end, one.start + 60))}"


def _moment(at: float) -> str:
    """In UTC; Mermaid shows it as it stands."""
    return iso(at).removesuffix("Z")


def _preview(review: Review, room: int) -> str:
    found = review.preview
    if found.not_made:
        return f"\nThere is no preview: {_text(found.not_made)}."
    counts = ", ".join(f"{count} to {op}" for op, count in found.changes.items() if op != "same")
    text = _as_diff(found.text.replace("```", "'''"))
    shown, said = text, ""
    if len(text) > room:
        shown = text[:room].rsplit("\n", 1)[0]
        said = f"\n\nOnly {len(shown):,} of {len(text):,} characters; the rest is in the log of the run."
    title = f"pulumi preview: {counts or 'no changes'}"
    return f"\n<details><summary>{title}</summary>\n\n```diff\n{shown}\n```{said}\n\n</details>"


def _as_diff(text: str) -> str:
    """The engine's signs in the first column, where a diff has its own."""
    lines = []
    for line in text.strip("\n").splitlines():
        sign = line.strip()[:1] if line.strip()[:2] in ("+ ", "- ") else " "
        lines.append(f"{sign} {line.replace(sign, ' ', 1)}".rstrip())
    return "\n".join(lines)


def _text(words: str) -> str:
    """Words in which nothing is taken for Markdown or HTML."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    for sign in "\\*_[]|":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped.replace("\n", " ")
