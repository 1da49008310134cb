"""Whatever the layout of a configuration: ours goes in and out again without a trace, or is refused."""

import json

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given, settings

from components.live.text import yaml_tree
from components.live.text.edit_errors import EditRefused
from components.live.text.editors import Editor, editor
from components.live.text.insert import insert_items
from components.live.text.marked_lists import LastEdit
from formats.json_types import JsonObject, JsonValue
from tests.live.shapes import ALERTMANAGER

GLOB = "/etc/prometheus/api-performance-alerts/*.yml"
ROUTING = json.dumps(
    {
        "receivers": [{"name": "ours", "webhook_configs": [{"url": "http://127.0.0.1:1/"}]}],
        "routes": [{"receiver": "ours", "matchers": ['component="api"'], "group_by": ["alertname"]}],
        "inhibit_rules": [{"source_matchers": ['a="b"'], "target_matchers": ['a="c"'], "equal": ["component"]}],
        "time_intervals": [{"name": "office", "time_intervals": [{"weekdays": ["monday:friday"]}]}],
    }
)

blank = st.sampled_from(["", "", " ", "   "])
comment = st.sampled_from(["", "", " # why", "  # 監視: [", " # - x"])
filler = st.lists(st.sampled_from(["", "# note", "  # - old", "    # {", "   "]), max_size=2)


def mapping_item(name: str) -> list[str]:
    return [f"name: {name}", "  webhook_configs:", "    - url: 'http://127.0.0.1:1/'"]


@st.composite
def a_list(draw: st.DrawFn, key: str, items: list[list[str]], flow: list[str], margin: str = "") -> list[str]:
    """Lines of a key and its list, in one of the layouts met."""
    end = draw(comment) or draw(blank)
    forms = ["missing", "bare", "empty", "null", "block", "block", "block", "flow", "flow lines"]
    form = draw(st.sampled_from(forms)) if items else draw(st.sampled_from(forms[:4]))
    head = f"{margin}{key}:"
    if form == "missing":
        return []
    if form == "bare":
        return [head + end, *draw(filler)]
    if form in ("empty", "null"):
        return [head + " " + draw(st.sampled_from(["[]", "[ ]"] if form == "empty" else ["null", "~"])) + end]
    if form == "flow":
        return [head + " [" + draw(blank) + ", ".join(flow) + draw(blank) + "]" + end]
    if form == "flow lines":
        return [head + " [" + end, *(f"{margin}    {item}," for item in flow), margin + "  ]"]
    indent = margin + draw(st.sampled_from(["", "  ", "    "]))
    lines = [head + end, *draw(filler)]
    for item in items:
        lines += [indent + "- " + item[0] + draw(comment), *(indent + line for line in item[1:]), *draw(filler)]
    return lines


@st.composite
def laid_out(draw: st.DrawFn, sections: list[list[str]]) -> str:
    """The sections in any order, with line endings, a final newline or none, a document start or end."""
    lines = draw(filler)
    if draw(st.booleans()):
        lines = [*lines, "---"]
    for section in draw(st.permutations(sections)):
        lines = [*lines, *section, *(draw(filler) if section else [])]
    if draw(st.integers(0, 9)) == 0:
        lines = [*lines, "..."]
    nl = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return nl.join(lines) + draw(st.sampled_from(["", nl, nl, nl + nl]))


@st.composite
def prometheus(draw: st.DrawFn) -> str:
    names = draw(
        st.lists(st.sampled_from(["a.yml", "'b c.yml'", '"größe/*.yml"', "&x d.yml"]), max_size=3, unique=True)
    )
    last = draw(
        st.sampled_from(
            [
                ["otlp: |", "  text"],
                ["otlp: |+", "  text", "", ""],
                ["otlp: >-", "  text"],
                ["otlp: {a: [b]}"],
            ]
        )
    )
    sections = [
        draw(
            a_list("rule_files", [[name] for name in names], [name for name in names if "&" not in name] or ["z.yml"])
        ),
        ["global:", "  scrape_interval:   15s", "  external_labels: {region: eu}"],
        ["scrape_configs:", "- job_name: x", "  static_configs:", "  - targets: ['127.0.0.1:9']", "# - job_name: y"],
        last,
    ]
    return draw(laid_out(sections))


@st.composite
def alertmanager(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(["pager", "chat"]), max_size=2, unique=True))
    margin = draw(st.sampled_from(["  ", "    "]))
    routes = [["match:", f"    severity: {name}", f"  receiver: {name}", "  continue: true"] for name in names]
    flow_routes = [f"{{receiver: {name}, match: {{a: b}}}}" for name in names]
    route = ["route:" + draw(comment), *draw(filler), margin + "receiver: default", margin + "group_by: ['alertname',"]
    route += [margin + "   cluster]", *draw(a_list("routes", routes, flow_routes, margin))]
    sections = [
        route,
        ["receivers:", "- name: default" + draw(comment), *(f"- name: {name}" for name in names)],
        draw(
            a_list(
                "inhibit_rules",
                [["source_match: {severity: critical}", "  target_match: {severity: warning}"]],
                ["{source_match: {a: b}, target_match: {a: c}}"],
            )
        ),
        draw(
            a_list("time_intervals", [["name: never", "  time_intervals: []"]], ["{name: never, time_intervals: []}"])
        ),
        ["global:", "  resolve_timeout:  5m"],
    ]
    return draw(laid_out(sections))


def lists(text: str) -> JsonObject:
    data = yaml.safe_load(text) or {}
    found = {key: data.get(key) or [] for key in ("rule_files", "receivers", "inhibit_rules", "time_intervals")}
    return {**found, "routes": (data.get("route") or {}).get("routes") or []}


def without_lists(text: str) -> JsonObject:
    data = yaml.safe_load(text) or {}
    data = {key: value for key, value in data.items() if key not in lists("")}
    return {**data, "route": {k: v for k, v in (data.get("route") or {}).items() if k != "routes"}}


def held(edit: Editor, text: str, ours: str, added: dict[str, list[JsonValue]]) -> None:
    try:
        new = edit.insert(text, ours)
    except EditRefused as refusal:
        assert refusal.snippet and not text.endswith("\n"), (
            refusal
        )  # a last value that is a block without final newline
        return
    before, after = lists(text), lists(new)
    assert after == {key: [*added.get(key, []), *before[key]] for key in before}
    assert without_lists(new) == without_lists(text)
    assert edit.remove(new) == text
    assert edit.remove(new, LastEdit(text, new)) == text
    assert edit.insert(new, ours) == new and edit.has(new, ours)
    gone = set(text.splitlines()) - set(new.splitlines())
    assert len(gone) <= len(added) and all(line.strip().startswith(tuple(added)) or "[" in line for line in gone)
    grown = new + ("" if new.endswith("\n") else "\n") + "# theirs\n"
    if not text.rstrip("\r\n").endswith("..."):
        assert edit.remove(grown).endswith("# theirs\n") and lists(edit.remove(grown)) == before


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(yaml_tree, "PARSER", yaml.SafeLoader)


@pytest.mark.usefixtures("parser")
def test_rule_files_of_any_layout() -> None:
    @settings(max_examples=70, deadline=None)
    @given(prometheus())
    def check(text: str) -> None:
        held(editor("rule-files"), text, GLOB, {"rule_files": [GLOB]})

    check()


@pytest.mark.usefixtures("parser")
def test_routing_of_any_layout() -> None:
    added = json.loads(ROUTING)

    @settings(max_examples=35, deadline=None)
    @given(alertmanager())
    def check(text: str) -> None:
        held(editor("routing"), text, ROUTING, added)

    check()


def test_an_edit_reads_a_text_once_and_what_it_made_of_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many lists are edited. Lines are counted for messages only: each time from the start of the text."""
    read: list[str] = []
    build = yaml_tree._build

    def counting(text: str, candidate: str) -> yaml_tree.Document:
        read.append(text)
        return build(text, candidate)

    def counted(_document: yaml_tree.Document, _position: int) -> int:
        raise AssertionError("lines were counted though there is nothing to say")

    edit, text = editor("routing"), ALERTMANAGER["everything there"]
    assert edit.has(edit.insert(text, ROUTING), ROUTING)  # what is ours is read now, and kept
    yaml_tree.parse.cache_clear()
    monkeypatch.setattr(yaml_tree, "_build", counting)
    monkeypatch.setattr(yaml_tree.Document, "line", counted)
    new = edit.insert(text, ROUTING)
    assert read == [text, new]
    yaml_tree.parse.cache_clear()
    assert edit.remove(new) == text
    assert read == [text, new, new, text]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.text("a:-[]{} \n\t\r#|&*'\"~.", max_size=40))
def test_any_text_at_all_is_edited_or_refused(text: str) -> None:
    try:
        new = insert_items(text, {("rule_files",): [GLOB]}, "prometheus.yml")
    except EditRefused:
        return
    assert editor("rule-files").remove(new) == text
