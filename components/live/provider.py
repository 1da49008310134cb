"""A dynamic provider that the program only names, and how it speaks.

What it does is loaded where it is done, in the plugin's process: the clients and editors behind it take 0.1 s to
import, and a program that speaks to nobody does not need them (docs/adr/0010).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TypeAlias, cast

from pulumi import dynamic

from components.live.text.errors import EditRefused
from formats.json_types import JsonObject
from ops.errors import OpsError

Props: TypeAlias = JsonObject  # a resource's inputs, or its outputs (components.live.inputs)


class NotDone(Exception):
    """A failure as a person reads it."""


NotDone.__module__ = "builtins"  # shown as "NotDone: sentence"

_shown: set[str] = set()


def info(line: str) -> None:
    """Print a line, which the engine shows at once as a message of this provider's; the same line once a process."""
    if line not in _shown:
        _shown.add(line)
        print(line, flush=True)


def warn(line: str) -> None:
    """`info`, as a warning."""
    info(f"warning: {line}")


@contextmanager
def _one_sentence() -> Iterator[None]:
    """For a provider's methods, which run in the plugin's process: only there may tracebacks be switched off."""
    sys.tracebacklimit = 0
    try:
        yield
    except (OpsError, EditRefused) as error:
        raise NotDone(str(error)) from None


class Provider(dynamic.ResourceProvider):
    """Every failure of its work is one sentence.

    Pickled by reference: the names of each heir and of its module stand in the state of every stack. Renaming or
    moving one strands that state.
    """

    handler = ""  # MODULE:CLASS of what does the work
    serialize_as_secret_always = False

    def load_handler(self) -> dynamic.ResourceProvider:
        """That which does it."""
        module, _, name = self.handler.partition(":")
        return cast(dynamic.ResourceProvider, getattr(import_module(module), name)())

    @_one_sentence()
    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        try:
            return self.load_handler().check(_olds, news)
        except (EditRefused, OpsError) as error:
            return dynamic.CheckResult(news, [dynamic.CheckFailure("", str(error))])

    @_one_sentence()
    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        return self.load_handler().diff(_id, _olds, _news)

    @_one_sentence()
    def create(self, props: Props) -> dynamic.CreateResult:
        return self.load_handler().create(props)

    @_one_sentence()
    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        return self.load_handler().update(_id, _olds, _news)

    @_one_sentence()
    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        return self.load_handler().read(id_, props)

    @_one_sentence()
    def delete(self, _id: str, _props: Props) -> None:
        self.load_handler().delete(_id, _props)
