"""The verb `annotate`: marks a deployment in Grafana."""

import html
import time
from dataclasses import asdict
from typing import Annotated

import typer

import dashboards
from ops import targets
from ops.errors import Misconfigured, NotFound
from ops.options import PROD, DryRunOption, Format, FormatOption, TargetOption, console, emit
from ops.repo import commit as commits
from ops.repo.commit import Commit

TAGS = ("deployment", "api-monitoring")


def annotate(
    commit: Annotated[str, typer.Argument(help="The commit that was deployed.")] = "HEAD",
    target: TargetOption = PROD,
    format_: FormatOption = Format.text,
    dry_run: DryRunOption = False,
) -> None:
    """Mark a deployment in the dashboard, at the present time: with the commit, its author and its first line."""
    deployed = commits.read(commit)
    grafana = targets.load(target).grafana
    if grafana is None:
        raise Misconfigured(f"{target} has no Grafana, so there is nothing to mark; set grafanaMode and grafanaUrl")
    words, tags = text(deployed), [*TAGS, deployed.commit[:10]]
    number = None
    if not dry_run:
        try:
            number = grafana.annotate(words, tags, dashboard_uid=dashboards.UID, moment=time.time())
        except NotFound as error:
            raise Misconfigured(
                f"Grafana at {grafana.url} has no dashboard {dashboards.UID} to mark; deploy it with pulumi up"
            ) from error
    if format_ is Format.json:
        emit({"target": target, **asdict(deployed), "tags": tags, "annotation": number})
        return
    done = "would mark" if dry_run else "marked"
    console().print(f"{done} in {grafana.url}: {html.unescape(words)}", markup=False)


def text(deployed: Commit) -> str:
    """What the annotation says. Grafana shows it as HTML, so what people wrote is escaped."""
    return html.escape(f"{deployed.commit[:10]} by {deployed.author}: {deployed.subject}", quote=False)
