"""Pictures of a signal over time with its limits: PNG or SVG files, or SVG for a light or dark page.

matplotlib is imported when a picture is drawn, as the import takes a second.
"""

import contextlib
import io
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from formats import quantities
from ops import window
from ops.errors import Misconfigured
from ops.repo import files
from ops.window import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (8.0, 3.2)  # inches, of a file
SMALL = (3.6, 1.8)  # in a page: on a phone of 360 pixels it is 300 wide, where texts of 8.5 points have 9.8 pixels
COLUMNS = 480  # points in a line; more cannot be told apart
CROWDED = 0.1  # share of the height; the texts of closer limits would overlap

# Colours that can be seen on white and on near black.
LINES = ("#2f7fd8", "#8a5fd3", "#1a9a8a", "#c2578f", "#7f8a3a", "#6b7a90", "#b0672f", "#3d6fa0")
SEVERITIES = {"critical": "#e0484d", "warning": "#d98a00"}
INK, FAINT, GROUND = "#5b6270", "#9aa1ad", "#fffefe"  # in a page, replaced by the page's colours


class Picture(StrEnum):
    """The format of a picture's file."""

    png = "png"
    svg = "svg"


@dataclass(frozen=True, slots=True)
class Line:
    """One series: (seconds since the epoch, value) in order; NaN and missing moments are gaps."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A limit, with a `text` such as `> 1000`."""

    text: str
    value: float
    severity: str


def file(
    lines: Sequence[Line], marks: Iterable[Mark], over: Window, *, title: str, unit: str, kind: Picture, lowest: bool
) -> bytes:
    """A picture as a file, on white. `lowest`: low values matter, so they are kept where points are left out."""
    return _draw(lines, list(marks), over, title=title, unit=unit, kind=kind.value, lowest=lowest, inside=False)


def inline(lines: Sequence[Line], marks: Iterable[Mark], over: Window, *, title: str, unit: str, lowest: bool) -> str:
    """An `<svg>` element in the colours of the page around it; `title`: the text for screen readers."""
    text = _draw(lines, list(marks), over, title=title, unit=unit, kind="svg", lowest=lowest, inside=True).decode()
    text = text[text.index("<svg") :]
    used = set(re.findall(r"#([\w.-]+)", text))  # ids that nothing uses could be the same in several pictures of a page
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font: ([0-9.]+)px [^;\"]*", r"font-size: \1px", text)
    text = text.replace(INK, "var(--ink-soft)").replace(FAINT, "var(--rule)").replace(GROUND, "var(--panel)")
    return text.replace("<svg", f'<svg role="img" aria-label="{_attribute(title)}"', 1).strip()


def save(path: Path, image: bytes, remedy: str) -> None:
    """Write a picture into `path`, making its folder; what was there stays until the new one is complete.

    Raises Misconfigured, ending with `remedy`, where it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(image)
        fresh.replace(path)
    except OSError as error:
        raise Misconfigured(f"{files.shown(path)} cannot be written ({error.strerror}); {remedy}") from error
    finally:
        with contextlib.suppress(OSError):  # its folder may be a file
            fresh.unlink(missing_ok=True)


def style(salt: str, size: float) -> dict[str, object]:
    """matplotlib's settings for our pictures. `salt`: makes the ids in an SVG the same in every run."""
    colours = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    # text stays text: smaller, searchable, in the reader's font
    return {"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": size, "axes.edgecolor": FAINT, **colours}


def legend(lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    """(name, colour) of each line that `inline` draws, for a legend in the page; none for a single line."""
    if len(lines) < 2:
        return ()
    drawn = [(line.name, colour) for line, colour in zip(lines, LINES, strict=False)]
    more = len(lines) - len(drawn)
    return (*drawn, (f"and {more} more, not drawn", "transparent")) if more else tuple(drawn)


def _draw(
    lines: Sequence[Line],
    marks: list[Mark],
    over: Window,
    *,
    title: str,
    unit: str,
    kind: str,
    lowest: bool,
    inside: bool,
) -> bytes:
    import matplotlib as mpl
    from matplotlib import dates
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    salt = "/".join([title, unit, *(line.name for line in lines), *(mark.text for mark in marks)])
    with mpl.rc_context(style(salt, 10)):
        figure = Figure(
            figsize=SMALL if inside else SIZE, facecolor="none" if inside else "white", layout="constrained"
        )
        axes = figure.add_subplot(facecolor="none")
        drawn = [Line(line.name, _thinned(line.points, over, lowest=lowest)) for line in lines[: len(LINES)]]
        for line, colour in zip(drawn, LINES, strict=False):
            axes.plot(
                [at / window.DAY for at, _ in line.points],
                [value for _, value in line.points],
                color=colour,
                linewidth=1.3,
                label=line.name,
            )
        top = _scale(axes, drawn, marks)
        _marks(axes, marks, top, unit)
        if not any(math.isfinite(value) for line in drawn for _, value in line.points):
            axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center")
        axes.set_xlim(over.start / window.DAY, over.end / window.DAY)
        locator = dates.AutoDateLocator(tz="UTC", minticks=3, maxticks=5 if inside else 9)
        axes.xaxis.set_major_locator(locator)
        days = {"formats": ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S.%f"],
                "zero_formats": ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]}  # fmt: skip
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz="UTC", show_offset=False, **days))
        axes.set_xlabel("UTC", loc="right", labelpad=1, fontsize=8.5, color=INK)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantities.with_unit(value, unit)))
        axes.grid(axis="y", color=FAINT, alpha=0.35, linewidth=0.6)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, pad=5)
        axes.tick_params(axis="x", pad=8)
        if len(drawn) > 1 and not inside:
            columns = max(1, 100 // (max(len(line.name) for line in drawn) + 8))
            axes.legend(frameon=False, fontsize=9, loc="upper left", ncols=columns, handlelength=1.2, labelcolor=INK)
        if title and not inside:
            axes.set_title(title, fontsize=10.5, loc="left", color=INK)
        out = io.BytesIO()
        figure.savefig(out, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _scale(axes: "Axes", lines: Sequence[Line], marks: Sequence[Mark]) -> float:
    """Make the axis start at zero and include all values and the nearest limit; returns its upper end.

    A limit far above is left out, as the signal would be a flat line at the bottom.
    """
    values = [value for line in lines for _, value in line.points if math.isfinite(value)]
    high = max(values, default=0.0)
    reach = max(high, min((mark.value for mark in marks), default=0.0))
    top = max([reach, *(mark.value for mark in marks if mark.value <= 3 * reach)], default=1.0)
    top = top * 1.15 if top > 0 else 1.0
    axes.set_ylim(min([0.0, *values]), top)
    return top


def _marks(axes: "Axes", marks: Sequence[Mark], top: float, unit: str) -> None:
    """Draw the limits with their texts; where limits are close, the texts are side by side above the highest."""
    crowds: list[list[Mark]] = []
    ground = {"facecolor": GROUND, "alpha": 0.75, "linewidth": 0, "pad": 0.5}  # a text that lies over a line is read
    for mark in sorted(marks, key=lambda one: -one.value):
        if mark.value <= top:
            colour = SEVERITIES.get(mark.severity, INK)
            axes.axhline(mark.value, color=colour, linewidth=1.1, linestyle=(0, (5, 3)))
        if crowds and min(crowds[-1][-1].value, top * 1.01) - min(mark.value, top * 1.01) < CROWDED * top:
            crowds[-1].append(mark)
        else:
            crowds.append([mark])
    for crowd in crowds:
        at, right = min(crowd[0].value, top), 0.0
        for mark in crowd:
            text = f"{mark.text.split(' ', 1)[0]} {quantities.with_unit(mark.value, unit)}" + " ↑" * (mark.value > top)
            axes.annotate(text, (1, at), xycoords=("axes fraction", "data"), xytext=(-right, 2),
                          textcoords="offset points", ha="right", va="bottom", fontsize=9,
                          color=SEVERITIES.get(mark.severity, INK), bbox=ground)  # fmt: skip
            right += 5.5 * len(text) + 10  # about as wide as it is drawn, in points


def _thinned(points: Sequence[tuple[float, float]], over: Window, *, lowest: bool) -> tuple[tuple[float, float], ...]:
    """At most COLUMNS points, each the highest (or lowest) of its part of the window; NaN without data."""
    columns = min(COLUMNS, over.moments)
    width = over.span / columns
    held: list[float] = [math.nan] * columns
    for at, value in points:
        column = min(columns - 1, max(0, math.ceil((at - over.start) / width) - 1))
        best = held[column]
        if math.isfinite(value) and (math.isnan(best) or (value < best if lowest else value > best)):
            held[column] = value
    return tuple((over.start + (column + 0.5) * width, value) for column, value in enumerate(held))


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
