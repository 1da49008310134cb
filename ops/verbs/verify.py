"""The verb `verify`: checks that what the repository says is live and works."""

from typing import Annotated

import typer

from formats.json_types import JsonObject
from ops import fleet, targets
from ops.checks.every_check import check_until_passed, run_checks
from ops.checks.findings import Report, show
from ops.checks.success_criteria import judge
from ops.options import PROD, AllStacksOption, Format, FormatOption, TargetOption, emit, progress
from ops.words import count_noun


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
    all_stacks: AllStacksOption = False,
    success_criteria: Annotated[
        bool, typer.Option("--success-criteria", help="Print the guide's success criteria: met or not, and why.")
    ] = False,
) -> None:
    """Check that rules, routing and dashboard are live as in the repository, and that they have data."""
    if all_stacks:
        criteria = ["--success-criteria"] if success_criteria else []
        answers = fleet.ask(lambda stack: ["verify", "--target", stack, "--wait", f"{wait:g}", *criteria])
        raise typer.Exit(fleet.show(answers, _line, as_json=format is Format.json))
    servers = targets.load(target)
    report = check_until_passed(servers, wait, progress) if wait else run_checks(servers)
    if success_criteria:
        report = Report(target, tuple(judge(servers, report.checks)), report.incomplete)
    if format is Format.json:
        emit(report.as_json())
    else:
        show(report, every=every or success_criteria)
    raise typer.Exit(report.exit_code)


def _line(report: JsonObject) -> str:
    """A stack's report in one line, with what is wrong first."""
    wrong = [f"{check['name']}: {check['detail']}" for check in report["checks"] if check["status"] == "fail"]
    counts = f"{report['passed']} passed, {report['failed']} failed, {report['skipped']} skipped"
    more = f" and {count_noun(len(wrong) - 1, 'other fault')}" if len(wrong) > 1 else ""
    return f"{counts}{f'; {wrong[0]}{more}' if wrong else ''}"
