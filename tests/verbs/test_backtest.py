"""`bin/ops backtest`, from the command line to what it prints, over a past that is known by the number."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rules
from ops import cli
from ops.errors import Misconfigured
from ops.repo import revision
from tests.support import past
from tests.support.our_routes import receiver_of

END = int(time.time()) // 60 * 60 - 120
SLOW = "APIP95LatencyHigh"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("past")
    with past.prometheus(folder, hours=9, end=END) as url:
        past.target(folder / "home", url)
        yield folder / "home"


@pytest.fixture
def target(home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """That past, and the rules with the limits that it was made for."""
    known, alerts = tmp_path_factory.mktemp("rules"), rules.alerts
    past.write_rules(known)
    monkeypatch.setattr(rules, "alerts", lambda folder=known, **form: alerts(folder, **form))
    monkeypatch.setenv("SANDBOX_HOME", str(home))
    monkeypatch.setenv("OPS_TARGET", "sandbox")


def backtest(*arguments: str) -> int:
    return cli.run(["backtest", *arguments])


@pytest.mark.usefixtures("target")
def test_says_what_fired(capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest("--window", "432m", "--end", str(END)) == 0
    told = capsys.readouterr().out
    assert f"{SLOW}\n" in told and "after 10 min pending, still" in told
    assert "1 mail in all" in told or "mails in all" in told
    assert "DatabaseQueryLatencyCritical" in told  # quiet ones have their row too
    assert "APIPerformanceWatchdog" not in told


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("columns", [60, 80, 104, 120, 149, 150])
def test_breaks_no_name_and_no_number_where_there_is_little_room(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    assert backtest("--window", "432m", "--end", str(END)) == 0
    told = capsys.readouterr().out
    assert "…" not in told and "\x1b" not in told
    words = {word.strip(":,") for word in told.split()}
    assert {alert.name for alert in rules.alerts().values() if alert.is_house} <= words
    facts = told.partition("\n\n")[2].partition(" in all\n")[0]  # after the notes, which a terminal folds between words
    assert max(map(len, facts.splitlines())) <= columns


@pytest.mark.usefixtures("target")
def test_answers_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest(SLOW, "--window", "432m", "--end", str(END), "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    (alert,) = answer["alerts"]
    assert (alert["alert"], alert["times_fired"], alert["mails"]) == (SLOW, 1, 1)
    assert [one["state"] for one in alert["intervals"]] == ["pending", "firing"]
    assert alert["intervals"][0]["seconds"] == alert["for_seconds"] == 600
    assert alert["intervals"][1]["open"]
    (mail,) = answer["messages"]
    assert (mail["receiver"], mail["kind"], mail["why"]) == (receiver_of(SLOW), "email", "firing")
    assert answer["against"] is None


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_draws_a_timeline(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"timeline.{kind}"
    assert backtest("--window", "1d", "--end", str(END), "--picture", str(file)) == 0
    image = file.read_bytes()
    assert image.startswith(b"\x89PNG") if kind == "png" else SLOW.encode() in image
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


@pytest.mark.usefixtures("target")
def test_compares_two_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository whose last commit has a stricter limit than the rules that stand there now."""
    folder = repository(tmp_path)
    file = folder / "api-performance-alerts.yml"
    monkeypatch.setattr(rules, "FOLDER", folder)
    file.write_text(rules.with_limit(file.read_text(), rules.alerts()[SLOW], 300))
    git(tmp_path, "commit", "-qam", "strict")
    git(tmp_path, "checkout", "-q", "HEAD~1", "--", ".")
    assert backtest("--window", "432m", "--end", str(END), "--against", "HEAD") == 0
    told = capsys.readouterr().out
    assert "HEAD → working tree:" in told and "> 300 → > 1000" in told
    others = [alert for alert in rules.alerts().values() if alert.is_house and alert.name != SLOW]
    assert f"{len(others)} alerts do the same" in told
    assert backtest("--window", "432m", "--end", str(END), "--against", "HEAD", "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    before, after = (
        next(one for one in version["alerts"] if one["alert"] == SLOW) for version in (answer["against"], answer)
    )
    assert (before["limit"], after["limit"]) == ("> 300", "> 1000")
    assert before["seconds_firing"] > after["seconds_firing"] > 0


def test_reads_the_rules_of_a_revision(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    (folder / "api-performance-alerts.yml").write_text("broken")
    with revision.folder("HEAD", folder) as found:
        assert set(rules.alerts(found)) == set(rules.alerts())
    assert not found.exists()
    with pytest.raises(Misconfigured, match="no revision 'nowhere'"), revision.folder("nowhere", folder):
        pass
    with pytest.raises(Misconfigured, match="no revision '--all'"), revision.folder("--all", folder):
        pass


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["APIP95"], "did you mean APIP95LatencyHigh or APIP95LatencyCritical?"),
        (["Nothing"], "there is no alert 'Nothing' in rules/"),
        (["--window", "0h"], "--window 0h is not between 0 and 10 years; give a span such as 24h or 7d"),
        (["--window", "7"], "--window '7' is no duration up to 10 years; write it as 90m, 24h or 7d"),
        (
            ["--end", "yesterday"],
            "--end 'yesterday' cannot be read as a moment; write it as 2026-01-31T12:00Z",
        ),
        (["--end", "2999-01-01"], "--end 2999-01-01 lies in the future"),
        (["--window", "1d", "--end", "2020-01-02"], "has no data between 2020-01-01 00:00 and 2020-01-02 00:00"),
        (["--picture", "x.gif"], "neither a .png nor a .svg"),
        (["--picture", "nowhere/x.png"], "there is no folder nowhere"),
        (["--against", "no-such-revision"], "there is no revision 'no-such-revision'"),
        (["--target", "elsewhere"], "there is no target 'elsewhere'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backtest(*arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err.splitlines()[-1]
    assert not said.out


def test_a_prometheus_that_is_not_there_is_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    past.target(tmp_path, "http://127.0.0.1:9")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    assert backtest("--target", "sandbox") == 2
    assert "cannot be reached" in capsys.readouterr().err


def repository(root: Path) -> Path:
    """A git repository with our rules in it; returns its folder rules/."""
    folder = root / "rules"
    folder.mkdir()
    past.write_rules(folder)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return folder


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@t.invalid")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True)
