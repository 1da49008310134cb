"""The verb `render`: writes what the program declares as files, to read, compare or apply by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ops import interruption, targets
from ops.options import PROD, DryRunOption, Format, FormatOption, TargetOption, console, emit
from ops.repo import files
from ops.sandbox import state as sandbox_state
from ops.sandbox.projection import settings
from ops.stack import manifests
from ops.stack.declared import collect


def render(
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write to: missing, empty, or written by render before.")
    ],
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
    dry_run: DryRunOption = False,
) -> None:
    """Write what the program declares: Kubernetes manifests, dashboard JSON, and texts to insert into ConfigMaps."""
    texts = manifests.rendered(collect(_settings(target), stack=target))
    if not dry_run:
        manifests.write(out, texts)
        interruption.changed(f"{files.shown(out)} is written")
    if format is Format.json:
        emit({"target": target, "out": str(out), "written": not dry_run, "files": list(texts)})
        return
    verb = "would write" if dry_run else "wrote"
    for name in texts:
        console().print(f"{verb} {files.shown(out / name)}", markup=False)


def _settings(target: str) -> Mapping[str, object]:
    if target != targets.SANDBOX:
        return targets.stack_values(target)
    return settings(sandbox_state.running())
