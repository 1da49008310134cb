"""The verb `sandbox`: the local stack."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from formats import durations
from formats.durations import humanize
from ops import interruption, targets
from ops.checks.every_check import check_until_passed
from ops.checks.findings import show
from ops.clients.prometheus import ActiveAlert
from ops.options import DryRunOption, Format, FormatOption, console, emit, progress
from ops.sandbox import earlier_start
from ops.sandbox import forecast as forecasts
from ops.sandbox import state as sandbox_state
from ops.sandbox.expected_alerts import as_lines
from ops.sandbox.lifecycle import USUAL_HISTORY, Sandbox
from ops.sandbox.parts import PORTS
from ops.sandbox.sandbox_errors import SandboxError
from ops.sandbox.servers import traffic
from ops.sandbox.state import State

app = typer.Typer(help="Start, check, use and stop the local stack.", no_args_is_help=True, add_completion=False)

LONGEST = 21 * 86400.0  # seconds of history


@app.command()
def up(
    history: Annotated[
        str, typer.Option("--history", help="How much past traffic Prometheus is given, such as 2h or 7d; 0 for none.")
    ] = f"{USUAL_HISTORY / 3600:g}h",
    port: Annotated[
        list[str] | None,
        typer.Option("--port", help=f"A fixed port, as NAME=NUMBER; NAME is one of {', '.join(PORTS)}.", metavar="…"),
    ] = None,
    check: Annotated[bool, typer.Option("--verify/--no-verify", help="Verify what was deployed.")] = True,
    with_engine: Annotated[
        bool,
        typer.Option(
            "--engine/--no-engine",
            help="Deploy by `pulumi up` to a Kubernetes API, or write the declared files to disk without an engine.",
        ),
    ] = True,
    format: FormatOption = Format.text,
) -> None:
    """Start Prometheus, Alertmanager, a mail sink and a simulated application on loopback, deploy to them, verify."""
    fixed, past = _ports(port or []), _seconds("--history", history, LONGEST)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # raises SystemExit, so that `up` stops what it has started
    sandbox = Sandbox(sandbox_state.home())
    left = "the sandbox runs on: run this again to deploy to it" if sandbox.state else "what was started is stopped"
    with interruption.during(left):
        state = sandbox.up(progress, ports=fixed, past=past, with_engine=with_engine)
    interruption.changed("the sandbox runs: `make sandbox-down` stops it")
    code = _verified(format) if check else 0
    if format is Format.text:
        _show(state)
    elif not check:
        emit(_summary(state))
    raise typer.Exit(code)


@app.command()
def down(format: FormatOption = Format.text) -> None:
    """Stop everything that `up` started."""
    with interruption.during("parts of the sandbox may still run: run this again"):
        stopped = Sandbox(sandbox_state.home()).down()
    if format is Format.json:
        emit({"stopped": stopped})
    else:
        console().print(f"Stopped {', '.join(stopped)}." if stopped else "No sandbox was running.")


@app.command()
def status(format: FormatOption = Format.text) -> None:
    """Show what runs and where; exit code 1 if a part has ended."""
    sandbox, state = Sandbox(sandbox_state.home()), sandbox_state.running()
    if format is Format.json:
        emit(_summary(state) | {"ended": sandbox.ended})
    else:
        _show(state)
        for name in sandbox.ended:
            console().print(f"{name} has ended; its log: {state.processes[name]['log']}", markup=False)
    raise typer.Exit(1 if sandbox.ended else 0)


@app.command()
def scenario(
    name: Annotated[str, typer.Argument(help=f"normal, {', '.join(traffic.SCENARIOS)}.")],
    intensity: Annotated[float | None, typer.Option("--intensity", help="How strong, in the scenario's unit.")] = None,
    already: Annotated[
        str,
        typer.Option(
            "--already",
            help="For how long it has been so, such as 30m or 1800 (seconds): the sandbox's past is written anew, its "
            "alerts are as old as that says, and Prometheus is restarted.",
            metavar="DURATION",
        ),
    ] = "0",
    dry_run: DryRunOption = False,
) -> None:
    """Make the simulated application's traffic faulty, or normal again, and say which alerts will fire when.

    The times are computed from the rules and the traffic: `for`, interval and windows are those of rules/.
    """
    scenarios, past, before = _scenarios(name, intensity), USUAL_HISTORY, list[ActiveAlert]()
    length = _seconds("--already", already, earlier_start.LONGEST)
    sandbox = Sandbox(sandbox_state.home())
    if not dry_run or sandbox.state is not None:
        past, before = forecasts.past_of(sandbox.prometheus), sandbox.prometheus.alerts()
    began = time.time() - length
    if not dry_run and length:
        began = earlier_start.begin(sandbox, scenarios, length, progress)
    elif not dry_run:
        sandbox.control(scenarios)
    if not dry_run:
        interruption.changed("the scenario is set: `bin/ops sandbox scenario normal` ends it")
    known = traffic.SCENARIOS.get(name)
    how = f" ({known.unit}: {scenarios[name]:g})" if known and known.unit else ""
    begun = f", begun {humanize(length)} ago" if length else ""
    what = f"{known.what}{how}" if known else "normal traffic"
    out = console()
    out.print(f"{'Would be set' if dry_run else 'Set'}: {what}{begun}.", markup=False)
    if scenarios and forecasts.possible():
        progress("computing when alerts fire")
        expected = forecasts.forecast(scenarios, past, already=max(0.0, time.time() - began))
        for line in as_lines(expected, before, already=length > 0):
            out.print(line, markup=False)
    elif scenarios:
        out.print("When alerts fire is not computed, as Prometheus is not built here; make tools builds it.")


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def shell(
    command: Annotated[
        list[str] | None, typer.Argument(help="A command to run in it, such as: pulumi preview.")
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Print `export` lines for a shell of your own instead.")
    ] = False,
) -> None:
    """Open a shell in which plain `pulumi` acts on the sandbox's stack, and verbs on the sandbox.

    Or run one command in it: `sandbox shell pulumi preview --diff`. Leave the shell with `exit`.
    """
    from ops.stack.access import shell_environment  # the Automation API takes a second to import

    here = os.fspath(sandbox_state.home().resolve())
    names = {
        "OPS_TARGET": targets.SANDBOX,
        "SANDBOX_HOME": here,
        "KUBECONFIG": sandbox_state.running().kubeconfig or "",
    }
    environment = {**shell_environment(targets.SANDBOX), **names}
    if export:
        for name, value in sorted(environment.items()):
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        return
    if not command:
        progress("a shell for the sandbox: `pulumi preview`, `pulumi up` and the verbs act on it; `exit` leaves it")
    words = command or [os.environ.get("SHELL") or "/bin/sh"]
    raise typer.Exit(run_command(words, environment))


def run_command(words: list[str], environment: Mapping[str, str]) -> int:
    """Run a command in this terminal and return its exit code. Ctrl-C is for the command, which ends as it wants to.

    `environment` is added to ours. Raises SandboxError where the command cannot be run.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # Python would kill the command, as a `pulumi up` on its way
    try:
        done = subprocess.run(words, cwd=targets.ROOT, env={**os.environ, **environment}, check=False)
    except OSError as error:
        raise SandboxError(f"{words[0]} cannot be run: {error.strerror}") from error
    return done.returncode


def _verified(format: Format) -> int:
    """Verify what was deployed, print the result, and return the exit code."""
    report = check_until_passed(targets.load(targets.SANDBOX), 20, progress)
    if format is Format.json:
        emit(report.as_json())
    else:
        show(report, every=False)
    return report.exit_code


def _ports(given: list[str]) -> dict[str, int]:
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        if not number.isdigit() or not 0 < int(number) < 65536:
            raise SandboxError(f"--port {text} is not NAME=NUMBER, such as prometheus=9090")
        found[name] = int(number)
    return found


def _scenarios(name: str, intensity: float | None) -> dict[str, float]:
    """Name → intensity; nothing for `normal`."""
    if name == "normal":
        return {}
    known = traffic.SCENARIOS.get(name)
    if known is None:
        raise SandboxError(f"there is no scenario {name!r}; known are normal, {', '.join(traffic.SCENARIOS)}")
    wanted = known.usual if intensity is None else intensity
    if not 0 <= wanted <= known.most:
        raise SandboxError(f"--intensity {wanted:g} of {name} is no number from 0 to {known.most:g}")
    return {name: wanted}


def _seconds(option: str, text: str, most: float) -> float:
    """`2h` → 7200; a number is seconds."""
    try:
        seconds = float(text) if text.isdecimal() else durations.seconds(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= most:
        raise SandboxError(f"{option} {text} is no duration up to {humanize(most)}; give one such as 2h or 30m, or 0")
    return seconds


def _summary(state: State) -> dict[str, object]:
    return {
        "prometheus_url": state.prometheus_url,
        "alertmanager_url": state.alertmanager_url,
        "application_url": state.application_url,
        "mail_url": state.mail_url,
        "grafana_url": state.grafana_url,
        "engine": state.engine,
        "home": os.fspath(sandbox_state.home()),
    }


def _show(state: State) -> None:
    out = console()
    rows: list[tuple[str, str, str]] = [
        ("Prometheus", state.prometheus_url, "/api/v1/rules, /api/v1/alerts; its pages where it comes from PATH"),
        ("Alertmanager", state.alertmanager_url, "alerts and silences"),
        ("Application", f"{state.application_url}/metrics", "bin/ops sandbox scenario errors"),
        ("Mail", f"{state.mail_url}/messages", "what was sent"),
        ("Grafana", state.grafana_url or "not installed here", ""),
    ]
    if state.engine:
        rows.append(("Kubernetes", f"--kubeconfig {state.kubeconfig}", "deployed by pulumi up"))
    for title, url, note in rows:
        out.print(f"  {title:<13} {url}" + (f"   {note}" if note else ""), markup=False)
    out.print("  make sandbox-down stops it.", markup=False)
