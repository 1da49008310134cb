"""Whether a template can be executed with the data that it is given: functions, variables, fields and methods.

As text/template/exec.go of Go 1.26 finds them. What cannot be known before is let pass.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from formats import go_templates
from formats.go_lexer import TemplateError
from formats.go_nodes import Command, Operand, Pipeline, Statement, Template, operands, pipelines

# text/template/funcs.go of Go 1.26.
BUILT_IN = frozenset(
    (
        *("and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery"),
        *("eq", "ge", "gt", "le", "lt", "ne"),
    )
)


@dataclass(eq=False)
class Type:
    """What a value can be asked for; None stands for a type that is not known.

    `name`: as a person calls it, `an alert`. `fields` and `methods`: by name, with what they give. `element`: what a
    list or mapping gives one after the other. `keys`: whether any name may follow its dot, as for labels.
    """

    name: str
    fields: "Mapping[str, Type | None]" = field(default_factory=dict)
    methods: "Mapping[str, Type | None]" = field(default_factory=dict)
    element: "Type | None" = None
    keys: bool = False


TEXT = Type("a text")


@dataclass(frozen=True)
class Language:
    """What templates of one server know.

    `functions`: besides Go's; `open_ended`: whether a newer server may have others, so that only what looks like one of
    these misspelt is refused. `variables`: those that are set, with their types. `root`: the type of `.`. `templates`:
    whether there is a template of that name that the text does not define itself.
    """

    server: str
    functions: Collection[str]
    root: Type
    variables: Mapping[str, Type | None] = field(default_factory=dict)
    open_ended: bool = False
    templates: Callable[[str], bool] = lambda _: False
    results: Mapping[str, Type] = field(default_factory=dict)  # of functions


def check(text: str, language: Language) -> Template:
    """Read a template. Raises TemplateError at the first thing that Go refuses, or that fails when it is executed."""
    template = go_templates.parse(text, tuple(language.variables))
    _Check(template, language).run()
    return template


def check_syntax(text: str, language: Language) -> Template:
    """Read a template. Raises TemplateError at what Go refuses to parse; executed, it may still fail."""
    template = go_templates.parse(text, tuple(language.variables))
    _Check(template, language).functions()
    return template


Scope = dict[str, "Type | None"]


class _Check:
    def __init__(self, template: Template, language: Language) -> None:
        self.template, self.language = template, language
        self.seen: set[tuple[str, int]] = set()
        # A variable that is set again may have another type then.
        self.unsure = {name for pipeline in pipelines(template) if pipeline.assigns for name in pipeline.variables}

    def functions(self) -> None:
        for pipeline in pipelines(self.template):
            for operand in operands(pipeline):
                if operand.kind == "identifier":
                    self.function(operand)

    def run(self) -> None:
        self.functions()
        root = self.language.root
        self.statements(self.template.body, root, {"$": root, **self.language.variables})

    def function(self, operand: Operand) -> None:
        known = {*BUILT_IN, *self.language.functions}
        if operand.text in known:
            return
        near = difflib.get_close_matches(operand.text, sorted(known), n=1, cutoff=0.8)
        if self.language.open_ended and not near and operand.text not in self.language.root.fields:
            return
        hint = f"; did you mean {near[0]}?" if near else ""
        if operand.text in self.language.root.fields:
            hint = f"; a field is written .{operand.text}"
        raise TemplateError(operand.row, f"{self.language.server} has no function {operand.text} for templates{hint}")

    def statements(self, body: tuple[Statement, ...], dot: Type | None, scope: Scope) -> None:
        for statement in body:
            if statement.kind in ("if", "with", "range"):
                self.block(statement, dot, dict(scope))
            elif statement.kind == "template":
                self.called(statement, self.pipeline(statement.pipeline, dot, scope))
            else:
                self.pipeline(statement.pipeline, dot, scope)

    def block(self, statement: Statement, dot: Type | None, scope: Scope) -> None:
        found = self.pipeline(statement.pipeline, dot, scope)
        inside = dot
        if statement.kind == "with":
            inside = found
        elif statement.kind == "range":
            if found is TEXT:
                raise TemplateError(statement.row, "{{ range }} is given a text, which has nothing to go through")
            inside = found.element if found else None
            variables = statement.pipeline.variables if statement.pipeline else ()
            if variables:
                self.set(variables[-1:], inside, scope)
                self.set(variables[:-1], TEXT if found and found.keys else None, scope)
        self.statements(statement.body, inside, dict(scope))
        self.statements(statement.otherwise, dot, dict(scope))

    def called(self, statement: Statement, dot: Type | None) -> None:
        body = self.template.definitions.get(statement.name)
        if body is None:
            if not self.language.templates(statement.name):
                said = f"there is no template {statement.name}; define it in the same text"
                raise TemplateError(statement.row, said)
            return
        if (statement.name, id(dot)) not in self.seen:
            self.seen.add((statement.name, id(dot)))
            self.statements(body, dot, {"$": dot})

    def set(self, variables: tuple[str, ...], value: Type | None, scope: Scope) -> None:
        scope.update(dict.fromkeys(variables, value))

    def pipeline(self, pipeline: Pipeline | None, dot: Type | None, scope: Scope) -> Type | None:
        value: Type | None = None
        for number, command in enumerate(pipeline.commands if pipeline else ()):
            value = self.command(command, [value] if number else [], dot, scope)
        if pipeline and pipeline.variables:
            self.set(pipeline.variables, value, scope)
        return value

    def command(self, command: Command, piped: list[Type | None], dot: Type | None, scope: Scope) -> Type | None:
        first, *rest = command.operands
        arguments = [self.operand(operand, dot, scope) for operand in rest] + piped
        if first.kind == "nil":
            raise TemplateError(first.row, "nil alone gives nothing; take it out")
        if first.kind == "identifier" and not first.fields:
            return self.result(first.text, arguments)
        return self.operand(first, dot, scope, bool(arguments))

    def result(self, function: str, arguments: list[Type | None]) -> Type | None:
        if function == "index" and arguments:
            value = arguments[0]
            for _ in arguments[1:]:
                value = value.element if value else None
            return value
        if function == "first" and arguments:
            return arguments[-1].element if arguments[-1] else None
        return self.language.results.get(function)

    def operand(self, operand: Operand, dot: Type | None, scope: Scope, has_arguments: bool = False) -> Type | None:
        """The type of a value. `has_arguments`: something follows it, so that it has to be a method."""
        value: Type | None
        match operand.kind:
            case "variable":
                value = None if operand.text in self.unsure else scope.get(operand.text)
            case "field" | "dot":
                value = dot
            case "pipeline":
                value = self.pipeline(operand.pipeline, dot, scope)
            case "identifier":
                value = self.result(operand.text, [])
            case "string":
                value = TEXT
            case _:
                value = None
        known, method = value is not None, False
        for name in operand.fields:
            method = value is None or name in value.methods
            value = self.member(value, name, operand) if value else None
        literal = operand.kind in ("string", "number", "character", "bool", "dot")
        if has_arguments and (literal or (known and not method and value is not None)):
            said = operand.text if not operand.fields or operand.kind == "pipeline" else f".{'.'.join(operand.fields)}"
            raise TemplateError(operand.row, f"{said} is no function, so no value can be given to it")
        return value

    def member(self, value: Type, name: str, operand: Operand) -> Type | None:
        if name in value.methods:
            return value.methods[name]
        if name in value.fields:
            return value.fields[name]
        if value.keys:
            return value.element
        known = sorted({*value.fields, *value.methods})
        near = [f".{one}" for one in difflib.get_close_matches(name, known, n=3)]
        has = ", ".join(f".{one}" for one in known) or "none"
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {has}"
        raise TemplateError(operand.row, f"{value.name} has no field .{name}; {hint}")
