"""Tools: from PATH when new enough, else built once from a pinned module, by one builder at a time."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ops.sandbox import tools
from ops.sandbox.tools import Tool, ToolError

ROOT = Path(__file__).resolve().parent.parent
MAIN = (
    'package main\n\nimport "fmt"\n\nvar version string\n\nfunc main() { fmt.Println("hello, version " + version) }\n'
)


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A tool that is built in a second: a real module with a real `go build`."""
    tool = Tool("hello", "hello", "example.org/hello/cmd", (1, 0, 0), "a second", version_variable="main.version")
    folder = tmp_path / "tools" / "hello"
    (folder / "cmd").mkdir(parents=True)
    (folder / "cmd" / "main.go").write_text(MAIN)
    (folder / "go.mod").write_text("module example.org/hello\n\ngo 1.21\n")
    (folder / "go.sum").write_text("")
    monkeypatch.setattr(tools, "MODULES", tmp_path / "tools")
    monkeypatch.setattr(tools, "BUILT", tmp_path / ".tools")
    monkeypatch.setitem(tools.TOOLS, "hello", tool)
    monkeypatch.setattr(tools, "pinned", lambda tool: (1, 2, 3))
    return tool


def script(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


def test_every_tool_is_pinned_and_no_older_than_it_must_be() -> None:
    for tool in tools.TOOLS.values():
        assert tools.pinned(tool) >= tool.minimum, tool.name
        # a lone one is written so by `go mod tidy`
        named = re.compile(rf"^(\t|tool ){re.escape(tool.package)}$", re.MULTILINE)
        assert named.search((tool.module / "go.mod").read_text()) or tool.folder == "kubernetes"
        assert (tool.module / "go.sum").is_file()
    assert tools.dotted(tools.pinned(tools.TOOLS["prometheus"])) == "3.11.3"
    assert tools.dotted(tools.pinned(tools.TOOLS["alertmanager"])) == "0.31.1"


@pytest.mark.parametrize("name", tools.DEFAULT)
def test_each_tool_runs_and_says_its_version(name: str) -> None:
    program = tools.path(name)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = tools._version_of(str(program), program.stat().st_mtime)
    assert version is not None, done.stdout + done.stderr
    assert version >= tools.TOOLS[name].minimum


def test_path_wins_when_new_enough(hello: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = script(tmp_path / "bin", "hello", "hello, version 1.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert tools.path("hello") == program


def test_built_once_then_again_only_when_the_pin_changes(
    hello: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "bin", "hello", "hello, version 0.9.9")  # too old
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert not tools.available("hello")
    said: list[str] = []
    program = tools.path("hello", said.append)
    assert program == tmp_path / ".tools" / "bin" / "hello"
    assert said[0] == "hello: building 1.2.3 from source with Go, about a second the first time"
    assert said[-1].startswith("hello: built in ")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "hello, version 1.2.3\n"
    assert tools.available("hello")

    said.clear()
    assert tools.path("hello", said.append) == program
    assert said == []
    (hello.module / "go.sum").write_text("\n")
    assert not tools.available("hello")
    assert tools.path("hello", said.append) == program
    assert said


def test_two_who_want_the_same_tool_build_it_once(hello: Tool) -> None:
    said: list[str] = []
    wanting = [threading.Thread(target=tools.path, args=("hello", said.append)) for _ in range(3)]
    for one in wanting:
        one.start()
    for one in wanting:
        one.join()
    assert sum("hello: building" in line for line in said) == 1  # and "still building", as long as it takes
    assert tools.available("hello")


def test_a_build_that_fails_says_why_and_leaves_nothing(hello: Tool, tmp_path: Path) -> None:
    (hello.module / "cmd" / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    with pytest.raises(ToolError) as error:
        tools.path("hello")
    assert "hello could not be built from tools/hello: " in str(error.value)
    assert "undefined: nonsense" in str(error.value)
    assert str(tmp_path / ".tools" / "hello.build.log") in str(error.value)
    assert not (tmp_path / ".tools" / "bin" / "hello").exists()


def test_without_go_one_sentence_says_what_to_install(hello: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolError, match=r"^hello 1\.0\.0 or newer is not on PATH, and there is no Go .*go\.dev"):
        tools.path("hello")


def test_an_unknown_tool_is_one_sentence_on_the_command_line() -> None:
    command = [sys.executable, "-m", "ops.sandbox.tools", "nonesuch"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("there is no tool 'nonesuch'; known are alertmanager, ")
    assert done.stderr.count("\n") == 1
