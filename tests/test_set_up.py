"""What is installed where: the two lists of requirements, `make setup`, and what the workflows do with them."""

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT
from tests.test_architecture import OURS, modules, within

LISTS = ("requirements", "requirements-dev", "requirements-uv")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Listed for what they do, not to be imported: `make lint` and pytest's settings name them.
COMMANDS_AND_PLUGINS = {"ruff", "mypy", "pytest-timeout", "pytest-xdist", "types-psutil", "types-pyyaml"}


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
    """Module → its syntax: all but the sandbox and its verb, and what they import of the sandbox on loading."""
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in modules()}
    found = {name for name in trees if not any(within(name, one) for one in ("ops.sandbox", "ops.verbs.sandbox"))}
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
            if package not in sys.stdlib_module_names and package not in OURS:
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


class Checkout:
    """The Makefile with lists of two packages of our own, one for production and one for development."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "checkout", folder / "bin"
        self.time = 0  # of the lists' files, long ago: what `make` marks now is newer
        self.bin.mkdir()
        self.root.mkdir()
        shutil.copy(ROOT / "Makefile", self.root)
        self.write("requirements", self.wheel("here", "1"))
        self.write("requirements-dev", self.wheel("besides", "1"))
        self.write("requirements-uv", "# none: what PATH has")

    def write(self, name: str, *lines: str) -> None:
        """Write a list; the marks of earlier set-ups are older than it, and newer than every other list."""
        path = self.root / f"{name}.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.time += 10
        os.utime(path, (self.time, self.time))
        for mark in (self.root / ".venv").glob(".[ip]*"):
            os.utime(mark, (self.time - 5, self.time - 5))

    def wheel(self, name: str, version: str) -> str:
        """Build a wheel with one module that knows its version; the line that asks for it."""
        path = self.root / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        return f"{name} @ {path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def program(self, name: str, script: str) -> Path:
        """Put a shell script before every other program of that name on PATH."""
        place = self.bin / name
        place.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        place.chmod(0o755)
        return place

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """Run one target, offline and in a process group of its own."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PIP_", "UV_"))},
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "LC_ALL": "C",
            "PIP_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(self.root.parent / "uv"),
        }
        return subprocess.run(
            ["make", target, f"PYTHON={sys.executable}"],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )

    def installed(self) -> dict[str, str]:
        """Module → version, of our own packages, as .venv's interpreter imports them."""
        script = (
            "import importlib.util as u\n"
            "print({n: __import__(n).VERSION for n in ('here', 'besides', 'later') if u.find_spec(n)})"
        )
        done = subprocess.run(
            [self.root / ".venv/bin/python", "-c", script], capture_output=True, text=True, check=True
        )
        return dict(ast.literal_eval(done.stdout))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_set_up_installs_a_list_once_and_anew_when_it_changed(checkout: Checkout) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("there is no uv here: `make setup` could not bring one")
    (checkout.bin / "uv").symlink_to(uv)
    done = checkout.make("setup-production")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Setting up \.venv from requirements\.txt: about .*\n", done.stdout)
    assert checkout.installed() == {"here": "1"}

    rm = checkout.program("rm", f'case "$1" in -rf) kill -KILL 0 ;; *) exec {shutil.which("rm")} "$@" ;; esac')
    assert checkout.make("setup").returncode == -signal.SIGKILL
    assert not (checkout.root / ".venv" / ".production").exists(), "a .venv of which some is deleted counts as whole"
    rm.unlink()

    done = checkout.make("setup")
    assert re.fullmatch(r"Setting up \.venv from requirements\.txt requirements-dev\.txt: about .*\n", done.stdout)
    assert checkout.installed() == {"here": "1", "besides": "1"}
    for target in ("setup", "setup-production"):  # all is there already, and is kept
        assert checkout.make(target).stdout.startswith("make: Nothing to be done"), target
    pip = subprocess.run([checkout.root / ".venv/bin/python", "-m", "pip", "--version"], check=False)
    assert pip.returncode == 0, "Pulumi's toolchain asks .venv's pip for the packages"

    checkout.write("requirements-dev", checkout.wheel("besides", "2"), checkout.wheel("later", "1"))
    assert checkout.make("setup").returncode == 0
    assert checkout.installed() == {"here": "1", "besides": "2", "later": "1"}


def test_an_interrupted_set_up_is_repaired_by_pip_where_uv_fails(checkout: Checkout) -> None:
    """It begins with a .venv that is a link to another checkout's, which stays as it is."""
    other = checkout.root.parent / "other"
    other.mkdir()
    (other / ".installed").touch()
    (checkout.root / ".venv").symlink_to(other)
    checkout.write("requirements", checkout.wheel("here", "2"))

    checkout.program("uv", "echo halfway >.venv/halfway && kill -KILL 0")
    assert checkout.make("setup").returncode == -signal.SIGKILL
    assert (checkout.root / ".venv" / "halfway").exists()

    checkout.program("uv", "exit 1")
    done = checkout.make("setup")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.startswith("Setting up .venv from ")
    assert second.startswith("Without uv")
    assert checkout.installed() == {"here": "2", "besides": "1"}
    assert not (checkout.root / ".venv" / "halfway").exists()
    assert [path.name for path in other.iterdir()] == [".installed"]


def steps() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])


def test_pipelines_run_the_pulumi_of_the_version_file() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", (ROOT / ".pulumi.version").read_text("utf-8"))
    found = [(name, step) for name, step in steps() if step.get("uses", "").startswith("pulumi/actions@")]
    assert {name for name, _ in found} == {"deploy.yml", "drift.yml", "e2e.yml", "pull-request.yml"}
    for name, step in found:
        assert step["with"]["pulumi-version-file"] == ".pulumi.version", name


def test_what_deploys_has_the_runtime_list_alone() -> None:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
            runs = [step["run"] for step in job["steps"] if "run" in step]
            if any("secrets." in str(step) for step in job["steps"]):  # it reaches production
                assert "make setup-production" in runs, f"{path.name}, {name}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_bounded_and_pinned(path: Path) -> None:
    """Each job has a limit of time and each workflow its rights; an action is a commit, with its release beside it."""
    text = path.read_text("utf-8")
    parsed = yaml.safe_load(text)
    assert parsed["permissions"] == {"contents": "read"}
    for name, job in parsed["jobs"].items():
        assert isinstance(job.get("timeout-minutes"), int), name
    for used in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


def test_pull_requests_try_every_python_from_the_oldest_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    jobs = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text("utf-8"))["jobs"]
    whole = [
        step["with"]["python-version"] for step in jobs["test"]["steps"] if "setup-python@" in step.get("uses", "")
    ]
    tried = [*whole, *jobs["python"]["strategy"]["matrix"]["python"]]
    minors = [int(version.removeprefix("3.")) for version in tried]
    assert tried[0] == oldest
    assert minors == list(range(minors[0], minors[0] + len(minors))), "one after the other, none left out"
