"""The verb `verify`: checks that what the repository says is live and works."""

from typing import Annotated

import typer

from ops import targets
from ops.checks.every_check import check_until_passed, run_checks
from ops.checks.findings import Report, show
from ops.checks.success_criteria import judge
from ops.options import PROD, Format, FormatOption, TargetOption, emit, progress


def verify(
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            help="Check again until nothing is wrong, for at most so many seconds; for what is recorded or scraped at "
            "an interval, that interval is added.",
            min=0,
        ),
    ] = 0,
    every: Annotated[bool, typer.Option("--all", help="Print each check, also those that are in order.")] = False,
    success_criteria: Annotated[
        bool, typer.Option("--success-criteria", help="Print the guide's success criteria: met or not, and why.")
    ] = False,
) -> None:
    """Check that rules, routing and dashboard are live as in the repository, and that they have data."""
    servers = targets.load(target)
    report = check_until_passed(servers, wait, progress) if wait else run_checks(servers)
    if success_criteria:
        report = Report(target, tuple(judge(servers, report.checks)), report.incomplete)
    if format is Format.json:
        emit(report.as_json())
    else:
        show(report, every=every or success_criteria)
    raise typer.Exit(report.exit_code)
