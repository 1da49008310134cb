"""The servers of many versions: pinned by checksum, and given to a sandbox by two variables."""

from pathlib import Path

import pytest

from formats.versions import number
from ops.build_tools import ToolError
from ops.sandbox.parts import PORTS, parts, program
from ops.sandbox.sandbox_errors import SandboxError
from tests.compat import server_builds


def script(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def silent(_: str) -> None:
    pass


def test_every_version_is_pinned_with_a_checksum_and_built_in_a_folder_of_its_own() -> None:
    every = server_builds.servers()
    assert all(server.sum.startswith("h1:") and number(server.version) for server in every)
    assert len({server.folder for server in every}) == len(every)
    newest = max((server for server in every if server.name == "prometheus"), key=lambda one: number(one.version) or ())
    assert newest.version == server_builds.usual()["prometheus"], "the pinned one is the newest that is tried"


def test_a_module_with_another_checksum_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = script(tmp_path / "bin" / "go", '{"Sum": "h1:another=", "Dir": "/nowhere"}')
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = server_builds.servers()[0]
    with pytest.raises(ToolError) as refused:
        server_builds.path(server, silent)
    assert str(refused.value) == (
        f"{server.module}@{server.module_version} has the checksum h1:another= and not {server.sum}, which is "
        "pinned in tools/compat.yml: it is another one than was tried."
    )
    assert not server.folder.exists()


def test_without_go_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server = server_builds.servers()[0]
    with pytest.raises(ToolError) as refused:
        server_builds.path(server, silent)
    assert str(refused.value) == (
        f"{server.name} {server.version} is not built yet, and there is no Go toolchain to build it: install it (Go: "
        "https://go.dev/doc/install)"
    )


def test_a_server_of_ones_own_gets_no_flag_that_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = dict.fromkeys(PORTS, 1)
    monkeypatch.setenv("SANDBOX_ALERTMANAGER", str(script(tmp_path / "alertmanager", "alertmanager, version 0.25.0")))
    for version, known in (("2.45.6", False), ("3.8.1", False), ("3.9.0", True), ("3.16.0", True)):
        own = script(tmp_path / version / "prometheus", f"prometheus, version {version} (branch: x)")
        monkeypatch.setenv("SANDBOX_PROMETHEUS", str(own))
        command = parts(tmp_path, ports, silent)["prometheus"].command
        assert command[0] == str(own)
        assert ("--storage.tsdb.block-reload-interval=1s" in command) is known


@pytest.mark.parametrize("path", ["missing", "mute"])
def test_a_server_of_ones_own_that_does_not_run_is_one_sentence(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "mute", "hello")
    monkeypatch.setenv("SANDBOX_PROMETHEUS", str(tmp_path / path))
    with pytest.raises(SandboxError) as refused:
        program("prometheus", silent)
    assert str(refused.value) == (
        f"SANDBOX_PROMETHEUS is {tmp_path / path}, but no prometheus runs from there; name another program, or unset it"
    )
