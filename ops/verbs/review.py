"""The verb `review`: what a change would do, as a comment for its pull request."""

from pathlib import Path
from typing import Annotated

import typer

from ops import window as windows
from ops.drawing import timeline
from ops.options import PROD, EndOption, Format, FormatOption, TargetOption, WindowOption, emit, progress
from ops.repo import files, revision
from ops.review import as_markdown, changes, checkouts, review_document
from ops.review.missing import missing
from ops.review.replayed_versions import Past, replayed
from ops.review.verdict import Review
from ops.stack import engine_events
from ops.stack.engine_events import Previewed


def review(
    base: Annotated[str, typer.Option("--base", help="The git revision that the change is compared with.")] = "main",
    target: TargetOption = PROD,
    window: WindowOption = "7d",
    end: EndOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write into this file instead of printing.")] = None,
    drawing: Annotated[
        Path | None, typer.Option("--picture", help="Draw a timeline into this file, .png or .svg.")
    ] = None,
    picture_url: Annotated[
        str | None, typer.Option("--picture-url", help="Where readers find that picture; its file if left out.")
    ] = None,
    packs: Annotated[
        list[Path] | None, typer.Option("--policy-pack", help="A folder with a policy pack that the preview obeys.")
    ] = None,
    no_preview: Annotated[
        bool, typer.Option("--no-preview", help="Say what can be said without the stack and its servers.")
    ] = False,
    format_: FormatOption = Format.text,
) -> None:
    """Say what this checkout changes: in alerts, in who is told, in routes and panels, and in what is deployed.

    Compared with where its branch left `--base`. The text is Markdown. The exit code is 1 where the preview is refused,
    by the engine or by a policy.
    """
    if drawing is not None:
        timeline.check(drawing)
    if out is not None:
        files.must_be_writable(out)
    found = _reviewed(base, target, windows.period(window, end), packs or [], no_preview)
    if drawing is not None and found.past.outcome is not None:
        timeline.draw(found.past.outcome, drawing)
    shown = picture_url or (str(drawing) if drawing else None)
    if format_ is Format.json:
        emit(review_document.document(found))
    elif out is None:
        typer.echo(as_markdown.markdown(found, shown), nl=False)
    if out is not None:
        out.write_text(as_markdown.markdown(found, shown), "utf-8")
        progress(f"{found.sign} {found.verdict}. Written: {files.shown(out)}")
    raise typer.Exit(1 if found.refused else 0)


def _reviewed(base: str, target: str, over: tuple[float, float], packs: list[Path], no_preview: bool) -> Review:
    head = checkouts.working_tree(target)
    with checkouts.of_revision(revision.branched_off(base), target) as before:
        differences = changes.between(before, head)
        unasked = "--no-preview was given" if no_preview else None
        preview = Previewed(not_made=unasked) if unasked else _previewed(target, packs)
        names = [change.name for change in differences.alerts]
        if any(differences.lines["routing"]):
            names = list(differences.told)
        past = Past(not_made=unasked) if unasked else replayed(target, before, head, names, *over)
        return Review(
            target=target,
            base=base,
            head=revision.described(),
            changes=differences,
            missing=tuple(missing(head)),
            past=past,
            preview=preview,
        )


def _previewed(target: str, packs: list[Path]) -> Previewed:
    progress(f"previewing {target} …")
    return engine_events.preview(target, packs)
