"""YAML with lines: types as Go gives them, places, and refusals in one sentence."""

import pickle
from pathlib import Path

import pytest

import dashboards
import metrics
import routing
import rules
from formats.places import FormatError, Place, read_text, shown
from formats.yaml_nodes import Node, read


class OwnError(FormatError):
    """One of a package."""


def node(text: str, *, plain: bool = False) -> Node:
    found = read(text, "x.yml", OwnError, plain=plain)
    assert found is not None
    return found


def refused(text: str, *, plain: bool = False) -> str:
    with pytest.raises(OwnError) as caught:
        node(text, plain=plain)
    return str(caught.value)


@pytest.mark.parametrize("written", ["17:00", "2026-11-25", "0x1F", "1_000", "1e3", "=", "a"])
def test_what_go_takes_for_a_text_is_one(written: str) -> None:
    assert node(f"a: {written}\n").fields()["a"].text() == written


@pytest.mark.parametrize("written", ["5", "-1.5", "true", "~", "''", "no"])
def test_what_was_hardly_meant_for_a_text_is_refused(written: str) -> None:
    with pytest.raises(
        OwnError, match=r"^x\.yml:2: `b` of `a` of the file (is empty|must be a text: put .* in quotes)"
    ):
        node(f"a:\n  b: {written}\n").fields()["a"].fields()["b"].text()


def test_nothing_is_an_empty_mapping_and_an_empty_list() -> None:
    nothing = node("a:\n").fields()["a"]
    assert (nothing.fields(), list(nothing.items()), nothing.scalar()) == ({}, [], "")
    with pytest.raises(OwnError, match=r"x\.yml:1: `a` of the file is an empty list: add to it, or remove it$"):
        list(nothing.items(needed=True))
    assert read("# only a comment\n", "x.yml", OwnError) is None


def test_a_line_of_a_block_is_found() -> None:
    fields = node("a: |\n  one\n  two\nb: 'one\n\n  two'\n").fields()
    assert (fields["a"].line, fields["a"].line_of(1), str(fields["a"].error("is wrong", 1))) == (
        1,
        3,
        "x.yml:3: is wrong",
    )
    assert fields["b"].line_of(1) == 4  # where it begins, as its lines are folded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yml:3: `a` stands here a second time (first in line 1): keep one"),
        ("a: [1\n", "x.yml:2: is not YAML: expected ',' or ']', but got"),
        ("a: \x07\n", "x.yml:1: is not YAML: the character"),
        ("a: 1\n--- 2\n", "x.yml:2: is not YAML: but found another document"),
        ("[" * 90_000 + "]" * 90_000, "x.yml:1: the nesting is deeper than 500"),
        ("- " * 90_000 + "a", "x.yml:1: the nesting is deeper than 500"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, said: str) -> None:
    assert refused(text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &b 1\n", "x.yml:1: there is an anchor"),
        ("a: !!str 1\n", "x.yml:1: there is an explicit type"),
        ("a:\n\t b\n", "x.yml:2: there is a tab"),
        ("a: 1\n---\nb: 1\n", "x.yml:2: a second document"),
        ("a: \u2028\n", "x.yml:1: there is an invisible character (U+2028)"),
        ("[" * 25 + "]" * 25, "x.yml:1: the nesting is deeper than 20"),
    ],
)
def test_what_two_readers_may_understand_differently_is_refused_in_plain_files(text: str, said: str) -> None:
    assert refused(text, plain=True).startswith(said)


def test_unknown_keys_are_named_with_what_was_meant() -> None:
    with pytest.raises(OwnError, match=r"x\.yml:2: the file has the unknown key `grops`: did you mean groups"):
        node("a: 1\ngrops: 2\n").fields(("a", "groups"))
    with pytest.raises(OwnError, match=r"unknown key `zz`; known are a, groups$"):
        node("zz: 2\n").fields(("a", "groups"))


@pytest.mark.parametrize(
    "error", [rules.RulesError, routing.RoutingError, metrics.ContractError, dashboards.DashboardError]
)
def test_every_package_refuses_in_the_same_way(error: type[FormatError]) -> None:
    refusal = error("is\n  wrong", Place("x.yml", 3))
    assert isinstance(refusal, FormatError)
    assert str(refusal) == "x.yml:3: is wrong"
    assert str(pickle.loads(pickle.dumps(refusal))) == str(refusal)
    assert str(error("did you mean this?")) == "did you mean this?"


def test_a_file_is_named_as_a_person_would_type_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a" / "x.yml"
    assert shown(file) == str(file)
    monkeypatch.chdir(tmp_path)
    assert shown(file) == "a/x.yml"
    with pytest.raises(OwnError, match=r"^a/x\.yml:1: cannot be read \(No such file or directory\)"):
        read_text(file, OwnError)
    file.parent.mkdir()
    file.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(OwnError, match=r"^a/x\.yml:2: is not UTF-8"):
        read_text(file, OwnError)
