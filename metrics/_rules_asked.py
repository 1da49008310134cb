"""What the contract asks of a rule; alerts and recordings of `rules` are such, which is not imported here."""

from pathlib import Path
from typing import Protocol


class Limit(Protocol):
    @property
    def operator(self) -> str: ...
    @property
    def value(self) -> float: ...


class Alert(Protocol):
    """What is asked of an alert here; rules.Alert is one."""

    @property
    def name(self) -> str: ...
    @property
    def quantity(self) -> str: ...
    @property
    def limit(self) -> Limit: ...


class Recorded(Protocol):
    """What is asked of a recording; rules.Recording is one."""

    @property
    def expr(self) -> str: ...


class Placed(Recorded, Protocol):
    """A rule that knows where it stands; rules.Recording is one. `is_house`: whether it is held to the contract."""

    @property
    def name(self) -> str: ...
    @property
    def is_house(self) -> bool: ...
    @property
    def file(self) -> Path: ...
    @property
    def line(self) -> int: ...


class PlacedAlert(Alert, Placed, Protocol):
    @property
    def limit_line(self) -> int: ...
