"""Items of ours as YAML lines, and as nodes to compare with."""

import json
from collections.abc import Sequence
from functools import lru_cache

import yaml

from components.live.text.yaml_tree import Shape, parse


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _string)


def block(wanted: Sequence[object]) -> str:
    """Items as YAML, one below the other, each beginning with a dash."""
    text: str = yaml.dump(
        list(wanted), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=False
    )
    return text


def indented(lines: Sequence[str], indent: str) -> list[str]:
    """Lines with `indent` before each that is not blank."""
    return [indent + line if line.strip() else line for line in lines]


def snippet(path: Sequence[str], wanted: Sequence[object]) -> str:
    """The lines that a person would paste."""
    lines: list[str] = []
    for depth, name in enumerate(path):
        lines.append("  " * depth + name + ":")
    return "\n".join([*lines, *indented(block(wanted).split("\n")[:-1], "  " * len(path))]) + "\n"


def shapes(wanted: Sequence[object]) -> list[Shape]:
    """What items look like as nodes, for comparison with those of a text."""
    return list(_shapes(json.dumps(list(wanted)))) if wanted else []


@lru_cache(maxsize=16)
def _shapes(wanted: str) -> tuple[Shape, ...]:
    """Kept by JSON: a preview asks for the same items several times, and PyYAML is slow."""
    root = parse(block(json.loads(wanted))).root
    return tuple(item.shape() for item in root.children) if root else ()
