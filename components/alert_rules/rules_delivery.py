"""The interface of a way of delivering the rule files. Each way has a file of its own: MODE_rules.py."""

from collections.abc import Sequence
from typing import ClassVar

from components.delivery import Delivery
from components.live.inputs import OperatorObjects, SharedKeys
from components.settings import Settings
from rules import RuleFile


class RulesDelivery(Delivery):
    """One way in which the rule files reach Prometheus.

    `texts`: file name → text, byte for byte. `edited_servers`: the servers (`prometheus`) whose configuration gets a
    part of ours. `apart`: ours are among rule files of others, not in `folder()`.
    """

    edited_servers: ClassVar[Sequence[str]] = ()
    apart: ClassVar[bool] = False

    def __init__(self, files: Sequence[RuleFile], settings: Settings) -> None:
        self.texts = {file.name: file.text for file in files}
        self.settings = settings

    def shared_keys(self) -> SharedKeys | None:
        """Our keys in a ConfigMap of others (components.live.cluster.ownership_checks); None: there are none."""
        return None

    def folder(self) -> str:
        """Where Prometheus finds our rule files, or, if `apart`, where it does not; "" where that cannot be known."""
        return self.settings.rules.mount_path

    def ruler_namespace(self) -> str | None:
        """Where Mimir or Cortex has our groups; None: it has none."""
        return None

    def operator_objects(self) -> OperatorObjects | None:
        """What the Prometheus Operator is to take up (components.live.cluster.operator_preflight)."""
        return None
