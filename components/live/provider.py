"""The dynamic provider: it loads a handler, and turns failures into one sentence.

The handler is loaded in the plugin's process, where it is needed. Its clients and editors take 0.1 s to import, which
the program is spared (docs/adr/0010).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TypeAlias, cast

from pulumi import dynamic

from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.errors import OpsError

Props: TypeAlias = JsonObject  # a resource's inputs, or its outputs (components.live.inputs)


class NotDone(Exception):
    """A failure, in one sentence that says what, where, and what to do."""


NotDone.__module__ = "builtins"  # shown as "NotDone: sentence"

_shown: set[str] = set()
_writers: set[str] = set()  # the handlers that have made or changed something


def info(line: str) -> None:
    """Print a line, which the engine shows as a message of this resource; each line once a process."""
    if line not in _shown:
        _shown.add(line)
        print(line, flush=True)  # noqa: T201 - the engine reads it


def warn(line: str) -> None:
    """Print a line as a warning, once a process."""
    info(f"warning: {line}")


def wrote() -> bool:
    """Whether a resource of ours was made or changed in this run: one process of the plugin works for all of them."""
    return bool(_writers)


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Around a method of the provider. It runs in the plugin's process: only there may tracebacks be switched off."""
    sys.tracebacklimit = 0
    try:
        yield
    except (OpsError, EditRefused) as error:
        raise NotDone(str(error)) from None


class Provider(dynamic.ResourceProvider):
    """Hands each call to its handler; a failure is one sentence.

    Pickled by reference: the state of every stack has the names of each subclass and of its module. Whoever renames
    or moves one breaks those states.
    """

    handler = ""  # MODULE:CLASS
    serialize_as_secret_always = False

    def load_handler(self) -> dynamic.ResourceProvider:
        """An object of the handler's class."""
        module, _, name = self.handler.partition(":")
        return cast(dynamic.ResourceProvider, getattr(import_module(module), name)())

    @_one_sentence()
    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Refusals of the handler become failures of the check: the engine shows them without a traceback."""
        try:
            return self.load_handler().check(_olds, news)
        except (EditRefused, OpsError) as error:
            return dynamic.CheckResult(news, [dynamic.CheckFailure("", str(error))])

    @_one_sentence()
    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        """As the handler has it. Raises NotDone."""
        return self.load_handler().diff(_id, _olds, _news)

    @_one_sentence()
    def create(self, props: Props) -> dynamic.CreateResult:
        """As the handler has it. Raises NotDone."""
        created = self.load_handler().create(props)
        _writers.add(self.handler)
        return created

    @_one_sentence()
    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """As the handler has it. Raises NotDone."""
        updated = self.load_handler().update(_id, _olds, _news)
        _writers.add(self.handler)
        return updated

    @_one_sentence()
    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        """As the handler has it. Raises NotDone."""
        return self.load_handler().read(id_, props)

    @_one_sentence()
    def delete(self, _id: str, _props: Props) -> None:
        """As the handler has it. Raises NotDone."""
        self.load_handler().delete(_id, _props)
