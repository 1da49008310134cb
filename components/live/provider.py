"""A dynamic provider that the program only names: what it does is loaded where it is done, in the plugin's process.

The clients and editors behind it take 0.1 s to import, of which a program that speaks to nobody has no use.
"""

from typing import Any

from pulumi import dynamic

from components.live.refused import Refused
from components.live.saying import in_one_sentence
from ops.errors import OpsError

Props = dict[str, Any]


class Provider(dynamic.ResourceProvider):
    """Every failure of its work is one sentence.

    Pickled by reference: the names of each heir and of its module stand in the state of every stack. Renaming or
    moving one strands that state.
    """

    serialize_as_secret_always = False

    def work(self) -> dynamic.ResourceProvider:
        """That which does it, imported here and not at the top."""
        raise NotImplementedError

    @in_one_sentence
    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        try:
            return self.work().check(_olds, news)
        except (Refused, OpsError) as no:
            return dynamic.CheckResult(news, [dynamic.CheckFailure("", str(no))])

    @in_one_sentence
    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        return self.work().diff(_id, _olds, _news)

    @in_one_sentence
    def create(self, props: Props) -> dynamic.CreateResult:
        return self.work().create(props)

    @in_one_sentence
    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        return self.work().update(_id, _olds, _news)

    @in_one_sentence
    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        return self.work().read(id_, props)

    @in_one_sentence
    def delete(self, _id: str, _props: Props) -> None:
        self.work().delete(_id, _props)
