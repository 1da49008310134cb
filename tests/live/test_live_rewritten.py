"""A text that a tool wrote anew: ours is found by what it says, so it goes, and nothing of theirs with it."""

import json
import re
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import assume, given, settings

from components.live.text.edit_errors import EditRefused
from components.live.text.editors import Editor, editor
from components.live.text.marked_lists import LastEdit
from formats.json_types import JsonValue
from tests.live.shapes import ALERTMANAGER
from tests.live.test_live_any_layout import GLOB, ROUTING, alertmanager, lists, prometheus, without_lists

MARK = re.compile(r"(?m)^[ \t]*# (?:>>>|<<<) api-performance/.*\n")


def written_by_pyyaml(text: str, *, sort_keys: bool, flow: bool | None, indent: int) -> str:
    data = yaml.safe_load(text)
    return yaml.safe_dump(data, sort_keys=sort_keys, default_flow_style=flow, indent=indent, allow_unicode=True)


def with_anchors(text: str) -> str:
    """As a program writes it that uses the same list or mapping twice."""
    known: dict[str, JsonValue] = {}

    def shared(value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            value = {key: shared(inner) for key, inner in value.items()}
        elif isinstance(value, list):
            value = [shared(inner) for inner in value]
        return known.setdefault(json.dumps(value), value) if isinstance(value, (dict, list)) and value else value

    return yaml.safe_dump(shared(yaml.safe_load(text)), sort_keys=False)


def without_comments(text: str) -> str:
    return re.sub(r"(?m)^[ \t]*#.*\n", "", text)


def with_tabs_in_comments(text: str) -> str:
    return re.sub(r"(?m)^[ ]*# (note|- |why|<<<)", "\t# \\1", text) if "\n" in text else text


def with_carriage_returns(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


@st.composite
def rewriting(draw: st.DrawFn) -> Callable[[str], str]:
    """One of the ways in which tools write a text anew."""
    sort_keys, flow, indent = draw(st.booleans()), draw(st.sampled_from([None, False, True])), draw(st.integers(2, 6))
    ways: list[Callable[[str], str]] = [
        lambda text: written_by_pyyaml(text, sort_keys=sort_keys, flow=flow, indent=indent),
        with_anchors,
        without_comments,
        with_carriage_returns,
        with_tabs_in_comments,
        lambda text: with_carriage_returns(written_by_pyyaml(text, sort_keys=sort_keys, flow=False, indent=indent)),
    ]
    return draw(st.sampled_from(ways))


@st.composite
def marks_moved(draw: st.DrawFn, text: str) -> str:
    """Each mark at any other line, or lost, as `yq` does with comments."""
    rest = MARK.sub("", text).splitlines(keepends=True)
    for mark in MARK.findall(text):
        if "<<<" not in mark or draw(st.booleans()):
            rest.insert(draw(st.integers(0, len(rest))), mark)
    return "".join(rest)


def alike(one: str, other: str) -> bool:
    one, other = one.replace("\t", " "), other.replace("\t", " ")  # Go takes tabs where PyYAML does not
    return lists(one) == lists(other) and without_lists(one) == without_lists(other)


def says_the_same(anew: str, new: str) -> bool:
    """Whether the tool has changed the layout only: a comment within a block of text is no comment."""
    try:
        return alike(anew, new)
    except yaml.YAMLError:
        return False


def taken_out(edit: Editor, text: str, anew: str, new: str, ours: str) -> None:
    assume(says_the_same(anew, new))
    assert edit.has(anew, ours), "it runs as it should, so there is nothing to mend"
    for bare in (edit.remove(anew, LastEdit(text, new)), *([edit.remove(anew)] if "# >>>" in anew else [])):
        assert alike(bare, text), f"{anew}\n---\n{bare}"
        assert "# >>>" not in bare and "# <<<" not in bare
    assert edit.left(anew, ours, LastEdit(text, new)) == []


@pytest.mark.parametrize(
    ("kind", "texts", "ours"), [("rule-files", prometheus(), GLOB), ("routing", alertmanager(), ROUTING)]
)
def test_whatever_a_tool_does_to_the_layout_ours_goes_and_theirs_stays(
    kind: str, texts: st.SearchStrategy[str], ours: str
) -> None:
    edit = editor(kind)

    @settings(max_examples=80, deadline=None)
    @given(texts, rewriting())
    def check(text: str, rewrite: Callable[[str], str]) -> None:
        text += "" if text.endswith("\n") else "\n"
        new = edit.insert(text, ours)
        taken_out(edit, text, rewrite(new), new, ours)

    check()


@pytest.mark.parametrize(
    ("kind", "texts", "ours"), [("rule-files", prometheus(), GLOB), ("routing", alertmanager(), ROUTING)]
)
def test_wherever_a_tool_puts_our_marks_ours_goes_and_theirs_stays(
    kind: str, texts: st.SearchStrategy[str], ours: str
) -> None:
    edit = editor(kind)

    @settings(max_examples=80, deadline=None)
    @given(st.data(), texts)
    def check(data: st.DataObject, text: str) -> None:
        text += "" if text.endswith("\n") else "\n"
        new = edit.insert(text, ours)
        anew = data.draw(marks_moved(new))
        taken_out(edit, text, anew, new, ours)

    check()


# What `yq -i` (4.44) does to comments, item by item: ours is a list of one receiver, one route and so on.

EDITOR = editor("routing")
EVERYTHING = ALERTMANAGER["everything there"]


def closing_marks_at_the_dash_of_their_first_item(text: str) -> str:
    return re.sub(r"(?m)^( *)(# <<< \S+)\n((?: *#.*\n)*)( *)- ", r"\4-\n\1\2\n\3\4  ", text)


def closing_marks_within_their_first_item(text: str) -> str:
    return re.sub(r"(?m)^( *# <<< \S+\n)((?: *#.*\n)*)( *- .*\n)", r"\2\3\1", text)


def closing_marks_lost(text: str) -> str:
    return re.sub(r"(?m)^ *# <<< .*\n", "", text)


def opening_marks_lost(text: str) -> str:
    return re.sub(r"(?m)^ *# >>> .*\n", "", text)


def closing_marks_at_the_end(text: str) -> str:
    """As with `sort_keys(..)`, where a mark goes with the key that it stood before."""
    return closing_marks_lost(text) + "".join(re.findall(r"(?m)^ *# <<< .*\n", text))


MOVES = [
    closing_marks_at_the_dash_of_their_first_item,
    closing_marks_within_their_first_item,
    closing_marks_lost,
    closing_marks_at_the_end,
    opening_marks_lost,
]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("text", [EVERYTHING, ALERTMANAGER["minimal"]], ids=["everything", "minimal"])
def test_a_mark_that_yq_moved_stops_neither_an_update_nor_a_destroy(text: str, move: Callable[[str], str]) -> None:
    new = EDITOR.insert(text, ROUTING)
    anew = move(new)
    assert anew != new
    changed = ROUTING.replace("monday:friday", "saturday")
    other, bare = EDITOR.insert(anew, changed, LastEdit(text, new)), EDITOR.remove(anew, LastEdit(text, new))
    assert alike(other, EDITOR.insert(text, changed)) and EDITOR.has(other, changed)
    assert alike(bare, text) and alike(EDITOR.remove(other), text)
    theirs = {line.strip() for line in text.splitlines() if "#" in line}
    assert theirs <= {line.strip() for line in bare.splitlines()}
    assert theirs <= {line.strip() for line in other.splitlines()}
    if move is not opening_marks_lost:
        assert EDITOR.has(anew, ROUTING), "nothing of ours is missing: a preview shows no change"
        assert EDITOR.remove(anew) == bare, "the text alone suffices"


def test_a_preview_says_what_is_damaged_where_neither_the_mark_nor_the_state_tells_what_is_ours() -> None:
    with pytest.raises(EditRefused, match=r"^alertmanager\.yml:\d+: the marks around the lines of api-perf"):
        EDITOR.remove(opening_marks_lost(EDITOR.insert(EVERYTHING, ROUTING)))


THEIR_ROUTE = "receiver: default\n      match:\n        x: y\n"


@pytest.mark.parametrize("last_edit", [True, False], ids=["with the state", "by the text alone"])
@pytest.mark.parametrize(
    ("at", "added"),
    [
        ("  # <<< api-performance/route.routes\n", f"    - {THEIR_ROUTE}\\g<0>"),
        ("    - receiver: ours\n", f"    - {THEIR_ROUTE}\\g<0>"),
        ("    - receiver: ours\n", f"    # the pager\n    - {THEIR_ROUTE}\\g<0>"),
    ],
    ids=["behind ours", "before ours", "with a comment"],
)
def test_a_route_that_yq_added_to_a_list_that_we_made_stays(at: str, added: str, last_edit: bool) -> None:
    """`yq '.route.routes += [{…}]'` puts it between our marks."""
    text = ALERTMANAGER["minimal"]
    new = EDITOR.insert(text, ROUTING)
    anew = re.sub(re.escape(at), added, new)
    assert lists(anew)["routes"] != lists(new)["routes"] and EDITOR.has(anew, ROUTING)
    bare = EDITOR.remove(anew, LastEdit(text, new) if last_edit else None)
    assert lists(bare) == {**lists(text), "routes": [{"receiver": "default", "match": {"x": "y"}}]}
    assert ("# the pager" in anew) == ("# the pager" in bare)
    changed = ROUTING.replace('component=\\"api\\"', 'component=\\"db\\"')
    assert changed != ROUTING
    other = EDITOR.insert(anew, changed, LastEdit(text, new) if last_edit else None)
    assert EDITOR.remove(other) == bare


def test_routes_that_yq_put_in_place_of_ours_stay() -> None:
    """`yq '.route.routes = [{…}]'`: between our marks stands nothing of ours any more."""
    text = ALERTMANAGER["minimal"]
    new = EDITOR.insert(text, ROUTING)
    ours = new[new.index("    - receiver: ours\n") : new.index("  # <<< api-performance/route.routes")]
    anew = new.replace(ours, f"    - {THEIR_ROUTE}")
    assert not EDITOR.has(anew, ROUTING)
    for last_edit in (LastEdit(text, new), None):
        assert lists(EDITOR.remove(anew, last_edit))["routes"] == [{"receiver": "default", "match": {"x": "y"}}]
        assert EDITOR.left(anew, ROUTING, last_edit) == [
            "alertmanager.yml: somebody else has taken out or changed 1 of our items in route.routes; "
            "between our marks stays default"
        ]


def test_a_rule_file_that_yq_added_stays_and_one_that_is_equal_to_ours_too() -> None:
    edit, text = editor("rule-files"), f"rule_files:\n- {GLOB}\n"
    two = f"{GLOB}\n/two/*.yml"
    new = edit.insert(text, two)
    anew = new.replace("- /two/*.yml\n", "- /two/*.yml\n- theirs.yml\n")
    assert edit.remove(anew) == f"rule_files:\n- theirs.yml\n- {GLOB}\n"
    assert edit.remove(without_comments(anew), LastEdit(text, new)) == f"rule_files:\n- theirs.yml\n- {GLOB}\n"
    first = new.replace(f"- {GLOB}\n", "", 1)
    assert edit.remove(first) == text, "ours was taken out by hand: the other one is theirs"


def test_items_that_a_tool_sorted_among_theirs_are_found() -> None:
    """`yq '.receivers |= sort_by(.name)'`: the marks go with the items below them."""
    new = EDITOR.insert(EVERYTHING, ROUTING)
    ours = "- name: ours\n  webhook_configs:\n  - url: http://127.0.0.1:1/\n"
    assert ours in new
    pager = "- name: pager\n"
    anew = new.replace(ours, "").replace(pager, ours + pager)
    assert EDITOR.has(anew, ROUTING)
    assert EDITOR.remove(anew) == EVERYTHING


def test_a_comment_of_many_signs_between_our_marks_takes_no_time() -> None:
    """Held by ending at all: a pattern that tries each way to cut such a line would not."""
    new = EDITOR.insert(EVERYTHING, ROUTING)
    anew = re.sub(r"(?m)^( *)(# <<< \S+receivers)\n(- )", rf"\1{'# ' * 60}\n\3\n\1\2\n  ", new)
    assert anew != new
    assert lists(EDITOR.remove(anew)) == lists(EVERYTHING)
