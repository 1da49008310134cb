"""What a Go template says, as values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Operand:
    """A value: `kind` is that of its token, or `pipeline` for one in parentheses; `text` as it is written.

    `fields`: what follows after a dot, each without it; of a field itself, all of them. `row`: its line, from 0.
    """

    kind: str
    text: str
    row: int
    fields: tuple[str, ...] = ()
    pipeline: "Pipeline | None" = None


@dataclass(frozen=True)
class Command:
    """Operands with spaces between: a function or a method with its arguments, or one value."""

    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Pipeline:
    """Commands, each of which is given the result of the one before. `variables`: those that it sets."""

    variables: tuple[str, ...]
    assigns: bool  # by `=`, to variables that there are
    commands: tuple[Command, ...]
    row: int


@dataclass(frozen=True)
class Statement:
    """`kind`: text, action, if, with, range, template, break or continue. `name`: of the template that is called."""

    kind: str
    row: int
    pipeline: Pipeline | None = None
    body: tuple["Statement", ...] = ()
    otherwise: tuple["Statement", ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Template:
    """What a text says, and the templates that it defines for itself, by name."""

    body: tuple[Statement, ...]
    definitions: Mapping[str, tuple[Statement, ...]]


def words(template: Template) -> frozenset[str]:
    """Every function, variable and first field that a template uses: `toTime`, `$externalLabels`, `.ExternalURL`."""
    found: set[str] = set()
    for pipeline in pipelines(template):
        for operand in operands(pipeline):
            if operand.kind in ("identifier", "variable"):
                found.add(operand.text)
            if operand.fields and (operand.kind in ("field", "pipeline") or operand.text == "$"):
                found.add(f".{operand.fields[0]}")
    return frozenset(found)


def pipelines(template: Template) -> Iterator[Pipeline]:
    """Every pipeline, those of definitions too; not those in parentheses of another."""
    waiting = [*template.body, *(each for body in template.definitions.values() for each in body)]
    for statement in waiting:
        waiting += (*statement.body, *statement.otherwise)
        if statement.pipeline:
            yield statement.pipeline


def operands(pipeline: Pipeline) -> Iterator[Operand]:
    """Every operand of a pipeline, those in parentheses too."""
    for command in pipeline.commands:
        for operand in command.operands:
            yield operand
            if operand.pipeline:
                yield from operands(operand.pipeline)
