"""`replace: true`: the whole text is ours, and the one before it comes back."""

import pytest

from components.live.text.edit_errors import EditRefused
from components.live.text.editors import editor
from components.live.text.marked_lists import LastEdit

EDITOR = editor("replace")
WRITTEN = LastEdit(before="theirs: 1\n", after="ours: 1\n")


def test_replaced_and_given_back() -> None:
    assert EDITOR.insert("theirs: 1\n", "ours: 1\n") == "ours: 1\n"
    assert EDITOR.insert("ours: 1\n", "ours: 2\n", WRITTEN) == "ours: 2\n"
    assert EDITOR.has("ours: 1\n", "ours: 1\n") and not EDITOR.has("ours: 1", "ours: 1\n")
    assert EDITOR.remove("ours: 1\n", WRITTEN) == "theirs: 1\n"
    assert EDITOR.remove("theirs: 1\n", WRITTEN) == "theirs: 1\n"  # somebody brought it back already
    assert "replaced as a whole" in EDITOR.warnings("theirs: 1\n", "ours: 1\n")[0]
    assert EDITOR.warnings("ours: 1\n", "ours: 1\n") == []


def test_a_change_of_somebody_else_is_named_and_not_overwritten() -> None:
    with pytest.raises(EditRefused, match="somebody has changed it since we wrote it") as refusal:
        EDITOR.insert("ours: 9\n", "ours: 2\n", WRITTEN)
    assert refusal.value.snippet == "-ours: 1\n+ours: 9"
    with pytest.raises(EditRefused, match="somebody has changed it since we wrote it") as refusal:
        EDITOR.remove("ours: 9\n", WRITTEN)
    assert refusal.value.snippet == "-ours: 1\n+ours: 9"


def test_a_change_taken_over_is_none() -> None:
    assert EDITOR.insert("ours: 9\n", "ours: 9\n", WRITTEN) == "ours: 9\n"


def test_the_difference_is_short_and_shows_no_secret() -> None:
    live = "".join(f"line: {number}\n" for number in range(50)) + "smtp_auth_password: hunter2\n"
    with pytest.raises(EditRefused) as refusal:
        EDITOR.remove(live, WRITTEN)
    assert len(refusal.value.snippet.splitlines()) == 21 and "more lines" in refusal.value.snippet
    with pytest.raises(EditRefused) as refusal:
        EDITOR.remove("".join(f"line: {number}\n" for number in range(20)), WRITTEN)
    assert refusal.value.snippet.endswith("\n… and 1 more line")
    with pytest.raises(EditRefused) as refusal:
        EDITOR.remove("ours: 1\n  smtp_auth_password: hunter2\nx: {api_url: 'https://a/b', n: 1}\n", WRITTEN)
    assert "hunter2" not in str(refusal.value) and "https" not in str(refusal.value)
    with pytest.raises(EditRefused) as refusal:
        EDITOR.remove("ours: 1\r\n", WRITTEN)
    assert refusal.value.snippet == "(only the line endings differ)"


def test_no_such_editor() -> None:
    with pytest.raises(EditRefused, match="there is no editor 'x': choose one of rule-files, routing, replace"):
        editor("x")
