"""Our entry in the rule_files of every shape of prometheus.yml that was met."""

import pytest

from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.rule_files import KEYS, RuleFiles
from components.live.text.yaml_tree import parse
from ops import build_tools
from ops.clients import promtools
from tests.live.shapes import PROMETHEUS as SHAPES

OURS = "/etc/prometheus/api-performance-alerts/*.yml"
EDITOR = RuleFiles()

REFUSED = {
    "alias": ("storage: &a [b]\nrule_files: *a\n", "prometheus.yml:2: rule_files is an alias"),
    "anchor": ("rule_files: &a\n  - b\nstorage: *a\n", "prometheus.yml:1: rule_files is an alias or carries an anchor"),
    "anchor, one line": ("rule_files: &a [b]\nstorage: *a\n", "anchor"),
    "tag": ("rule_files: !!seq\n  - b\n", "tag"),
    "several documents": ("a: 1\n---\nb: 2\n", "prometheus.yml:2: the text holds several documents"),
    "duplicate keys": ("a: {x: 1, x: 2}\n", "prometheus.yml:1: the text has the key 'x' twice"),
    "template for a value": ("global: {{ .Values.global }}\n", "template braces"),
    "template lines": ("{{- if .Values.x }}\na: 1\n{{- end }}\n", "an unrendered template?"),
    "not YAML": ("a: [1\n", "the text is not valid YAML"),
    "tab for indentation": ("a:\n\t- b\n- c\n", "not valid YAML"),
    "last value a block without final newline": ("otlp: |\n  text", "do it by hand"),
    "all in braces": ('{"rule_files": []}', "not a mapping with one key a line"),
    "a list of things": ("- a\n", "not a mapping with one key a line"),
    "merged": ("storage: &x {rule_files: [a]}\n<<: *x\n", "merged from elsewhere"),
    "no list": ("rule_files: a.yml\n", "prometheus.yml:1: rule_files is not a list"),
    "explicit key": ("? rule_files\n: - a.yml\n", "unusual form"),
    "too deep": ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
}


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_in_and_out_again(text: str) -> None:
    new = EDITOR.insert(text, OURS)
    assert OURS in new and EDITOR.has(new, OURS) and not EDITOR.has(text, OURS)
    found = (parse(new).root or pytest.fail()).get("rule_files")
    assert found and found[1].children[0].value == OURS
    assert EDITOR.remove(new) == text
    assert EDITOR.insert(new, OURS) == new
    assert new.count("\r\n") == new.count("\n") or "\r" not in text


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_another_entry_takes_the_place_of_the_first(text: str) -> None:
    other = EDITOR.insert(EDITOR.insert(text, OURS), "/other/*.yml")
    assert other == EDITOR.insert(text, "/other/*.yml")
    assert OURS not in other
    assert EDITOR.remove(other) == text


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_lines_to_paste(text: str, words: str) -> None:
    with pytest.raises(EditRefused, match=r"^prometheus\.yml") as refusal:
        EDITOR.insert(text, OURS)
    assert words in refusal.value.sentence
    assert refusal.value.snippet == f"rule_files:\n  - {OURS}\n"


OTHER_FILES = {
    "promtail.yml": ("server: {}\nclients: []\nscrape_configs: []\n", "prometheus.yml:1: server"),
    "promtail.yml, sorted": ("scrape_configs: []\nserver: {}\n", "prometheus.yml:2: server"),
    "alertmanager.yml": ("global: {}\nroute: {receiver: a}\nreceivers: [{name: a}]\n", "prometheus.yml:2: route"),
    "a rule file": ("groups: []\n", "prometheus.yml:1: groups"),
    "a chart's values": ("serverFiles: {prometheus.yml: {rule_files: []}}\n", "prometheus.yml:1: serverFiles"),
    "a ConfigMap": ("apiVersion: v1\nkind: ConfigMap\ndata: {}\n", "prometheus.yml:1: apiVersion"),
    "a mistyped key": ("rules_files: []\n", "prometheus.yml:1: rules_files"),
    "a key for anchors": ("global: {}\nx-jobs: &x []\nscrape_configs: *x\n", "prometheus.yml:2: x-jobs"),
}


@pytest.mark.parametrize(("text", "at"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_what_is_not_prometheus_configuration_is_refused_with_is_this_the_right_key(text: str, at: str) -> None:
    with pytest.raises(EditRefused) as refusal:
        EDITOR.insert(text, OURS)
    says = "is no part of a Prometheus configuration: is this the right key? If it is, paste these lines by hand"
    assert refusal.value.sentence == f"{at} {says}"
    assert refusal.value.snippet == f"rule_files:\n  - {OURS}\n"
    assert EDITOR.remove(text, LastEdit(text, text)) == text


def test_a_part_of_ours_in_such_a_text_is_taken_out_all_the_same() -> None:
    new = EDITOR.insert("global: {}\n", OURS) + "new_key: {}\n"
    assert EDITOR.has(new, OURS) and EDITOR.insert(new, OURS) == new
    assert EDITOR.remove(new) == "global: {}\nnew_key: {}\n"


@pytest.mark.skipif(not build_tools.find("promtool"), reason="run `make tools` first")
def test_promtool_knows_each_key_and_none_of_those_that_are_refused() -> None:
    assert promtools.check_prometheus("".join(f"{key}:\n" for key in KEYS)) == []
    for text, at in OTHER_FILES.values():
        key = at.rpartition(" ")[2]
        assert f"field {key} not found in type config.plain" in " ".join(promtools.check_prometheus(text) or ())


def test_pasted_by_hand_it_is_left_alone() -> None:
    text = f"x: &a [{OURS}]\nrule_files: *a\n"
    assert EDITOR.has(text, OURS)
    assert EDITOR.insert(text, OURS) == text
    assert EDITOR.remove(text, LastEdit(text, text)) == text
    assert "without our marks" in EDITOR.warnings(text, OURS)[0]
    assert EDITOR.warnings("", OURS) == []


def test_several_entries() -> None:
    new = EDITOR.insert("rule_files:\n- a.yml\n", "/one/*.yml\n/two/*.yml\n")
    assert [line for line in lines(new) if line.startswith("- ")] == ["- /one/*.yml\n", "- /two/*.yml\n", "- a.yml\n"]


# What others do to the text between our edit and its removal.


def test_an_entry_added_below_a_list_that_we_made_stays() -> None:
    new = EDITOR.insert("global: {}\n", OURS) + "  - theirs.yml\n"
    assert EDITOR.remove(new) == "global: {}\nrule_files:\n  - theirs.yml\n"
    assert EDITOR.has(new, OURS)
    again = EDITOR.insert(new, "/other/*.yml")
    assert "theirs.yml" in again and OURS not in again
    assert EDITOR.remove(again) == "global: {}\nrule_files:\n  - theirs.yml\n"


def test_an_entry_added_between_our_marks_stays() -> None:
    text = "rule_files:\n- a.yml\n"
    new = EDITOR.insert(text, OURS)
    edited = new.replace(f"- {OURS}\n", f"- {OURS}\n- theirs.yml # mine\n")
    assert EDITOR.remove(edited, LastEdit(text, new)) == "rule_files:\n- theirs.yml # mine\n- a.yml\n"
    before = edited.replace(f"- {OURS}\n", "").replace("- theirs.yml # mine\n", f"- theirs.yml\n- {OURS}\n")
    assert EDITOR.remove(before, LastEdit(text, new)) == "rule_files:\n- theirs.yml\n- a.yml\n"


def test_an_entry_added_between_our_marks_to_a_list_that_we_made_stays() -> None:
    new = EDITOR.insert("global: {}\n", OURS)
    edited = new.replace(f"  - {OURS}\n", f"  - {OURS}\n  - theirs.yml\n")
    assert EDITOR.remove(edited, LastEdit("global: {}\n", new)) == "global: {}\nrule_files:\n  - theirs.yml\n"


def test_one_of_our_entries_changed_by_somebody_goes_all_the_same() -> None:
    text, two = "rule_files:\n- a.yml\n", f"{OURS}\n/two/*.yml"
    new = EDITOR.insert(text, two)
    edited = new.replace(OURS, "/changed/*.yml")
    assert not EDITOR.has(edited, two)
    assert EDITOR.remove(edited) == EDITOR.remove(edited, LastEdit(text, new)) == text
    assert EDITOR.insert(edited, two) == new


def test_an_entry_in_place_of_our_only_one_may_be_theirs_so_it_stays_and_is_named() -> None:
    text = "rule_files:\n- a.yml\n"
    new = EDITOR.insert(text, OURS)
    edited = new.replace(OURS, "/changed/*.yml")
    assert not EDITOR.has(edited, OURS)
    assert EDITOR.remove(edited, LastEdit(text, new)) == "rule_files:\n- /changed/*.yml\n- a.yml\n"
    assert EDITOR.left(edited, OURS, LastEdit(text, new)) == [
        "prometheus.yml: somebody else has taken out or changed 1 of our items in rule_files; between our marks stays "
        "/changed/*.yml"
    ]


@pytest.mark.parametrize("text", ["otlp: 1", "rule_files:", "rule_files: []"])
def test_an_editor_adds_a_final_newline(text: str) -> None:
    new = EDITOR.insert(text, OURS)
    assert EDITOR.remove(new + "\n") == text + "\n\n"
    assert EDITOR.remove(new.removesuffix("\n")) == text


def test_text_added_behind_ours_keeps_its_line() -> None:
    assert EDITOR.remove(EDITOR.insert("otlp: 1", OURS) + "storage: 2\n") == "otlp: 1\nstorage: 2\n"


def test_the_empty_list_does_not_come_back_over_an_entry_of_theirs() -> None:
    new = EDITOR.insert("rule_files: []  # none\n", OURS) + "  - theirs.yml\n"
    assert EDITOR.remove(new) == "rule_files:  # none\n  - theirs.yml\n"


def test_a_key_line_changed_since_is_left() -> None:
    new = EDITOR.insert("rule_files: []\n", OURS).replace("rule_files:\n", "rule_files: # soon\n")
    assert EDITOR.remove(new) == "rule_files: # soon\n"


def test_a_one_line_list_changed_since() -> None:
    new = EDITOR.insert("rule_files: [a.yml] # one\n", OURS).replace("[", "[ # all").replace("a.yml]", "a.yml, b.yml]")
    assert EDITOR.remove(new) == "rule_files: [ # all\n  a.yml, b.yml] # one\n"


def test_a_file_written_anew_without_ours_needs_nothing() -> None:
    text = "rule_files:\n- a.yml\n"
    assert EDITOR.remove("global: {}\n", LastEdit(text, EDITOR.insert(text, OURS))) == "global: {}\n"


def test_comments_lost_ours_is_still_found() -> None:
    """Written anew by a tool that drops comments: our entry goes, theirs stay."""
    text = "global: {}\nrule_files:\n- a.yml\n"
    written = LastEdit(text, EDITOR.insert(text, OURS))
    assert (
        EDITOR.remove(f"rule_files:\n- {OURS}\n- a.yml\nglobal: {{}}\n", written)
        == "rule_files:\n- a.yml\nglobal: {}\n"
    )
    assert EDITOR.remove(f"rule_files:\n- a.yml\n- {OURS}", written) == "rule_files:\n- a.yml\n"
    assert EDITOR.remove(f"rule_files: [{OURS}, a.yml]\n", written) == "rule_files: [a.yml]\n"
    assert EDITOR.remove(f"rule_files: [a.yml, {OURS}] # x\n", written) == "rule_files: [a.yml] # x\n"
    assert EDITOR.remove(f"rule_files: [\n  {OURS},\n  a.yml\n]\n", written) == "rule_files: [\n  a.yml\n]\n"


def test_an_entry_of_theirs_that_is_equal_to_ours_is_not_taken() -> None:
    text = f"rule_files:\n- a.yml\n- {OURS}\n"
    assert EDITOR.insert(text, OURS) == text
    assert EDITOR.remove(text, LastEdit(text, text)) == text


@pytest.mark.parametrize("gone", ["# >>>", "# <<<"])
def test_with_a_mark_lost_ours_is_still_found(gone: str) -> None:
    text = "rule_files:\n- a.yml\n"
    whole = EDITOR.insert(text, OURS)
    new = "".join(line for line in lines(whole) if gone not in line)
    assert EDITOR.remove(new, LastEdit(text, whole)) == text
    assert EDITOR.insert(new, "/other/*.yml", LastEdit(text, whole)) == EDITOR.insert(text, "/other/*.yml")


def test_without_the_opening_mark_and_without_a_state_it_is_not_known_what_is_ours() -> None:
    whole = EDITOR.insert("rule_files:\n- a.yml\n", OURS)
    new = "".join(line for line in lines(whole) if "# >>>" not in line)
    words = r"prometheus\.yml:3: the marks around the lines of api-performance are damaged"
    with pytest.raises(EditRefused, match=words):
        EDITOR.remove(new)
    with pytest.raises(EditRefused, match=words):
        EDITOR.insert(new, "/other/*.yml")


def test_marks_inside_a_text_are_not_taken_for_ours() -> None:
    inner = EDITOR.insert("rule_files:\n- a.yml\n", OURS)
    text = "copy: |\n" + "".join("  " + line for line in lines(inner))
    with pytest.raises(EditRefused):
        EDITOR.remove(text)
