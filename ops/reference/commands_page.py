"""docs/commands.md: every verb with its arguments and options, as `--help` has them."""

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from ops import cli
from ops.reference import DO_NOT_EDIT, code, table

PROGRAM = "bin/ops"
_HEAD = f"""\
# Commands

{DO_NOT_EDIT} It comes from the verbs in `ops/verbs/`; `{PROGRAM} VERB --help` prints the same.

Run a verb from the root of the repository, by the Python of its `.venv`: `.venv/bin/{PROGRAM} VERB`.
Results go to standard output, progress and errors to standard error. Every verb takes `-h` and `--help`.

Exit codes, of every verb:

| code | meaning |
|---|---|
| 0 | it did what it was asked, and found nothing wrong |
| 1 | it looked, and found something wrong |
| 2 | it could not look, or could not do it: the message says why, and what to do |
| 130 | it was interrupted |

Environment variables:

| variable | what it is for |
|---|---|
{{variables}}
"""
# A test holds that the code asks for each.
VARIABLES = {
    "OPS_TARGET": "the target of a verb that is given no `--target`",
    "KUBECONFIG": "the kubeconfig, where the setting `kubeconfig` is empty; `~/.kube/config` if it is not set either",
    "GRAFANA_AUTH": "Grafana's token, where the setting `grafanaAuth` is empty",
    "PROMETHEUS_TOKEN": "the bearer token for Prometheus, where the stack has `prometheusToken`",
    "PROMETHEUS_PASSWORD": "the password for `prometheusUser`, where the stack has `prometheusPassword`",
    "ALERTMANAGER_TOKEN": "the bearer token for Alertmanager, where the stack has `alertmanagerToken`",
    "ALERTMANAGER_PASSWORD": "the password for `alertmanagerUser`, where the stack has `alertmanagerPassword`",
    "TENANT_TOKEN": "the bearer token for Mimir or Cortex, in `rulesMode: ruler` and `alertmanagerMode: tenant`",
    "TENANT_PASSWORD": "the password for `tenantUser`, likewise",
    "SANDBOX_HOME": "the folder of the sandbox; `.sandbox` if it is not set",
    "XDG_CACHE_HOME": "the folder for what is built once a machine; usually `~/.cache`",
    "OPS_TRACEBACK": "`1` shows the traceback of a mistake in the program",
}
_VALUES = {"str": "TEXT", "float": "NUMBER", "int": "NUMBER", "path": "PATH", "file": "PATH"}

_Parameter = TyperArgument | TyperOption
_Found = tuple[str, TyperCommand, typer.Context]  # its name, and what typer needs to describe it


def page() -> str:
    """The whole page, the same in every terminal."""
    group = typer.main.get_command(cli.app)
    found = _commands(group, PROGRAM, None)
    listed = [(f"[{name}](#{name.replace(' ', '-')})", _paragraphs(command)[0]) for name, command, _ in found]
    variables = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in VARIABLES.items())
    sections = "".join(_section(*one) for one in found)
    return _HEAD.format(variables=variables) + table(("verb", "what it does"), listed) + sections


def _commands(command: object, name: str, parent: typer.Context | None) -> list[_Found]:
    """Each command that can be run, with its name, in the order of the help."""
    assert isinstance(command, TyperGroup | TyperCommand), f"{name} is not made by typer"
    context = typer.Context(command, info_name=name, parent=parent)
    if isinstance(command, TyperCommand):
        return [(context.command_path.removeprefix(f"{PROGRAM} "), command, context)]
    return [
        one
        for below in command.list_commands(context)
        for one in _commands(command.get_command(context, below), below, context)
    ]


def _section(name: str, command: TyperCommand, context: typer.Context) -> str:
    text = "\n\n".join(_paragraphs(command))
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parameters = [one for one in command.params if isinstance(one, _Parameter) and not one.hidden]
    rows = [_row(one, context) for one in parameters if one.name != "help"]
    options = "\n" + table(("argument or option", "default", "what it is"), rows) if rows else ""
    return f"\n## {name}\n\n{text}\n\n    {usage}\n{options}"


def _paragraphs(command: TyperCommand) -> list[str]:
    """The docstring, each paragraph on one line."""
    return [" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n")]


def _row(parameter: _Parameter, context: typer.Context) -> tuple[str, str, str]:
    if isinstance(parameter, TyperArgument):
        name = code(parameter.name)
    else:
        value = "" if parameter.is_flag else f" {_value(parameter, context)}"
        name = ", ".join(code(f"{option}{value}") for option in [*parameter.opts, *parameter.secondary_opts])
    more = [f"Also from the environment: {code(str(parameter.envvar))}."] if parameter.envvar else []
    if parameter.multiple if isinstance(parameter, TyperOption) else parameter.nargs != 1:
        more.append("May be given several times.")
    if parameter.min is not None:
        more.append(f"At least {parameter.min:g}.")
    if parameter.max is not None:
        more.append(f"At most {parameter.max:g}.")
    return name, _default(parameter), " ".join([parameter.help or "", *more]).strip()


def _value(option: TyperOption, context: typer.Context) -> str:
    """The value of an option: a word for its type, or the words that it may be."""
    name = (option.display_type_rich(context) or "").strip("<>")
    name = name.removeprefix("list[").removesuffix("]").removesuffix(" range")
    return _VALUES.get(name, name)


def _default(parameter: _Parameter) -> str:
    """The default; a dash for none."""
    if parameter.required:
        return "(needed)"
    shown, default = parameter.show_default, parameter.default
    if isinstance(shown, str):
        return code(shown)
    if default is None or default == "" or default is False:
        return "–"
    if default is True:
        return code(parameter.opts[0])
    return code(f"{default:g}" if isinstance(default, float) else str(default))
