"""The tracking document and the files of ours: what lies between markers is replaced, every other byte stays."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ops.errors import Conflict, Misconfigured, OpsError
from ops.repo import files, tracking
from ops.repo.files import Edit
from ops.repo.tracking import Change, Place

BEGIN, END = "<!-- begin baseline: by a verb -->", "<!-- end baseline -->"
CHANGE = Change(
    date="2026-11-23",
    alert="APIP95LatencyHigh",
    before="> 1000",
    after="> 1200",
    target="prod",
    window="2026-11-22 10:00 to 2026-11-23 10:00 UTC",
    fired="none",
    evidence="P95 990 ms",
    reason="it fired | at <noon>, `p` \\ *_*",
)

# Whatever people write: any characters but those that would make a marker or a code fence.
prose = st.text(alphabet=st.characters(exclude_characters="`~<", codec="utf-8"), max_size=60)
# Bytes that are no UTF-8 come through as lone surrogates.
foreign = st.text(alphabet=st.one_of(st.sampled_from("ab \t\r\n\x0b\u2028\udc80é|#-"), st.characters(categories=["L"])))
body = st.lists(st.text(alphabet=st.characters(exclude_characters="`~<\r\n", codec="utf-8"), max_size=20), max_size=6)


@given(above=foreign, below=foreign, lines=body, eol=st.sampled_from(["\n", "\r\n"]), old=prose)
def test_only_the_section_changes_and_twice_is_once(
    above: str, below: str, lines: list[str], eol: str, old: str
) -> None:
    head, tail = above + eol + BEGIN + eol, END + eol + below
    text = head + old.replace("\r", "") + eol + tail
    wanted = "\n".join(lines)
    once = tracking.with_section(text, "baseline", wanted, where="t.md")
    assert once.startswith(head)
    assert once.endswith(tail)
    assert tracking.section(once, "baseline", where="t.md") == wanted.strip("\n")
    assert tracking.with_section(once, "baseline", wanted, where="t.md") == once
    inner = once[len(head) : len(once) - len(tail)]
    assert all(line.endswith("\r") is (eol == "\r\n") for line in inner.split("\n")[:-1])


@given(
    cells=st.tuples(
        *[st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=20)] * 8
    ),
    eol=st.sampled_from(["\n", "\r\n"]),
)
def test_a_change_is_read_back_as_it_was_recorded(
    cells: tuple[str, str, str, str, str, str, str, str], eol: str
) -> None:
    text = eol.join(["# T", "<!-- begin limits -->", "kept", "<!-- end limits -->", ""])
    first, second = Change("2026-11-23", *cells), Change("2026-11-24", *cells)
    once = tracking.with_change(text, first, where="t.md")
    assert tracking.changes(once, where="t.md") == (first,)
    assert tracking.with_change(once, first, where="t.md") == once
    twice = tracking.with_change(once, second, where="t.md")
    assert tracking.changes(twice, where="t.md") == (second, first)
    assert "kept" in twice


targets = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(records=st.dictionaries(targets, body.map("\n".join).map(str.strip), min_size=1, max_size=4), again=st.data())
def test_each_target_has_its_own_record(
    records: dict[str, str], again: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(not any(line.startswith("### ") for one in records.values() for line in one.split("\n")))
    path = tmp_path_factory.mktemp("records") / "t.md"
    path.write_text(f"# T\n{BEGIN}\nNot recorded yet.\n{END}\nmine\n", "utf-8")
    name = again.draw(st.sampled_from(sorted(records)))
    for target, wanted in [*records.items(), (name, "measured again")]:
        files.write([tracking.record_edit(Place(path), target, wanted)])
    text = files.read(path)
    found = {target: tracking.record(text, target, where="t.md") for target in records}
    assert found == records | {name: "measured again"}
    assert tracking.record(text, "another", where="t.md") == ""
    assert "Not recorded yet" not in text
    assert text.startswith(f"# T\n{BEGIN}\n") and text.endswith(f"{END}\nmine\n")


def test_a_record_that_would_begin_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.md"
    path.write_text(f"{BEGIN}\n{END}\n", "utf-8")
    with pytest.raises(Misconfigured, match="the record of prod contains a line that begins with ###"):
        tracking.record_edit(Place(path), "prod", "a\n### staging\nb")


def test_a_table_with_other_columns_is_not_added_to() -> None:
    table = "| Date | Alert | From | To | Evidence | Reason |\n| --- | --- | --- | --- | --- | --- |"
    text = f"<!-- begin limits -->\n\n{table}\n\n<!-- end limits -->\n"
    with pytest.raises(Misconfigured, match="the columns Date, Alert, From, To, Evidence, Reason; make them Date, "):
        tracking.changes(text, where="t.md")


def test_the_sandbox_has_documents_of_its_own(tmp_path: Path) -> None:
    for usual in (tracking.DOCUMENT, tracking.LIMITS):
        assert tracking.place(None, usual, usual.parent) == Place(usual)
        assert tracking.place(tmp_path / "given", usual, tmp_path) == Place(tmp_path / "given")
        own = tracking.place(None, usual, tmp_path)
        assert own.path == tmp_path / usual.name
        before, text = own.read("")
        assert before is None and "sandbox" in text
        files.write([files.Edit(own.path, before, text + "\nmine")])
        assert own.read("") == (text + "\nmine", text + "\nmine")
    edit = tracking.record_edit(tracking.place(None, tracking.DOCUMENT, tmp_path / "new"), "sandbox", "x")
    assert (edit.before, tracking.record(edit.after, "sandbox", where="t")) == (None, "x")
    assert tracking.changes(tracking.with_change(edit.after, CHANGE, where="t"), where="t") == (CHANGE,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# nothing\n", "has no markers for baseline; add two lines"),
        (f"{BEGIN}\n", "needs one `end baseline` marker and has none"),
        (f"{END}\n", "needs one `begin baseline` marker and has none"),
        (f"{BEGIN}\n{BEGIN}\n{END}\n", "needs one `begin baseline` marker and has lines 1 and 2"),
        (f"{END}\n{BEGIN}\n", "t.md:1: the end marker of baseline is before its begin marker"),
        (f"{BEGIN}\n<!-- end limits -->\n{END}\n", "t.md:2: another marker is between"),
        (f"```\n{BEGIN}\n{END}\n```\n", "has no markers"),
        (f"- {BEGIN}\n- {END}\n", "has no markers"),
    ],
)
def test_markers_that_are_not_there_get_one_sentence(text: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(says)) as error:
        tracking.with_section(text, "baseline", "x", where="t.md")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", [END, BEGIN, "```", "<!-- begin limits -->"])
def test_a_body_that_would_hide_the_markers_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        tracking.with_section(f"{BEGIN}\n{END}\n", "baseline", text, where="t.md")


def test_markers_in_code_fences_are_text() -> None:
    text = f"```html\n{BEGIN}\n{END}\n```\n~~~\n```\n{BEGIN}\n~~~\n{BEGIN}\n{END}\n"
    assert (
        tracking.with_section(text, "baseline", "x", where="t.md") == text.removesuffix(f"{END}\n") + f"\nx\n\n{END}\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# L\n\nText.\n", "# L\n\nText.\n\nENTRY\n"),
        ("# L\n\nText.\n\n", "# L\n\nText.\n\nENTRY\n"),
        ("# L", "# L\n\nENTRY\n"),
        ("", "ENTRY\n"),
        ("# L\n\n- `Other`: `> 1` → `> 2`\n", "# L\n\nENTRY\n- `Other`: `> 1` → `> 2`\n"),
        ("- people's own\n\n- `Other`: `> 1`\n\nend", "- people's own\n\nENTRY\n- `Other`: `> 1`\n\nend"),
        ("- people's own\n", "- people's own\n\nENTRY\n"),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_a_changed_limit_is_listed_once_above_the_earlier_ones(before: str, after: str, eol: str) -> None:
    written = tracking.with_entry(before.replace("\n", eol), CHANGE)
    entry = next(line for line in written.splitlines() if "APIP95LatencyHigh" in line)
    # A text without a line end says nothing about which to use.
    assert written == after.replace("ENTRY", entry).replace("\n", eol if "\n" in before else "\n")
    assert entry.startswith("- `APIP95LatencyHigh`: `> 1000` → `> 1200` (2026-11-23). it fired | at \\<noon>")
    assert tracking.with_entry(written, CHANGE) == written


@given(lines=st.lists(foreign), eol=st.sampled_from(["\n", "\r\n"]))
def test_whatever_the_list_holds_one_line_is_added_and_every_other_byte_stays(lines: list[str], eol: str) -> None:
    text = eol.join(lines)
    written = tracking.with_entry(text, CHANGE)
    at = written.index("- `APIP95LatencyHigh`")
    assert written[:at].startswith(text) and not written[:at].removeprefix(text).strip()
    again = tracking.with_entry(written, replace(CHANGE, date="2026-11-24"))
    assert again.index("(2026-11-24)") < again.index("(2026-11-23)")
    assert tracking.with_entry(again, CHANGE) == again


def test_the_projects_own_document_can_be_written() -> None:
    assert tracking.record_edit(Place(tracking.DOCUMENT), "prod", "x").changes
    limits = files.read(tracking.LIMITS)
    entry = "\n- `APIP95LatencyHigh`: `> 1000` → "
    assert tracking.with_entry(limits, CHANGE).count(entry) == limits.count(entry) + 1
    text = files.read(tracking.DOCUMENT)
    assert tracking.with_change(text, CHANGE, where="t").count("\n") == text.count("\n") + 1


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_files_are_written_with_their_modes_kept(tmp_path: Path) -> None:
    one, two, link = tmp_path / "one", tmp_path / "two", tmp_path / "link"
    one.write_bytes(b"a\r\n\xff")
    one.chmod(0o640)
    link.symlink_to(one)
    files.write([Edit(link, files.read(link), files.read(link) + "b"), Edit(two, None, "new")])
    assert (one.read_bytes(), two.read_text(), link.is_symlink()) == (b"a\r\n\xffb", "new", True)
    assert one.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "one", "two"]


@pytest.mark.parametrize("trouble", ["read-only", "changed", "folder", "missing folder", "vanished"])
def test_nothing_is_half_written(tmp_path: Path, trouble: str) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    edits = [Edit(one, "1", "1+"), Edit(two, "2", "2+")]
    if trouble == "read-only":
        two.chmod(0o444)
    elif trouble == "changed":
        two.write_text("somebody else's")
    elif trouble == "folder":
        edits[1] = Edit(tmp_path, None, "x")
    elif trouble == "missing folder":
        edits[1] = Edit(tmp_path / "no" / "file", None, "x")
    else:
        two.unlink()
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    with pytest.raises(OpsError) as error:
        files.write(edits)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, Conflict) is (trouble in ("changed", "vanished"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_a_failure_midway_takes_back_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target == two:
            raise OSError(28, "No space left on device", os.fspath(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Misconfigured, match="No space left on device"):
        files.write([Edit(one, "1", "1+"), Edit(two, None, "2")])
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("one", "1")]
