"""`render`: what the program declares, as files."""

from pathlib import Path
from typing import Annotated

import typer

from ops.options import DryRunOption, TargetOption


def render(
    out: Annotated[Path, typer.Option("--out", help="The folder to write to; it must be empty or an earlier render.")],
    target: TargetOption = "prod",
    dry_run: DryRunOption = False,
) -> None:
    """Write what the program declares as Kubernetes manifests and dashboard JSON."""
    raise NotImplementedError(f"{out} {target} {dry_run}")
