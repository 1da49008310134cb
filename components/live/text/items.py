"""Items of ours as YAML lines, and as nodes to compare with."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import yaml

from components.live.text.yaml_tree import Node, parse

Path: TypeAlias = tuple[str, ...]
Lists: TypeAlias = Mapping[Path, Sequence[object]]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _string)


def block(wanted: Sequence[object]) -> str:
    """Items as YAML, one below the other, each beginning with a dash."""
    return _block(json.dumps(list(wanted)))


@lru_cache(maxsize=16)
def _block(wanted: str) -> str:
    """Kept by JSON, as the next: a preview asks for the same items several times, and PyYAML is slow."""
    text: str = yaml.dump(
        json.loads(wanted), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=False
    )
    return text


def indented(lines: Sequence[str], indent: str) -> list[str]:
    """Lines with `indent` before each that is not blank."""
    return [indent + line if line.strip() else line for line in lines]


def snippets(parts: Lists) -> str:
    """The lines that a person would paste, for all lists."""
    return "\n".join(_snippet(path, wanted) for path, wanted in parts.items() if wanted)


def _snippet(path: Path, wanted: Sequence[object]) -> str:
    lines: list[str] = []
    for depth, name in enumerate(path):
        lines.append("  " * depth + name + ":")
    return "\n".join([*lines, *indented(block(wanted).split("\n")[:-1], "  " * len(path))]) + "\n"


def nodes(wanted: Sequence[object]) -> Sequence[Node]:
    """What items look like as nodes, for comparison with those of a text."""
    return _nodes(json.dumps(list(wanted))) if wanted else ()


@lru_cache(maxsize=16)
def _nodes(wanted: str) -> Sequence[Node]:
    root = parse(_block(wanted)).root
    return root.children if root else ()


def digests(wanted: Sequence[object]) -> tuple[str, ...]:
    """The digest of each item (yaml_tree.Node.digest)."""
    return tuple(node.digest() for node in nodes(wanted))
