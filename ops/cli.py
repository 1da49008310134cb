"""The list of verbs. Here every error becomes a sentence and an exit code.

0: nothing is wrong. 1: something is wrong. 2: it could not be checked or done.
"""

import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from ops import interruption
from ops.errors import Misconfigured, OpsError

ROOT = Path(__file__).resolve().parent.parent
HELP = {"help_option_names": ["-h", "--help"]}
# Packages whose errors already name file and line.
DATA = ("formats", "rules", "routing", "metrics", "dashboards", "components")

# Verb → module:attribute. A verb is imported when it is called, so that it does not wait for libraries of others.
VERBS = {
    "verify": "ops.verbs.verify:verify",
    "test-alert": "ops.verbs.test_alert:test_alert",
    "baseline": "ops.verbs.baseline:baseline",
    "tune": "ops.verbs.tune:tune",
    "report": "ops.verbs.report:report",
    "backtest": "ops.verbs.backtest:backtest",
    "diagnose": "ops.verbs.diagnose:app",
    "rollback": "ops.verbs.rollback:rollback",
    "drill": "ops.verbs.drill:drill",
    "review": "ops.verbs.review:review",
    "annotate": "ops.verbs.annotate:annotate",
    "render": "ops.verbs.render:render",
    "sandbox": "ops.verbs.sandbox:app",
}


class _Verbs(TyperGroup):
    """The verbs, each loaded on demand."""

    def list_commands(self, ctx: object) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: object, name: str) -> TyperCommand | TyperGroup | None:
        if name not in VERBS:
            return None
        module, _, attribute = VERBS[name].partition(":")
        try:
            verb = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            verb = _placeholder(error)
        if not isinstance(verb, typer.Typer):
            single = typer.Typer(add_completion=False, context_settings=HELP)
            single.command(name)(verb)
            verb = single
        command = typer.main.get_command(verb)
        assert isinstance(command, TyperCommand | TyperGroup)
        command.name = name
        return command


def _placeholder(error: ModuleNotFoundError) -> typer.Typer:
    """What stands for a verb whose package is not installed, so that the help still lists it.

    Raises the error itself where a module of ours is missing.
    """
    reason = _not_installed(error)
    if reason is None:
        raise error
    app = typer.Typer(add_completion=False)

    @app.command(help=reason, context_settings={**HELP, "ignore_unknown_options": True})
    def lacking(words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
        raise Misconfigured(reason)

    return app


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


@app.callback()
def _verbs() -> None:
    """Check, test and maintain the API performance monitoring of a target."""


def run(arguments: Sequence[str]) -> int:
    """Run one verb and return its exit code. Errors go to stderr, as one sentence.

    Raises only with OPS_TRACEBACK=1.
    """
    interruption.begin()
    try:
        code = app(args=list(arguments), prog_name="bin/ops", standalone_mode=False)
        sys.stdout.flush()
    except typer.Exit as wanted:
        return wanted.exit_code
    except OpsError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as misuse:
        return _usage(misuse)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(interruption.sentence(), interruption.EXIT_CODE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(_file_error(error), 2)
    except Exception as error:  # noqa: BLE001 - any error becomes a sentence
        return _unexpected(error)
    if code == interruption.EXIT_CODE:  # what typer makes of a Ctrl-C
        return _fail(interruption.sentence(), code)
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of `bin/ops`. Writes UTF-8 whatever the locale: names and texts have more than ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    early = signal.getsignal(signal.SIGINT)
    if early is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, early)  # all is said, so an interrupt may end the process at once
    if code == interruption.EXIT_CODE:
        sys.stderr.flush()
        os._exit(code)  # `sys.exit` would wait for the threads, and a query may take two minutes
    sys.exit(code)


def _fail(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


def _usage(misuse: typer.TyperException) -> int:
    """Print what is wrong with the command line, and which help to read; the exit code."""
    message = misuse.format_message()
    if "\n" in message.strip() or not message.strip():  # no verb given: the message is the help itself
        sys.stderr.write(f"{message}\n" if message.strip() else "")
        return 2
    context = getattr(misuse, "ctx", None)
    command = context.command_path if context is not None else "bin/ops"
    return _fail(f"{message.rstrip('.')}; see `{command} --help`", 2)


def _file_error(error: OSError) -> str:
    """`rules/x.yml: Permission denied; …`."""
    if error.filename is None:
        return f"the operating system refused ({error.strerror or error}); try again, or check disk and memory"
    name = Path(os.fsdecode(error.filename))
    shown = name.relative_to(ROOT) if name.is_relative_to(ROOT) else name
    return f"{shown}: {error.strerror}; check that it exists and may be read or written"


def _not_installed(error: Exception) -> str | None:
    """What to do about a package that is not installed; None for any other error, or a module of ours."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in ("", "ops", *DATA):
        return None
    return f"{package} is not installed: run `make setup`, or `make setup-production` for every verb but `sandbox`"


def _unexpected(error: Exception) -> int:
    """Print an error that is no OpsError, and return the exit code.

    Missing packages and data that does not parse have their own sentences; anything else is a mistake in our code.
    """
    if (reason := _not_installed(error)) is not None:
        return _fail(reason, 2)
    if isinstance(error, ValueError) and type(error).__module__.partition(".")[0] in DATA:
        return _fail(str(error), 2)
    if os.environ.get("OPS_TRACEBACK"):
        raise error
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    what = " ".join(str(error).split()) or "no message"
    return _fail(
        f"this is a bug in the program, not a fault of the target: {type(error).__name__}{where}: {what}; "
        "repeat it with OPS_TRACEBACK=1 and report what it prints",
        2,
    )
