"""The name of a report says what is written: a page or Markdown, and nothing under the name of another kind."""

from pathlib import Path

import pytest

from ops import cli
from tests.support import past


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target whose Prometheus does not answer: a name that is taken ends there, and one that is not before."""
    past.target(tmp_path / "home", "http://127.0.0.1:9")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--format", "json"]])
@pytest.mark.parametrize("name", ["x.pdf", "x.html.gz", "x", ".html", "x.json"])
@pytest.mark.usefixtures("nobody")
def test_another_kind_is_refused(
    name: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["report", "--target", "sandbox", "--out", str(tmp_path / name), *more]) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"{name} is no page and no Markdown; name a file in .html or .md with --out\n")
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["x.html", "x.HTML", "x.htm", "x.md", "x.markdown"])
@pytest.mark.usefixtures("nobody")
def test_each_spelling_of_the_two_kinds_is_taken(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "--target", "sandbox", "--out", str(tmp_path / name), "--dry-run"]) == 2
    assert "Prometheus at http://127.0.0.1:9 cannot be reached" in capsys.readouterr().err
