"""Who may import whom (the design's layout, held from the first day), and what may stand nowhere."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

DATA = ("rules", "routing", "metrics", "dashboards")
OURS = (*DATA, "formats", "components", "ops", "tests", "refusals", "__main__")  # refusals: the pack in policy/

COMMON = (
    *("ops.errors", "ops.interruption", "ops.options", "ops.words", "ops.window", "ops.countdown", "ops.rows"),
    *("components.settings", "formats"),
    *DATA,
)
CLIENTS = ("ops.clients",)
TARGET = ("ops.targets", "ops.evidence", "ops.sandbox.state")

# module prefix → what of ours it may import; the longest matching prefix counts.
LAWS: dict[str, tuple[str, ...]] = {
    "formats": ("formats",),
    "rules": ("rules", "formats"),
    "routing": ("routing", "formats"),
    "metrics": ("metrics", "formats"),
    "dashboards": ("dashboards", "rules", "formats"),
    "components": ("components", "formats", *DATA),
    "components.settings": ("components.settings", "formats"),
    "components.in_words": ("components.in_words", "formats", *DATA),  # pure
    "components.live": ("components.live", "components.settings", "ops.errors", "formats", *DATA),
    "components.live.text": ("components.live.text", "formats", *DATA),  # pure
    "components.live.cluster": (
        *("components.live.cluster", "components.live.provider", "components.live.text"),
        *("ops.clients", "ops.errors", "formats", *DATA),
    ),
    "components.live.running": (
        *("components.live.running", "components.live.cluster", "components.live.provider", "components.live.text"),
        *("ops.clients", "ops.errors", "formats", *DATA),
    ),
    "components.live.running.wanted": ("formats", *DATA),  # pure, as the next two, which verify uses too
    "components.live.running.compare": ("components.live.running.wanted", "ops.clients.prometheus", "formats", *DATA),
    "components.live.running.operator_names": ("components.live.running.compare", "formats", *DATA),
    "components.live.handlers": ("components.live", "ops.clients", "ops.errors", "formats", *DATA),
    "__main__": ("components", *DATA),
    # What every room of ops may use; a verb may use everything, but no other verb.
    "ops": (*COMMON, *CLIENTS),
    "ops.cli": ("ops.errors", "ops.interruption"),
    "ops.__main__": ("ops.cli",),
    "ops.errors": (),
    "ops.interruption": (),
    "ops.words": (),
    "ops.countdown": ("formats",),
    "ops.rows": (),
    "ops.fleet": ("ops.repo.files", "ops.targets", *COMMON),
    "ops.clients": (*COMMON, *CLIENTS, "ops.build_tools"),
    "ops.build_tools": ("ops.build_tools", "ops.errors"),
    "ops.targets": (*COMMON, *CLIENTS, "ops.sandbox.state"),
    "ops.evidence": ("ops.errors", "ops.sandbox.state", "ops.targets"),
    "ops.repo": ("ops.repo", *COMMON),
    "ops.stack": ("ops.stack", "ops.repo", "ops.build_tools", "ops.targets", "ops.sandbox.state", *COMMON),
    "ops.sandbox": ("ops.sandbox", "ops.replay", "ops.stack", "ops.build_tools", "ops.targets", *COMMON, *CLIENTS),
    "ops.sandbox.state": ("ops.errors",),
    "ops.sandbox.servers": ("ops.sandbox", "ops.errors", "formats", "metrics"),
    "ops.replay": ("ops.replay", "ops.build_tools", *COMMON, *CLIENTS),
    "ops.drawing": ("ops.drawing", "ops.replay", "ops.repo", *COMMON, *CLIENTS),
    "ops.tuning": ("ops.tuning", "ops.drawing", "ops.replay", "ops.repo", *COMMON, *CLIENTS),
    "ops.checks": (
        # what runs as written is decided once, for `pulumi up` and for verify
        *("components.live.running.compare", "components.live.running.wanted"),
        *("components.live.running.operator_names", "ops.checks", "ops.replay", "ops.repo"),
        *(*TARGET, *COMMON, *CLIENTS),
    ),
    "ops.faults": ("ops.faults", "ops.sandbox", "ops.replay", "ops.build_tools", *COMMON, *CLIENTS),
    "ops.drill": ("ops.drill", "ops.checks", "ops.replay", *TARGET, *COMMON, *CLIENTS),
    "ops.diagnosis": ("ops.diagnosis", "ops.checks", "ops.replay", "ops.tuning", *TARGET, *COMMON, *CLIENTS),
    "ops.reporting": (
        *("ops.reporting", "ops.checks", "ops.drawing", "ops.replay", "ops.repo", *TARGET, *COMMON, *CLIENTS),
    ),
    "ops.review": (
        *("ops.review", "ops.drawing", "ops.replay", "ops.repo", "ops.stack", "components.in_words"),
        *(*TARGET, *COMMON, *CLIENTS),
    ),
    "ops.verbs": ("ops", *COMMON),
    "ops.reference": ("ops.reference", "ops.cli", "ops.repo", *COMMON),
}
# Pulumi's SDK: used for declarations in components, run by ops.stack, unknown elsewhere.
MAY_IMPORT_PULUMI = ("components", "ops.stack", "__main__")
MAY_NOT_IMPORT_PULUMI = ("components.settings",)


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.glob("*.py")):
        yield path.stem, path
    for package in (*DATA, "formats", "components", "ops"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path, module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute, so that these laws can be read"
            # `from ops import clients` names a module as well as `from ops.clients import Prometheus` does
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = (ROOT / Path(*full.split("."))).with_suffix(".py").exists() or (
                    ROOT / Path(*full.split("."))
                ).is_dir()
                yield full if is_module else str(node.module)


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


@pytest.mark.parametrize(("module", "path"), [pytest.param(*pair, id=pair[0]) for pair in modules()])
def test_imports_obey_the_laws(module: str, path: Path) -> None:
    law = max((prefix for prefix in LAWS if within(module, prefix)), key=len)
    for name in imports(path, module):
        top = name.split(".")[0]
        if top in OURS:
            assert any(within(name, allowed) for allowed in LAWS[law]), f"{module} imports {name}"
            assert not (within(module, "ops.verbs") and within(name, "ops.verbs")), f"{module} imports {name}"
        if top in ("pulumi", "pulumi_kubernetes", "pulumiverse_grafana"):
            allowed = any(within(module, prefix) for prefix in MAY_IMPORT_PULUMI)
            forbidden = any(within(module, prefix) for prefix in MAY_NOT_IMPORT_PULUMI)
            assert allowed and not forbidden, f"{module} imports {name}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Nowhere: a room can be read, tested and changed without those that use it."""
    paths = dict(modules())
    known = {name: {found for found in imports(path, name) if found in paths} for name, path in paths.items()}

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' → '.join([*above[above.index(name) :], name])}"
        if name not in done:
            for one in sorted(known[name]):
                walk(one, (*above, name))
            done.add(name)

    done: set[str] = set()
    for name in paths:
        walk(name, ())


def test_no_file_name_twice() -> None:
    """A name tells which file is meant."""
    usual = {"__init__.py", "__main__.py", "conftest.py"}
    names = Counter(path.name for path in tracked() if path.suffix == ".py" and path.name not in usual)
    assert [name for name, count in names.items() if count > 1] == []


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    assert [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix == ".py" and len(path.read_text("utf-8").splitlines()) > 300
    ] == []


def test_the_live_resources_stay_in_few_places() -> None:
    live = ROOT / "components" / "live"
    entries = {path.relative_to(live).parts[0] for path in tracked() if path.is_relative_to(live)}
    assert len(entries) <= 9, sorted(entries)


def test_the_program_is_a_table_of_contents() -> None:
    assert len((ROOT / "__main__.py").read_text("utf-8").splitlines()) <= 40


def test_components_are_small() -> None:
    for path in (ROOT / "components").glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 150, path.name


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_a_name_tells_which_file_it_is() -> None:
    """No file has the name of another one in the tree."""
    paths: dict[str, list[str]] = {}
    for path in tracked():
        if path.suffix == ".py" and path.name not in ("__init__.py", "__main__.py", "conftest.py"):
            paths.setdefault(path.name, []).append(str(path.relative_to(ROOT)))
    assert [found for found in paths.values() if len(found) > 1] == []


def test_no_credentials_and_no_home_folders() -> None:
    """Tokens by their published prefixes, private keys, and paths of somebody's machine."""
    forbidden = re.compile(r"glsa_[A-Za-z0-9]{32}|xox[bp]-\d{6}|-----BEGIN [A-Z ]*PRIVATE KEY|/(home|Users)/[a-z]+/")
    for path in tracked():
        found = forbidden.search(path.read_text("utf-8", errors="replace"))
        assert path.name == "test_architecture.py" or not found, f"{path.relative_to(ROOT)}: {found and found[0]}"
