"""What all ways of delivery have in common, and the component for which one of them declares the resources."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib import import_module
from typing import ClassVar, Self, cast

import pulumi


class Delivery(ABC):
    """One way in which a part of this repository gets to where it works."""

    @classmethod
    def of_mode(cls, mode: str) -> type[Self]:
        """The way that `mode` names: class `Delivery` of MODE_KIND.py in this class's package, alert_KIND or KIND."""
        package = cls.__module__.rpartition(".")[0]
        kind = package.rpartition(".")[2].removeprefix("alert_")
        return cast(type[Self], import_module(f"{package}.{mode}_{kind}").Delivery)

    @abstractmethod
    def declare(self, child: pulumi.ResourceOptions) -> None:
        """Declare the resources with these options, as children of the component. Raises SettingsError, RunError."""

    def own_paths(self) -> list[str]:
        """Where the Kubernetes API has the objects that are ours alone."""
        return []

    def mounted(self) -> list[str]:
        """What is written here and that pods mount: KIND/NAME of each ConfigMap and Secret."""
        return []


class Component(pulumi.ComponentResource):
    """Groups what one way of delivery declares; its name is the same for every way.

    `words`: what is deployed, in lines (components.in_words). A preview shows those that change, and hides the texts.
    """

    named: ClassVar[str]

    def __init__(self, delivery: Delivery, words: Iterable[str], opts: pulumi.ResourceOptions) -> None:
        # Each line is a property by itself, with an empty value: of those that are the same the engine prints none.
        lines = dict.fromkeys(words, "")
        super().__init__(f"monitoring:index:{type(self).__name__}", self.named, lines, opts)
        # Its children depend on the same resources as the component: on destroy the children go first.
        delivery.declare(pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on))
        self.register_outputs({})
