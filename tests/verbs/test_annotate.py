"""`annotate`, on the stand-in of Grafana: the deployment's mark, and what is said where there can be none."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import dashboards
from ops import cli, targets
from ops.clients import grafana as client
from ops.repo import worktree
from tests.support import grafana_stand_in
from tests.support.grafana_stand_in import TOKEN, Grafana


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada <Byron>", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A clone whose last commit has an author and a first line with characters of HTML."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "Fire at <b>5 %</b> & more\n\nNot the first line.")
    monkeypatch.setattr(worktree, "ROOT", tmp_path)
    return git(tmp_path, "rev-parse", "HEAD")


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grafana]:
    with grafana_stand_in.running() as running:
        running.save({"uid": dashboards.UID, "title": "API"})
        reached = SimpleNamespace(grafana=client.at(running.url, TOKEN))
        monkeypatch.setattr(targets, "load", lambda _: reached)
        yield running


def test_the_mark_has_the_commit_its_author_and_its_first_line(
    grafana: Grafana, commit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = time.time()
    assert cli.run(["annotate"]) == 0
    (mark,) = grafana.annotations
    assert mark["dashboardUID"] == dashboards.UID
    assert before - 0.001 <= mark["time"] / 1000 <= time.time()  # milliseconds, cut off
    assert mark["tags"] == ["deployment", "api-monitoring", commit[:10]]
    assert mark["text"] == f"{commit[:10]} by Ada Byron: Fire at &lt;b&gt;5 %&lt;/b&gt; &amp; more"
    said = capsys.readouterr().out
    assert said == f"marked in {grafana.url}: {commit[:10]} by Ada Byron: Fire at <b>5 %</b> & more\n"
    assert grafana.unknown == []


def test_for_programs_and_as_a_dry_run(grafana: Grafana, commit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["annotate", "HEAD", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["commit"], answer["author"], answer["annotation"]) == (commit, "Ada Byron", 1)
    assert cli.run(["annotate", "--dry-run", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["annotation"] is None
    assert len(grafana.annotations) == 1


def test_what_cannot_be_marked_is_one_sentence(
    grafana: Grafana, commit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["annotate", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("there is no commit nonsense in this clone; ")
    grafana.fail("POST /api/annotations", 403, "You'll need additional permissions", times=1)
    assert cli.run(["annotate", commit]) == 2
    assert "You'll need additional permissions" in capsys.readouterr().err
    grafana.boards.clear()
    assert cli.run(["annotate", commit]) == 2
    assert f"has no dashboard {dashboards.UID} to mark; deploy it with pulumi up" in capsys.readouterr().err
    monkeypatch.setattr(targets, "load", lambda _: SimpleNamespace(grafana=None))
    assert cli.run(["annotate", commit]) == 2
    assert capsys.readouterr().err.startswith("prod has no Grafana, ")
    assert grafana.annotations == []


def test_an_answer_that_is_none_of_grafanas(grafana: Grafana, commit: str, capsys: pytest.CaptureFixture[str]) -> None:
    grafana.fail("POST /api/annotations", 200, "OK", times=1)
    assert cli.run(["annotate", commit]) == 2
    assert "answered /api/annotations without a number; is the address that of a Grafana?" in capsys.readouterr().err
