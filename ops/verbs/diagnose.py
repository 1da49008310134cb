"""The verb `diagnose`: the guide's troubleshooting, done by the program."""

from typing import Annotated

import typer

from ops import targets
from ops import window as windows
from ops.countdown import countdown
from ops.diagnosis import alert_coverage, empty_panels, mail_volume, silent_alerts
from ops.diagnosis.case import load_case
from ops.diagnosis.chain import Diagnosis, show
from ops.options import PROD, EndOption, Format, FormatOption, TargetOption, WindowOption, emit, progress

app = typer.Typer(
    help="Find the cause of a symptom: show the first broken link and the next command.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def trees() -> None:
    """Find the cause of a symptom: show the first broken link and the next command."""


@app.command()
def alerts(
    alert: Annotated[str | None, typer.Argument(help="The alert that does not fire; all if left out.")] = None,
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
) -> None:
    """Alerts do not fire, or no mail comes: rules, evaluation, Alertmanager, route, muting, mail relay."""
    servers = targets.load(target)
    case = load_case(servers, alert)
    found = silent_alerts.diagnose(case)
    details = {check.name: check.detail for check in found.links}
    why = f" {alert}: condition {details['condition']}; {details['pending or firing']}." if alert else ""
    _answer(found, format, f"Nothing is broken between the rules and the mailbox.{why}{found.as_intended}")


@app.command()
def dashboard(
    panel: Annotated[str | None, typer.Argument(help="The panel's title, or a part of it; all if left out.")] = None,
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
) -> None:
    """Panels show no data: metrics endpoint, scrape target, metrics, queries, Grafana and its data source."""
    servers = targets.load(target)
    case = empty_panels.load_case(servers, panel)
    _answer(empty_panels.diagnose(case), format, "Nothing is broken between the application and the panels.")


@app.command()
def volume(
    window: WindowOption = "7d",
    end: EndOption = None,
    mails: Annotated[
        float,
        typer.Option(
            "--mails-a-day",
            help="How many mails a day, on average, are acceptable for one alert; a shorter window counts as a day.",
            min=0,
        ),
    ] = 3.0,
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
) -> None:
    """Too many mails: which alerts fired how often, and which change of a setting would avoid most mails.

    What fired is read from Prometheus; the mails are computed with the routing that runs. The window is of
    10 minutes to 90 days.
    """
    over = windows.period(window, end, least=mail_volume.SHORTEST, most=mail_volume.LONGEST)
    found = mail_volume.measure(targets.load(target), over, mails)
    if format is Format.json:
        emit(found.as_json())
    else:
        show(found.diagnosis, "No alert sends too many mails.")
        mail_volume.show_options(found)
    raise typer.Exit(found.diagnosis.exit_code)


@app.command()
def coverage(
    window: WindowOption = "30d",
    end: EndOption = None,
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
) -> None:
    """Alerts that may never fire: how near each came to its limit, and what makes it impossible.

    Of each alert: the value nearest to its limit, its longest stretch over it as a share of `for`, and whether a
    bucket, a missing metric or a guard keeps it from firing. Then the live alerts of others on the same metrics, with
    those that reach the same receivers, and the metrics of the contract that no alert reads. The window is of
    10 minutes to 90 days, or what Prometheus keeps of it.
    """
    over = windows.period(window, end, least=alert_coverage.SHORTEST, most=alert_coverage.LONGEST)
    found = alert_coverage.measure(targets.load(target), over, countdown("queries answered", progress))
    if format is Format.json:
        emit(found.as_json())
    else:
        show(found.diagnosis, "Each alert could fire.")
    raise typer.Exit(found.diagnosis.exit_code)


def _answer(diagnosis: Diagnosis, format: Format, all_ok: str) -> None:
    if format is Format.json:
        emit(diagnosis.as_json())
    else:
        show(diagnosis, all_ok)
    raise typer.Exit(diagnosis.exit_code)
