"""Go templates, read by Go's grammar: text/template/parse/parse.go of Go 1.26.

What functions there are, and what data, is a matter of `formats.template_data`.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from formats.go_lexer import TemplateError, Token, tokens
from formats.go_nodes import Command, Operand, Pipeline, Statement, Template, words
from formats.go_strings import unquote

__all__ = ["Template", "TemplateError", "parse", "words"]

_OPERANDS = frozenset(
    ("bool", "character", "dot", "field", "identifier", "number", "nil", "string", "variable", "(")  #
)
_NO_COMMAND = ("bool", "dot", "nil", "number", "character", "string")


@lru_cache(maxsize=512)  # the same text stands in several receivers
def parse(text: str, variables: tuple[str, ...] = ()) -> Template:
    """Read a template; `variables` are those that it finds set, besides `$`. Raises TemplateError where Go would."""
    parser = _Parser(text)
    parser.variables += variables
    try:
        return parser.template()
    except RecursionError:
        raise TemplateError(0, "the template is nested too deeply") from None


@dataclass
class _Parser:
    text: str
    variables: list[str] = field(default_factory=lambda: ["$"])
    definitions: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
    ranges: int = 0

    def __post_init__(self) -> None:
        self.rest = tokens(self.text)
        self.ahead: list[Token] = []  # the next token is the last one

    # ── tokens ──

    def next(self) -> Token:
        return self.ahead.pop() if self.ahead else next(self.rest)

    def peek(self) -> Token:
        if not self.ahead:
            self.ahead.append(next(self.rest))
        return self.ahead[-1]

    def next_word(self) -> Token:
        """The next token that is no space."""
        while (token := self.next()).kind == "space":
            pass
        return token

    def peek_word(self) -> Token:
        token = self.next_word()
        self.ahead.append(token)
        return token

    def closed(self, context: str) -> None:
        token = self.next_word()
        if token.kind != "right":
            raise self.unexpected(token, context)

    def unexpected(self, token: Token, context: str) -> TemplateError:
        if token.kind == "assign":
            return TemplateError(token.row, f'unexpected "=" in {context}; compare with eq: {{{{ if eq .A "b" }}}}')
        said = "}}" if token.kind == "right" else token.text
        return TemplateError(token.row, f"unexpected {said!r} in {context}".replace("'", '"'))

    # ── statements ──

    def template(self) -> Template:
        found: list[Statement] = []
        while self.peek().kind != "eof":
            if (statement := self.statement(defines=True)) is None:
                continue
            if statement.kind in ("end", "else"):
                said = f"{{{{ {statement.kind} }}}} stands here without an if, range, with or define before it"
                raise TemplateError(statement.row, said)
            found.append(statement)
        return Template(tuple(found), self.definitions)

    def statement(self, *, defines: bool = False) -> Statement | None:
        """The next statement; None for a definition, which stands only outside of every block (`defines`)."""
        token = self.next_word()
        if token.kind == "text":
            return Statement("text" if token.text.strip() else "blank", token.row)
        word = self.next_word()
        match word.kind:
            case "define" if defines:
                self.definition(word)
                return None
            case "if" | "with" | "range":
                return self.control(word)
            case "template":
                name = self.name(word)
                bare = self.peek_word().kind == "right"
                pipeline = None if bare else self.pipeline("{{ template }}")
                if bare:
                    self.next_word()
                return Statement("template", word.row, pipeline, name=name)
            case "block":
                name = self.name(word)
                pipeline = self.pipeline("{{ block }}")
                self.define(name, self.inside(word), word.row)
                return Statement("template", word.row, pipeline, name=name)
            case "end" | "break" | "continue":
                self.closed(f"{{{{ {word.kind} }}}}")
                if word.kind != "end" and not self.ranges:
                    raise TemplateError(word.row, f"{{{{ {word.kind} }}}} stands outside a range")
                return Statement(word.kind, word.row)
            case "else":
                if self.peek_word().kind not in ("if", "with"):
                    self.closed("{{ else }}")
                return Statement("else", word.row)
        self.ahead.append(word)
        return Statement("action", word.row, self.pipeline("{{ }}"))

    def definition(self, word: Token) -> None:
        name = self.name(word)
        self.closed("{{ define }}")
        self.define(name, self.inside(word), word.row)

    def inside(self, word: Token) -> tuple[Statement, ...]:
        """The body of a definition, which sees no variable of the text around it, and stands in no range."""
        outer, self.variables = self.variables, ["$"]
        ranges, self.ranges = self.ranges, 0
        body, end = self.body(word)
        self.variables, self.ranges = outer, ranges
        if end.kind == "else":
            raise TemplateError(end.row, "{{ else }} belongs to if, range or with, and none is open here")
        return body

    def define(self, name: str, body: tuple[Statement, ...], row: int) -> None:
        said = any(statement.kind != "blank" for statement in body)
        before = self.definitions.get(name, ())
        if said and any(statement.kind != "blank" for statement in before):
            raise TemplateError(row, f"there is a template {name} already; rename one")
        if said or not before:
            self.definitions[name] = body

    def name(self, word: Token) -> str:
        token = self.next_word()
        if token.kind != "string":
            raise TemplateError(
                token.row, f'{{{{ {word.kind} }}}} needs a name in quotes: {{{{ {word.kind} "name" }}}}'
            )
        return self.string(token)

    def body(self, opening: Token) -> tuple[tuple[Statement, ...], Statement]:
        """Statements up to an end or else, which comes second."""
        found: list[Statement] = []
        while self.peek_word().kind != "eof":
            statement = self.statement()
            assert statement is not None
            if statement.kind in ("end", "else"):
                return tuple(found), statement
            found.append(statement)
        raise TemplateError(opening.row, f"{{{{ {opening.kind} }}}} is not closed; add {{{{ end }}}}")

    def control(self, word: Token) -> Statement:
        known = len(self.variables)
        pipeline = self.pipeline(f"{{{{ {word.kind} }}}}", in_range=word.kind == "range")
        self.ranges += word.kind == "range"
        body, end = self.body(word)
        self.ranges -= word.kind == "range"
        otherwise: tuple[Statement, ...] = ()
        if end.kind == "else":
            following = self.peek_word()
            if following.kind == word.kind and word.kind != "range":  # else if, else with: its end is that of both
                otherwise = (self.control(self.next_word()),)
            elif following.kind in ("if", "with"):
                raise self.unexpected(following, f"the {{{{ else }}}} of {{{{ {word.kind} }}}}")
            else:
                otherwise, end = self.body(word)
                if end.kind == "else":
                    raise TemplateError(end.row, f"{{{{ {word.kind} }}}} has a second {{{{ else }}}}; remove one")
        del self.variables[known:]
        return Statement(word.kind, word.row, pipeline, body, otherwise)

    # ── values ──

    def pipeline(self, context: str, end: str = "right", *, in_range: bool = False) -> Pipeline:
        row = self.peek_word().row
        variables, assigns = self.set_variables(context, in_range)
        commands: list[Command] = []
        while (token := self.next_word()).kind != end:
            if token.kind not in _OPERANDS:
                raise self.unexpected(token, context)
            self.ahead.append(token)
            commands.append(self.command(context))
        if not commands:
            empty = "is empty; take it out" if context == "{{ }}" else "has no value"
            raise TemplateError(row, f"{context} {empty}")
        for command in commands[1:]:
            first = command.operands[0]
            if first.kind in _NO_COMMAND and not first.fields:
                raise TemplateError(first.row, f"{first.text} comes after a | and is no function")
        return Pipeline(variables, assigns, tuple(commands), row)

    def set_variables(self, context: str, in_range: bool) -> tuple[tuple[str, ...], bool]:
        """The variables that a pipeline sets, and whether by `=`."""
        found: list[str] = []
        while self.peek_word().kind == "variable":
            variable = self.next_word()
            after = self.next()
            sign = after if after.kind != "space" else self.next_word()
            if sign.kind in ("assign", "declare"):
                self.variables.append(variable.text)
                return (*found, variable.text), sign.kind == "assign"
            if (sign.kind, sign.text) == ("char", ","):
                found.append(variable.text)
                self.variables.append(variable.text)
                if not in_range or len(found) > 1:
                    raise TemplateError(sign.row, f"{context} sets too many variables")
                if self.peek_word().kind not in ("variable", "right", ")"):
                    raise TemplateError(sign.row, "{{ range }} can only set variables before its :=")
                continue
            self.ahead += [sign, after, variable] if after is not sign else [sign, variable]
            break
        return tuple(found), False

    def command(self, context: str) -> Command:
        found: list[Operand] = []
        while True:
            self.peek_word()
            if operand := self.operand():
                found.append(operand)
            token = self.next()
            if token.kind == "space":
                continue
            if token.kind in ("right", ")"):
                self.ahead.append(token)
            elif token.kind != "pipe":
                raise self.unexpected(token, context)
            if not found:
                raise TemplateError(token.row, f"{context} has nothing beside a |")
            return Command(tuple(found))

    def operand(self) -> Operand | None:
        token = self.next_word()
        if token.kind not in _OPERANDS:
            self.ahead.append(token)
            return None
        if token.kind == "variable" and token.text not in self.variables:
            known = ", ".join(dict.fromkeys(self.variables[1:])) or "none"
            raise TemplateError(token.row, f"undefined variable {token.text}; those that are set here: {known}")
        if token.kind in ("string", "character"):
            value = self.string(token)
            if token.kind == "character" and len(value) != 1:
                raise TemplateError(token.row, f"{token.text} is not one character")
        pipeline = self.pipeline("( )", ")") if token.kind == "(" else None
        fields = [token.text[1:]] if token.kind == "field" else []
        while self.peek().kind == "field":
            if token.kind in _NO_COMMAND:
                raise TemplateError(token.row, f"unexpected . after {token.text}")
            fields.append(self.next().text[1:])
        kind = "pipeline" if pipeline else token.kind
        return Operand(kind, "( … )" if pipeline else token.text, token.row, tuple(fields), pipeline)

    def string(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as error:
            raise TemplateError(token.row, str(error)) from None
