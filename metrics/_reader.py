"""Reads contract.yml; every refusal names the file, the line and what to do."""

import itertools
import math
import re
from pathlib import Path
from typing import Any, NoReturn

import yaml

from metrics.contract import Contract, ContractError, Metric, series_of, shown

FILE = Path(__file__).parent / "contract.yml"


TYPES = ("histogram", "counter", "gauge")


_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


_KEYS = {"type", "help", "unit", "labels", "buckets", "source", "aliases"}


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast


def load(path: Path = FILE) -> Contract:
    """The contract from its file. Raises ContractError."""
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_aliases(text, path)
        loader = _LOADER(text)
        node = loader.get_single_node()
        document = loader.construct_document(node) if node is not None else None
    except OSError as error:
        raise ContractError(f"{shown(path)}:1: cannot be read ({error.strerror}): restore the file") from None
    except UnicodeDecodeError:
        raise ContractError(f"{shown(path)}:1: is not UTF-8: save the file with that encoding") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContractError(f"{shown(path)}:{line}: is not YAML: {' '.join(str(error.problem).split())}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ContractError(f"{shown(path)}:1: is not YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(document, dict) or set(document) != {"metrics"} or not isinstance(document["metrics"], dict):
        raise ContractError(
            f"{shown(path)}:1: must hold `metrics:` and nothing else, with a metric's name before each entry"
        )
    lines = _Lines(path, node)
    found: dict[str, Metric] = {}
    for name, entry in document["metrics"].items():
        found[str(name)] = _metric(str(name), entry, lines)
    taken: dict[str, str] = {}
    for metric in found.values():
        for series in series_of(metric):
            if series in taken:
                lines.refuse(metric.name, f"has the series {series}, as has {taken[series]}: rename one")
            taken[series] = metric.name
    return Contract(found)


class _Lines:
    """Where each metric of the contract stands in its file."""

    def __init__(self, path: Path, root: Any) -> None:
        self.path = path
        entries = [(key.value, key.start_mark.line + 1) for key, _ in root.value[0][1].value]
        self.of: dict[str, int] = {}
        for name, line in entries:
            if name in self.of:
                raise ContractError(f"{shown(path)}:{line}: {name} stands there twice: keep one of them")
            self.of[str(name)] = line

    def refuse(self, name: str, sentence: str) -> NoReturn:
        raise ContractError(f"{shown(self.path)}:{self.of.get(name, 1)}: {name} {sentence}")


def _refuse_aliases(text: str, path: Path) -> None:
    for token in yaml.scan(text, Loader=_LOADER):
        if isinstance(token, yaml.AliasToken):
            raise ContractError(
                f"{shown(path)}:{token.start_mark.line + 1}: there is an alias (*): write the value out"
            )


def _metric(name: str, entry: Any, lines: _Lines) -> Metric:
    if not _NAME.fullmatch(name):
        lines.refuse(name, "is no metric name: use letters, digits, _ and :")
    if not isinstance(entry, dict):
        lines.refuse(name, "must be a mapping with type, labels, unit and source")
    if unknown := sorted(str(key) for key in entry if key not in _KEYS):
        lines.refuse(name, f"has the unknown key `{unknown[0]}`; it knows {', '.join(sorted(_KEYS))}")
    for key in ("type", "help", "unit", "source"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            lines.refuse(name, f"needs `{key}`, a text")
    if entry["type"] not in TYPES:
        lines.refuse(name, f"has the type {entry['type']}: use {', '.join(TYPES)}")
    labels, aliases = entry.get("labels", {}), entry.get("aliases", [])
    if not isinstance(labels, dict) or not all(_texts(key, values) for key, values in labels.items()):
        lines.refuse(name, "needs `labels`, each with a list of example values (quote numbers)")
    if not _texts("", aliases) or not all(_NAME.fullmatch(alias) for alias in aliases):
        lines.refuse(name, "needs `aliases` to be a list of metric names")
    return Metric(
        name=name,
        type=entry["type"],
        labels={key: tuple(values) for key, values in labels.items()},
        unit=entry["unit"],
        buckets=_buckets(name, entry, lines),
        source=entry["source"],
        aliases=tuple(aliases),
        help=entry["help"],
    )


def _buckets(name: str, entry: Any, lines: _Lines) -> tuple[float, ...]:
    buckets = entry.get("buckets")
    if (entry["type"] == "histogram") != (buckets is not None):
        lines.refuse(name, "needs `buckets` if it is a histogram, and only then")
    if buckets is None:
        return ()
    if not isinstance(buckets, list) or not buckets or not all(_is_number(bound) for bound in buckets):
        lines.refuse(name, "needs `buckets` to be a list of finite numbers")
    if any(low >= high for low, high in itertools.pairwise(buckets)):
        lines.refuse(name, "needs its `buckets` in ascending order, each once")
    return tuple(float(bound) for bound in buckets)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _texts(key: object, values: object) -> bool:
    return isinstance(key, str) and isinstance(values, list) and all(isinstance(value, str) for value in values)
