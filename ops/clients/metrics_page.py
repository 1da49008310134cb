"""Reads the `/metrics` of a server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ops.clients.http import Http
from ops.errors import BadAnswer


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample of an exposition."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Exposition:
    """All samples of one `/metrics` page."""

    readings: tuple[Reading, ...]

    def samples(self, name: str, **labels: str) -> Iterator[Reading]:
        """The samples of series `name` that carry these labels."""
        for reading in self.readings:
            if reading.name == name and all(reading.labels.get(key) == value for key, value in labels.items()):
                yield reading

    def total(self, name: str, **labels: str) -> float | None:
        """The sum of the samples of series `name` with these labels; None where there is none."""
        values = [reading.value for reading in self.samples(name, **labels)]
        return sum(values) if values else None

    def names(self) -> set[str]:
        """The names of all series."""
        return {reading.name for reading in self.readings}


def read(http: Http, path: str = "/metrics") -> Exposition:
    """GET and parse the Prometheus text format. Raises BadAnswer for another format, and what the client raises."""
    from prometheus_client.parser import (
        text_string_to_metric_families,
    )  # takes time to import, and few read a whole page

    try:
        return Exposition(
            tuple(
                Reading(sample.name, sample.labels, sample.value)
                for family in text_string_to_metric_families(http.get(path).text)
                for sample in family.samples
            )
        )
    except ValueError as error:
        raise _bad_answer(http, path, error) from error


def value(http: Http, name: str, path: str = "/metrics") -> float | None:
    """The value of metric `name`, which has no labels; None where the page lacks it.

    Raises BadAnswer where it is no number, and what the client raises.
    """
    for line in http.get(path).text.splitlines():
        if line.startswith(f"{name} "):
            try:
                return float(line.split()[1])
            except ValueError as error:
                raise _bad_answer(http, path, error) from error
    return None


def _bad_answer(http: Http, path: str, error: ValueError) -> BadAnswer:
    return BadAnswer(
        f"{http.name} at {http.url} answered {path} with something that is not the Prometheus text format "
        f"({error}); is this the metrics endpoint?"
    )
