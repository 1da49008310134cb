"""Tools: a person's own when new enough, else built once a machine from a pinned module, by one builder at a time."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components import settings
from ops import build_tools
from ops.build_tools import Tool, ToolError, build, catalog, pulumi
from ops.build_tools.catalog import AddedFiles
from tests.support.checkout import ROOT

MAIN = (
    'package main\n\nimport "fmt"\n\nvar version string\n\nfunc main() { fmt.Println("hello, version " + version) }\n'
)
NAMED = "package main\n\nfunc init() { version = lacking }\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of ours; Go's own, which would follow it, stays."""
    go = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("GOCACHE", go)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "api-monitoring" / "tools"


def add(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: object) -> Tool:
    """A tool that is built in a second: a real module with a real `go build`."""
    tool = Tool(name, name, f"example.org/{name}/cmd", (1, 0, 0), 1, version_variable="main.version", version="1.2.3")
    tool = replace(tool, **more)  # type: ignore[arg-type]
    (folder / name / "cmd").mkdir(parents=True)
    (folder / name / "cmd" / "main.go").write_text(MAIN)
    (folder / name / "go.mod").write_text(f"module example.org/{name}\n\ngo 1.21\n")
    (folder / name / "go.sum").write_text("")
    monkeypatch.setitem(build_tools.TOOLS, name, tool)
    return tool


@pytest.fixture
def hello(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:  # noqa: ARG001 (an empty one first)
    monkeypatch.setattr(catalog, "MODULES", tmp_path / "tools")
    return add("hello", tmp_path / "tools", monkeypatch)


def script(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


def first_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_every_tool_is_pinned_and_no_older_than_it_must_be() -> None:
    for tool in build_tools.TOOLS.values():
        assert build_tools.pinned(tool) >= tool.minimum or tool.version, tool.name
        # a lone one is written so by `go mod tidy`
        named = re.compile(rf"^(\t|tool ){re.escape(tool.package)}$", re.MULTILINE)
        assert named.search((tool.module / "go.mod").read_text()) or tool.folder == "kubernetes"
        assert (tool.module / "go.sum").is_file()


def test_the_cli_has_one_version() -> None:
    """The workflows install the one that .pulumi.version names, and that is built here."""
    version = (ROOT / ".pulumi.version").read_text("utf-8").strip()
    assert build_tools.dotted(build_tools.pinned(build_tools.get("pulumi"))) == version
    assert f">={build_tools.dotted(build_tools.get('pulumi').minimum)}" == settings.required_cli()
    assert f"github.com/pulumi/pulumi/sdk/v3 v{version}" in (ROOT / "tools/pulumi/go.mod").read_text("utf-8")


@pytest.mark.parametrize("name", [*build_tools.SERVERS, *build_tools.CLUSTER])
def test_each_tool_runs_and_says_its_version(name: str) -> None:
    tool = build_tools.get(name)
    version = build_tools.run_version(build_tools.path(name), tool.version_command)
    assert version is not None
    assert version >= tool.minimum


@pytest.mark.usefixtures("hello")
def test_path_wins_when_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = script(tmp_path / "bin", "hello", "hello, version 1.0.0")
    first_on_path(tmp_path / "bin", monkeypatch)
    assert build_tools.path("hello") == program


def test_a_folder_of_assets_comes_before_path(hello: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(build_tools.TOOLS, "hello", replace(hello, assets="HELLO_ASSETS"))
    on_path = script(tmp_path / "bin", "hello", "hello, version 1.0.0")
    asset = script(tmp_path / "assets", "hello", "hello, version 1.0.1")
    first_on_path(tmp_path / "bin", monkeypatch)
    monkeypatch.setenv("HELLO_ASSETS", str(tmp_path / "assets"))
    assert build_tools.path("hello") == asset
    script(tmp_path / "assets", "hello", "hello, version 0.9.0")  # too old
    assert build_tools.path("hello") == on_path


def test_etcd_and_the_api_server_may_be_kubebuilders() -> None:
    assert {build_tools.get(name).assets for name in build_tools.CLUSTER} == {"KUBEBUILDER_ASSETS"}


@pytest.mark.usefixtures("hello")
def test_built_once_a_machine_then_again_only_when_the_pin_changes(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "bin", "hello", "hello, version 0.9.9")  # too old
    first_on_path(tmp_path / "bin", monkeypatch)
    assert not build_tools.find("hello")
    said: list[str] = []
    program = build_tools.path("hello", said.append)
    assert program.parent.parent.parent == cache
    assert said[0] == "hello: building 1.2.3 from source with Go, usually 1 s"
    assert said[-1].startswith("hello: built in ")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "hello, version 1.2.3\n"

    said.clear()
    add("hello", tmp_path / "another clone", monkeypatch)
    monkeypatch.setattr(catalog, "MODULES", tmp_path / "another clone")
    assert build_tools.path("hello", said.append) == program
    assert said == []
    (tmp_path / "another clone" / "hello" / "go.sum").write_text("\n")
    assert not build_tools.find("hello")
    other = build_tools.path("hello", said.append)
    assert other != program
    assert said
    monkeypatch.setattr(catalog, "MODULES", tmp_path / "tools")
    assert build_tools.find("hello") == program, "both pins keep what was built of them"


def test_a_build_that_nobody_used_for_a_month_goes_with_the_next_one(hello: Tool) -> None:
    old = build_tools.path("hello")
    os.utime(old, (0, 0))
    (hello.module / "go.sum").write_text("\n")
    assert build_tools.path("hello").exists()
    assert not old.exists()


@pytest.mark.usefixtures("hello")
def test_two_who_want_the_same_tool_build_it_once(cache: Path) -> None:
    found: list[Path] = []
    wanting = [threading.Thread(target=lambda: found.append(build_tools.path("hello"))) for _ in range(3)]
    for one in wanting:
        one.start()
    for one in wanting:
        one.join()
    assert len({*found}) == 1
    assert len([*cache.glob("hello-*")]) == 1


@pytest.mark.usefixtures("hello")
def test_several_are_built_side_by_side_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add("good", tmp_path / "tools", monkeypatch, seconds=100)
    said: list[str] = []
    found = build_tools.ensure(["hello", "good"], said.append)
    assert list(found) == ["hello", "good"]
    assert said[0].startswith("2 tools have to be built from source with Go, once on this machine (kept in ")
    assert said[0].endswith("): about 2 minutes on two processors")
    begun = [line for line in said if ": building" in line]
    assert begun == [
        "1 of 2: good: building 1.2.3 from source with Go, usually 2 minutes",
        "2 of 2: hello: building 1.2.3 from source with Go, usually 1 s",
    ]


def test_a_module_that_lacks_files_is_completed(hello: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the Kubernetes provider is: the copy gets them, the module's own folder stays as it is."""
    dependency = tmp_path / "dependency"
    (dependency / "cmd").mkdir(parents=True)
    (dependency / "cmd" / "main.go").write_text(MAIN)
    (dependency / "cmd" / "named.go").write_text(NAMED)
    (dependency / "go.mod").write_text("module example.org/dependency\n\ngo 1.21\n")
    (hello.module / "go.mod").write_text(
        "module example.org/hello\n\ngo 1.21\n\nrequire example.org/dependency v1.0.0\n"
    )
    monkeypatch.setattr(build, "_module_folder", lambda *_: dependency)
    added_files = AddedFiles("example.org/dependency", _lacking)
    monkeypatch.setitem(
        build_tools.TOOLS, "hello", replace(hello, package="example.org/dependency/cmd", added_files=added_files)
    )
    program = build_tools.path("hello")
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert said == "hello, version added\n"
    assert not (dependency / "cmd" / "lacking.go").exists()


def _lacking(copy: Path) -> dict[str, str]:
    assert (copy / "cmd" / "main.go").is_file()
    return {"cmd/lacking.go": 'package main\n\nconst lacking = "added"\n'}


def test_a_build_that_fails_says_why_and_leaves_nothing(hello: Tool, cache: Path) -> None:
    (hello.module / "cmd" / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    with pytest.raises(ToolError) as error:
        build_tools.path("hello")
    assert "hello could not be built from tools/hello: " in str(error.value)
    assert "undefined: nonsense" in str(error.value)
    assert str(cache / "hello.log") in str(error.value)
    assert not [*cache.glob("*hello-*")]


def test_one_build_that_fails_stops_the_others(hello: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (hello.module / "cmd" / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    slow = add("slow", tmp_path / "tools", monkeypatch, seconds=100)
    endless = threading.Event()
    real = build._run

    def held(command: list[str], tool: Tool, stop: threading.Event) -> None:
        if tool is slow:
            endless.set()
            assert stop.wait(60), "it was not stopped"
            raise build.Stopped("slow: its build was stopped.")
        assert endless.wait(60)
        real(command, tool, stop)

    monkeypatch.setattr(build, "_run", held)
    with pytest.raises(ToolError, match=r"^hello could not be built"):
        build_tools.ensure(["slow", "hello"])


@pytest.mark.usefixtures("hello")
def test_without_go_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolError, match=r"^hello 1\.0\.0 or newer is not on PATH, and there is no Go .*go\.dev"):
        build_tools.path("hello")


def test_an_unknown_tool_is_one_sentence_on_the_command_line() -> None:
    command = [sys.executable, "-m", "ops.build_tools", "nonesuch"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("there is no tool 'nonesuch'; known are actionlint, alertmanager, ")
    assert done.stderr.count("\n") == 1


# ── which engine is used ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Path]:  # noqa: ARG001 (as above)
    """A person's folder, with nothing of Pulumi's in it, and a PATH without a `pulumi`."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    yield tmp_path
    assert not (tmp_path / "pulumi-home").exists() or [*(tmp_path / "pulumi-home").rglob("resource-*")]


def test_a_pulumi_of_ones_own_is_used_and_nothing_is_put_before_its_plugins(home: Path) -> None:
    script(home / "bin", "pulumi", "v9.0.0")
    script(home / "bin", "pulumi-language-python", "")
    found = pulumi.find()
    assert found == pulumi.Engine(None, ())
    assert pulumi.missing() == []
    assert found.environment["PATH"].split(":")[1:] == os.environ["PATH"].split(":")


@pytest.mark.parametrize("version", ["v3.0.0", "no version"])
def test_one_that_is_too_old_is_not_used(home: Path, version: str) -> None:
    script(home / "bin", "pulumi", version)
    script(home / "bin", "pulumi-language-python", "")
    assert pulumi.find() is None
    assert set(pulumi.missing()) == {*build_tools.ENGINE}


def test_one_without_its_host_for_python_is_not_used(home: Path) -> None:
    script(home / "bin", "pulumi", "v9.0.0")
    assert set(pulumi.missing()) == {*build_tools.ENGINE}


def test_a_provider_that_a_person_has_is_not_built(home: Path) -> None:
    (home / "pulumi-home" / "plugins" / "resource-kubernetes-v4.34.2").mkdir(parents=True)
    assert set(pulumi.missing()) == {"pulumi", "pulumi-language-python"}


@pytest.mark.usefixtures("home")
def test_a_built_engine_stands_first_on_the_path_of_its_commands() -> None:
    for name in build_tools.ENGINE:
        program = build._folder(build_tools.get(name)) / "bin" / name
        program.parent.mkdir(parents=True)
        script(program.parent, name, "")
    found = pulumi.find()
    assert found is not None
    assert found.root == build._folder(build_tools.get("pulumi"))
    folders = found.environment["PATH"].split(":")
    assert [Path(folder).parent.name.rpartition("-")[0] for folder in folders[:3]] == [
        f"{name}-{build.version_of(build_tools.get(name))}" for name in build_tools.ENGINE
    ]
