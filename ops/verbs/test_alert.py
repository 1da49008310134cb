"""The verb `test-alert`: sends an alert, and waits for its mail and for the resolved mail."""

from collections.abc import Iterator, Sequence
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

import rules
from ops import evidence, targets
from ops.checks import findings, skipped
from ops.drill import NAME, Drill, prepare, prove
from ops.options import PROD, DryRunOption, Format, FormatOption, TargetOption, console, emit, progress
from ops.replay import alert_path
from ops.words import brief


def test_alert(
    alert: Annotated[
        str, typer.Argument(help="The alert to send: TestAPIAlert, or one of rules/ with its labels.")
    ] = NAME,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="A label of the alert, as k=v; replaces one of the same name.")
    ] = None,
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=1, help="Seconds to wait for each of the two mails; by default as long as the route needs."
        ),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Send a test alert, wait for its mail, resolve it, and wait for the resolved mail.

    Of an alert with the label `stage: shadow` nobody is told, so nothing is sent; --label stage= sends it as without.
    With --dry-run: only show the route, the receivers, what would mute the alert, and the mail.
    """
    servers = targets.load(target)
    sender = servers.prometheus.sender()
    drill = prepare(alert, label or [], sender)
    others = [labels for rule in rules.alerts().values() for labels in sender.sent(rule.label_set)]
    path = alert_path.find_path(servers.alertmanager, drill.labels, drill.annotations, others)
    if dry_run:
        real = {**drill.labels, **drill.instead_of}
        muted_by = alert_path.find_path(servers.alertmanager, real, drill.annotations, others, render=False).muted_by
        if format is Format.json:
            more = {"instead_of": dict(drill.instead_of), "real_alert_muted_by": list(muted_by)}
            emit({"target": target, **path.as_json(), **more})
        else:
            labels, *rest = alert_path.describe(path)
            for line in (labels, *_changed(drill, muted_by), *rest):
                console().print(escape(line))
        return
    if path.is_shadow:
        without = {name: value for name, value in drill.labels.items() if name != "stage"}
        would = alert_path.find_path(servers.alertmanager, without, drill.annotations, others, render=False)
        detail = (
            f"{drill.name} is a shadow (label stage: {rules.SHADOW}): Alertmanager tells nobody, so no mail is "
            f"waited for; --label stage= sends it as without the label, to {brief(would.receivers)}"
        )
        _answer(findings.Report(target, (skipped("mail", detail),)), format)
    say = progress if format is Format.text else lambda _: None
    report = findings.Report(target, tuple(prove(servers, drill, path, timeout, say)))
    if drill.name == NAME:
        proof = next((check.detail for check in report.checks if check.name == "mail" and check.status == "pass"), None)
        evidence.write(target, "test-alert", {"delivered": not report.failures, "evidence": proof or "not received"})
    _answer(report, format)


def _answer(report: findings.Report, format: Format) -> NoReturn:
    if format is Format.json:
        emit(report.as_json())
    else:
        findings.show(report)
    raise typer.Exit(report.exit_code)


def _changed(drill: Drill, muted_by: Sequence[str]) -> Iterator[str]:
    """One line for a label that is sent with another value than in rules/."""
    muted = f"; the real alert is muted by {brief(muted_by)} while firing" if muted_by else ""
    for name, value in drill.instead_of.items():
        yield f"{name.ljust(9)} {drill.labels[name]}, not {value} as in rules/, so that it mutes no real warning{muted}"


test_alert.__test__ = False  # type: ignore[attr-defined]  # not a test of ours, whatever its name
