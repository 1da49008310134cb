"""A backtest as a timeline: a row for each alert, with bars for pending and firing, and a tick for each mail.

matplotlib is imported when a picture is drawn, as the import takes a second.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ops import window
from ops.drawing import line_chart
from ops.drawing.line_chart import FAINT, INK, SEVERITIES, style
from ops.errors import Misconfigured
from ops.replay.run import Outcome, Version
from ops.replay.signals import Episode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DATES = {
    "tz": "UTC",
    "show_offset": False,
    "formats": ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
    "zero_formats": ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
}
KINDS = (".png", ".svg")
# Inches, of 96 pixels each in a browser. A phone has 360 to 430 pixels: there an SVG shrinks by a fifth at most.
ROW, LEFT, WIDTH, BELOW, ABOVE = 0.5, 0.3, 4.6, 0.95, 0.7
NAMES = 0.42  # of a row: the part with the alert's name; the bars are below it


def check(path: Path) -> None:
    """Raise Misconfigured for a file that cannot be written, before any query."""
    if path.suffix.lower() not in KINDS:
        raise Misconfigured(f"--picture {path} is neither a .png nor a .svg; use one of these endings")
    if not path.parent.is_dir():
        raise Misconfigured(f"--picture {path}: there is no folder {path.parent}; create it, or name another")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Misconfigured(f"--picture {path} cannot be written; name another file")


def draw(outcome: Outcome, path: Path) -> None:
    """Draw the timeline into `path`. Raises Misconfigured where it cannot be written."""
    line_chart.save(path, timeline(outcome, path.suffix.lower().removeprefix(".")), "name another file with --picture")


def timeline(outcome: Outcome, kind: str) -> bytes:
    """The timeline as a `png` or `svg`, on white; with two versions, each row has the other one above ours."""
    import matplotlib as mpl
    from matplotlib import dates
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for version in outcome.versions for name in version.replays))
    lanes = len(outcome.versions)
    height = ROW * len(names) * (1 if lanes == 1 else 1.4) + BELOW + ABOVE
    with mpl.rc_context(style("/".join(names), 9.5)):
        figure = Figure(figsize=(WIDTH, height), facecolor="white")
        axes = figure.add_axes((LEFT / WIDTH, BELOW / height, 1 - 2 * LEFT / WIDTH, 1 - (BELOW + ABOVE) / height))
        axes.set_xlim(outcome.start / window.DAY, outcome.end / window.DAY)
        axes.set_ylim(len(names) - 0.5, -0.5)
        for row in range(len(names)):
            if row % 2 == 0:
                axes.axhspan(row - 0.5, row + 0.5, color=FAINT, alpha=0.10, linewidth=0)
        _unknown(axes, outcome)
        for lane, version in enumerate(reversed(outcome.versions)):
            for row, name in enumerate(names):
                if name in version.replays:
                    _row(axes, version, name, row - 0.5 + NAMES + lane * (1 - NAMES) / lanes, (1 - NAMES) / lanes)
        for row, name in enumerate(names):
            at = outcome.start / window.DAY
            ground = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1}  # over what hatches the row
            axes.text(at, row - 0.5 + NAMES / 2, f" {_title(outcome, name)}", va="center", color=INK, bbox=ground)
        axes.set_yticks([])
        locator = dates.AutoDateLocator(tz="UTC", minticks=3, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, **_DATES))
        axes.set_xlabel("UTC", loc="right", labelpad=1, fontsize=8.5, color=INK)
        axes.grid(axis="x", color=FAINT, alpha=0.35, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        _legend(figure, outcome, height)
        out = io.BytesIO()
        figure.savefig(out, format=kind, dpi=130, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue().replace(b"<svg ", b'<svg style="max-width: 100%; height: auto" ', 1)


def _row(axes: "Axes", version: Version, name: str, top: float, height: float) -> None:
    """One alert of one version, between `top` and `top + height`."""
    replay = version.replays[name]
    colour = SEVERITIES.get(str(replay.alert.labels.get("severity")), INK)
    middle, thick = top + 0.4 * height, 0.56 * height
    for episodes, alpha in ((replay.pending, 0.35), (replay.firing, 1.0)):
        bars = _bars(episodes, replay.end - replay.start)
        axes.broken_barh(bars, (middle - thick / 2, thick), color=colour, alpha=alpha, linewidth=0)
    mails = [one.at / window.DAY for one in version.messages if one.kind == "email" and name in one.alerts]
    axes.vlines(mails, top + 0.74 * height, top + 0.94 * height, color=INK, linewidth=1.0)


def _bars(episodes: Sequence[Episode], span: float) -> list[tuple[float, float]]:
    """(start, length) in days; very short ones are drawn wide enough to be seen."""
    least = span / 700
    return [(episode.start / window.DAY, max(episode.seconds, least) / window.DAY) for episode in episodes]


def _unknown(axes: "Axes", outcome: Outcome) -> None:
    """Hatch the time without data."""
    at = outcome.start
    for begin, end in [*outcome.spans, (outcome.end, outcome.end)]:
        if begin - at > (outcome.end - outcome.start) / 500:
            axes.axvspan(
                at / window.DAY, begin / window.DAY, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0
            )
        at = max(at, end)


def _title(outcome: Outcome, name: str) -> str:
    limits = [version.replays[name].limit.text for version in reversed(outcome.versions) if name in version.replays]
    return f"{name}  {' → '.join(dict.fromkeys(limits))}"


def _legend(figure: "Figure", outcome: Outcome, height: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(color=colour, label=f"firing, {name}") for name, colour in SEVERITIES.items()
    ]
    handles.append(Patch(color=SEVERITIES["warning"], alpha=0.35, label="pending"))
    handles.append(Line2D([], [], color=INK, marker="|", linestyle="none", markersize=7, label="mail"))
    if outcome.covered < 0.995 * (outcome.end - outcome.start):
        handles.append(Patch(facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0, label="no data"))
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(LEFT / WIDTH - 0.02, 0.0),
        ncols=3,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
    )
    which = outcome.versions[0].name
    if len(outcome.versions) > 1:
        which = f"{outcome.versions[1].name} (above) and {which} (below)"
    title = f"{which}\n{window.stamp(outcome.start)} to {window.stamp(outcome.end)} UTC"
    figure.text(LEFT / WIDTH, 1 - 0.15 / height, title, fontsize=9.5, color=INK, va="top")
