"""The commands in the shell of a pipeline: found, and held against what there is to call."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

import typer

from formats.json_types import JsonValue
from ops import cli
from tests.support.checkout import ROOT

# Ours, in any line: a verb, a module, a target of make, a script; and Pulumi's CLI.
_OURS = re.compile(r"(?:^|(?<=[\s`(]))(?:bin/ops|python3? -m ops[\w.]*|make|\.ci/[\w.-]+|pulumi)(?=[\s`;)|&]|$)")
_OPERATORS = re.compile(r"[();<>|&]+")


def workflow_scripts(text: Mapping[str, JsonValue]) -> Iterator[str]:
    """The shell of every step of a workflow."""
    for job in text["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


def commands(script: str) -> Iterator[list[str]]:
    """Every command of ours in a script, as words, without redirections and what follows. Variables stay as written."""
    for line in re.sub(r"\\\n\s*", " ", script).splitlines():
        code = line if line.lstrip().startswith("|") else re.sub(r"(^|\s)#.*", "", line)
        for found in _OURS.finditer(code):
            yield _words(code[found.start() :].replace("\\`", "`").partition("`")[0])


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if _OPERATORS.fullmatch(word):
                return words[:-1] if word[0] in "<>" and words[-1:] == ["2"] else words
            if not word.startswith("${@"):  # what the script was given more
                words.append(word)
    except ValueError:  # an apostrophe of a sentence that follows
        pass
    return words


def problem(words: Sequence[str]) -> str | None:
    """What is wrong with a command: no such verb, option, target or script. None where it could be run."""
    match words:
        case ["make", *targets]:
            known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
            unknown = [name for name in targets if "=" not in name and not name.startswith("-") and name not in known]
            return f"make has no target {', '.join(unknown)}" if unknown else None
        case ["bin/ops", verb, *arguments]:
            return _parsed(verb, arguments)
        case ["python" | "python3", "-m", "ops", verb, *arguments]:
            return _parsed(verb, arguments)
        case ["python" | "python3", "-m", module, *_]:
            place = ROOT.joinpath(*module.split("."))
            return None if place.is_dir() or place.with_suffix(".py").is_file() else f"there is no module {module}"
        case [script, *_] if script.startswith(".ci/"):
            return None if os.access(ROOT / script, os.X_OK) else f"there is no script {script}"
    return None


def _parsed(verb: str, arguments: Sequence[str]) -> str | None:
    """What the verb's own parser says of the arguments; None where it takes them."""
    group = typer.main.get_command(cli.app)
    command = group.get_command(group.make_context("bin/ops", [verb]), verb)  # type: ignore[attr-defined]
    if command is None:
        return f"there is no verb {verb}"
    try:
        command.make_context(verb, list(arguments))
    except typer.TyperException as misuse:
        return f"{verb}: {misuse.format_message()}"
    return None
