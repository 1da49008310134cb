"""The diagram of docs/architecture.md: the packages of this repository and which imports which, read from the code.

A room is a data package, or a package in components/, components/live/ or ops/. Of single
modules in these three folders only `ENTRIES` are shown, as many rooms import the others.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ENTRIES = ("__main__.py", "ops/cli.py", "components/live/resources.py")
FOLDERS = ("components", "components.live", "ops")
# What stands in one frame, and what is written on it.
_GROUPS = {
    "components": "components: declares",
    "components.live": "components/live: edits and proves during pulumi up",
    "ops": "ops: what the verbs do",
    "": "data, each beside its reader",
}
_OUTSIDE = ("__main__", "ops.cli")  # in no frame: where it begins
BEGIN = "<!-- begin rooms: written by `make docs` -->"
END = "<!-- end rooms -->"

Arrows = Mapping[str, Mapping[str, bool]]  # room → the rooms that it needs; True: only loaded by name


def modules(root: Path) -> dict[str, Path]:
    """Every module of the program and the verbs, by its dotted name; a package by its own name."""
    found = {"__main__": root / "__main__.py"}
    for top in sorted(path.parent for path in root.glob("*/__init__.py")):
        for path in sorted(top.rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def arrows(root: Path) -> Arrows:
    """Each room with those that it imports. A circle of rooms is no error here."""
    known = modules(root)
    found: dict[str, dict[str, bool]] = {room: {} for name in known if (room := _room(name, known))}
    for name, path in known.items():
        if (room := _room(name, known)) is None:
            continue
        for target, by_name in _needs(ast.parse(path.read_text("utf-8")), known):
            other = _room(target, known)
            if other is not None and other != room:
                found[room][other] = found[room].get(other, True) and by_name
    return {room: dict(sorted(needs.items())) for room, needs in sorted(found.items())}


def _room(module: str, known: Mapping[str, Path]) -> str | None:
    """The room in which a module stands; None for one that stands alone."""
    if _path(module, ".py") in ENTRIES:
        return module
    folder = max((one for one in FOLDERS if module.startswith(f"{one}.")), key=len, default="")
    room = ".".join(module.split(".")[: len(folder.split(".")) + 1]) if folder else module.partition(".")[0]
    return room if room not in FOLDERS and known[room].name == "__init__.py" else None


def _needs(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[tuple[str, bool]]:
    """The modules of ours that a module imports, and those that it loads by name, as a text such as `ops.x.y:z`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known or node.module in known:
                    yield (full if full in known else str(node.module)), False
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if "." in name and name in known:
                yield name, True


def main_arrows(every: Arrows) -> Arrows:
    """Without each arrow that follows from others; rooms in a circle keep theirs."""
    reach = {room: _reached(room, every) for room in every}
    same = {room: frozenset(other for other in reach[room] if room in reach[other]) | {room} for room in every}

    def needed(room: str, other: str) -> bool:
        if other in same[room]:
            return True
        between = {one for start in same[room] for one in every[start]} - same[room] - same[other]
        return not any(other in reach[one] for one in between)

    return {room: {other: by for other, by in needs.items() if needed(room, other)} for room, needs in every.items()}


def _reached(room: str, every: Arrows) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(every[room])
    while waiting:
        if (one := waiting.pop()) not in seen:
            seen.add(one)
            waiting += every[one]
    return frozenset(seen)


def diagram(root: Path) -> str:
    """The main arrows as a flowchart in Mermaid, in Markdown. A dashed arrow is loaded by name when it is needed."""
    shown = main_arrows(arrows(root))
    lines = ["```mermaid", "flowchart TD"]
    lines += [_node(room) for room in shown if room in _OUTSIDE]
    for folder, title in _GROUPS.items():
        inside = [room for room in shown if room.rpartition(".")[0] == folder and room not in _OUTSIDE]
        lines += [f'  subgraph {_id(folder or "data")}["{title}"]', *(f"  {_node(room)}" for room in inside), "  end"]
    for room, needs in shown.items():
        lines += [f"  {_id(room)} {'-.->' if by_name else '-->'} {_id(other)}" for other, by_name in needs.items()]
    return "\n".join([*lines, "```"])


def _node(room: str) -> str:
    return f'  {_id(room)}["{_path(room, ".py") if _path(room, ".py") in ENTRIES else _path(room)}"]'


def _path(module: str, ending: str = "") -> str:
    return module.replace(".", "/") + ending


def _id(room: str) -> str:
    return re.sub(r"\W", "_", room.strip("_"))


def inserted(text: str, root: Path) -> str:
    """The page with the diagram between its two marks. Raises ValueError where they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/architecture.md lacks {BEGIN} and, after it, {END}; put them where the diagram goes")
    return f"{before}{BEGIN}\n\n{diagram(root)}\n\n{END}{after}"
