"""Somebody else edits what we have part in, between two `up`s and before destroy: theirs survives, ours is mended."""

import json
import re
from collections.abc import Callable

import pytest
import yaml

import routing
import rules
from formats.json_types import JsonObject
from tests.e2e.rig import Rig
from tests.support.limits import changed, other
from tests.support.waiting import until

TEXTS = (
    ("prometheus-config", "prometheus.yml", "evaluation_interval: 15s", "evaluation_interval: 20s"),
    ("alertmanager-config", "alertmanager.yml", "group_wait: 30s", "group_wait: 45s   # patience"),
)
NOTE = {"name": "NOTE", "value": "theirs"}


def noted(pod: JsonObject) -> None:
    pod["containers"][0]["env"] = [NOTE]


def edit_everything_of_theirs(rig: Rig) -> None:
    for name, key, old, new in TEXTS:
        assert f"  {old}" in rig.text(name, key)
        rig.write(name, {key: rig.text(name, key).replace(old, new, 1)})
    rig.write("prometheus-rules", {"new.yml": "groups: []\n"})
    rig.alter("prometheus", noted)


@pytest.mark.core
def test_what_others_edit_survives_updates_and_destroy(rig: Rig) -> None:
    rig.up()
    edit_everything_of_theirs(rig)
    assert rig.preview(refresh=True) == {}, "what others do in their own lines is no drift of ours"
    rig.edit("rules/watchdog.yml", "name: watchdog", "name: guardian")
    rig.up()
    rig.destroy()

    wanted = dict(rig.before)
    for name, key, old, new in TEXTS:
        data = wanted[f"configmap/{name}"]
        wanted[f"configmap/{name}"] = {**data, key: data[key].replace(old, new, 1)}
    wanted["configmap/prometheus-rules"] = {**wanted["configmap/prometheus-rules"], "new.yml": "groups: []\n"}
    pod = dict(wanted["deployment/prometheus"]["template"]["spec"])
    pod["containers"] = [{**pod["containers"][0], "env": [NOTE]}]
    template = {**wanted["deployment/prometheus"]["template"], "spec": pod}
    wanted["deployment/prometheus"] = {**wanted["deployment/prometheus"], "template": template}
    assert rig.objects() == wanted


def without_our_mount(pod: JsonObject) -> None:
    for entries in (pod["volumes"], pod["containers"][0]["volumeMounts"]):
        entries[:] = [entry for entry in entries if entry["name"] != "api-performance-alerts"]


@pytest.mark.parametrize("name", ["prometheus-config", "alertmanager-config", "the Deployment"])
def test_a_part_of_ours_that_somebody_took_out_is_put_back_by_the_next_up(rig: Rig, name: str) -> None:
    """Without a refresh, for most people do not ask for one."""
    rig.up()
    as_it_should_be = rig.objects()
    if name == "the Deployment":
        rig.alter("prometheus", without_our_mount)
    else:
        rig.write(name, rig.before[f"configmap/{name}"])
    assert rig.preview().get("update", 0) >= 1
    assert "is gone or was changed by somebody else; `up` puts it back" in "".join(rig.said)
    rig.up()
    assert rig.objects() == as_it_should_be
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert rig.objects() == rig.before


@pytest.mark.parametrize("name", ["prometheus-config", "alertmanager-config", "the Deployment"])
def test_a_part_of_ours_that_somebody_took_out_is_no_hindrance_to_destroy(rig: Rig, name: str) -> None:
    rig.up()
    if name == "the Deployment":
        rig.alter("prometheus", without_our_mount)
    else:
        rig.write(name, rig.before[f"configmap/{name}"])
    rig.destroy()
    assert rig.objects() == rig.before


def test_our_own_objects_are_put_right_after_a_refresh_and_taken_back_by_destroy(rig: Rig) -> None:
    rig.up()
    as_it_should_be = rig.objects()
    broken = {
        "api-performance-alerts": {"watchdog.yml": "groups: []\n"},
        "dashboard-api-performance-baseline": {"api-performance-baseline.json": "{}"},
    }
    for name, data in broken.items():
        rig.write(name, data)
    assert rig.preview(refresh=True).get("update", 0) >= 2
    rig.up(refresh=True)
    assert rig.objects() == as_it_should_be
    for name, data in broken.items():
        rig.write(name, data)
    rig.destroy()
    assert rig.objects() == rig.before


def test_an_object_of_ours_that_somebody_deleted_is_made_again(rig: Rig) -> None:
    """Kubelet leaves the files where they are until the next restart, so the servers notice nothing."""
    rig.up()
    as_it_should_be = rig.objects()
    rig.delete("configmaps", "api-performance-alerts")
    rig.preview()
    assert "configmaps/api-performance-alerts is gone: `pulumi up --refresh` makes it again" in "".join(rig.said)
    rig.up(refresh=True)
    assert rig.objects() == as_it_should_be
    assert set(rules.alerts()) <= rig.rules()
    assert rig.preview(refresh=True) == {}


def test_a_limit_that_somebody_edited_in_the_cluster_is_named_with_the_way_back(rig: Rig) -> None:
    """As the old guide had it done. A plain `up` does not look into our own objects, but at what runs."""
    rig.up()
    as_it_should_be = rig.objects()
    alert = rules.alerts()["APIP95LatencyHigh"]
    text = rig.text("api-performance-alerts", alert.file.name)
    rig.write("api-performance-alerts", {alert.file.name: changed(alert, other(alert))(text)})

    def runs_it() -> bool:
        rig.sandbox.prometheus.reload()
        return any(
            rule.name == alert.name and rule.query.endswith(other(alert))
            for group in rig.sandbox.prometheus.rules()
            for rule in group.rules
        )

    until(runs_it)
    rig.configure(liveTimeout=4)
    words = rig.refused(rig.up)
    assert f"{alert.group}/{alert.name} runs with another expression" in words
    assert "`pulumi up --refresh` puts back what somebody has changed in our own objects" in words
    rig.configure()
    rig.up(refresh=True)
    assert rig.objects() == as_it_should_be
    assert rig.preview() == {}


def rewrite(rig: Rig, anew: Callable[[str], str]) -> None:
    for name, key, _, _ in TEXTS:
        rig.write(name, {key: anew(rig.text(name, key))})


def sorted_by_pyyaml(text: str) -> str:
    return yaml.safe_dump(yaml.safe_load(text), allow_unicode=True)


def closing_marks_moved(text: str) -> str:
    """As `yq -i` does: into the first item of theirs, where there is one."""
    return re.sub(r"(?m)^( *)(# <<< \S+)\n((?: *#.*\n)*)( *)- ", r"\4-\n\1\2\n\3\4  ", text)


def what_they_say(rig: Rig) -> list[JsonObject]:
    return [yaml.safe_load(rig.text(name, key)) for name, key, _, _ in TEXTS]


@pytest.mark.parametrize("anew", [sorted_by_pyyaml, closing_marks_moved])
def test_texts_that_a_tool_wrote_anew_are_updated_and_freed_of_ours_by_destroy(
    rig: Rig, anew: Callable[[str], str]
) -> None:
    theirs = what_they_say(rig)
    rig.up()
    with_ours = what_they_say(rig)
    rewrite(rig, anew)
    assert what_they_say(rig) == with_ours != theirs
    assert rig.preview(refresh=True) == {}, "all of ours is there"
    rig.edit("rules/watchdog.yml", "name: watchdog", "name: guardian")
    rig.edit("routing/alertmanager.yml", "repeat_interval: 2h", "repeat_interval: 3h")
    assert rig.preview().get("update", 0) >= 1
    rig.up()
    rewrite(rig, anew)
    rig.destroy()
    assert what_they_say(rig) == theirs
    assert "api-performance" not in "".join(rig.text(name, key) for name, key, _, _ in TEXTS)


def test_what_a_tool_added_between_our_marks_is_theirs_and_stays(rig: Rig) -> None:
    theirs = yaml.safe_load(rig.text(*TEXTS[1][:2]))
    rig.up()
    mark = "  # <<< api-performance/inhibit_rules\n"
    text = rig.text(*TEXTS[1][:2])
    at = text.index(mark.lstrip())
    indent = text[text.rfind("\n", 0, at) + 1 : at]
    rule = {"source_matchers": ["a=b"], "target_matchers": ["c=d"], "equal": ["e"]}
    dash = re.search(r"(?m)^( *)- source_matchers", text)
    assert dash
    added = f"{dash[1]}- {json.dumps(rule)}\n"
    rig.write("alertmanager-config", {"alertmanager.yml": text[: at - len(indent)] + added + text[at - len(indent) :]})
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert yaml.safe_load(rig.text(*TEXTS[1][:2])) == {**theirs, "inhibit_rules": [rule]}


def test_a_text_that_can_be_edited_no_more_stops_preview_and_destroy_with_a_sentence(rig: Rig) -> None:
    rig.up()
    text = rig.text(*TEXTS[1][:2])
    rig.write("alertmanager-config", {"alertmanager.yml": f"{text}---\nroute: {{}}\n"})
    says = "the text holds several documents, so it is not edited"
    assert says in rig.refused(rig.preview)
    assert says in rig.refused(rig.destroy)
    rig.write("alertmanager-config", {"alertmanager.yml": text})
    rig.destroy()
    assert rig.objects() == rig.before


def test_receivers_of_ours_that_destroy_leaves_running_are_named(rig: Rig) -> None:
    """They stand there without our marks, and somebody has changed one: so it is not known for ours."""
    rig.up()
    data = yaml.safe_load(rig.text(*TEXTS[1][:2]))
    name = routing.load().parts().receivers[0]["name"]
    (receiver,) = (receiver for receiver in data["receivers"] if receiver["name"] == name)
    receiver["email_configs"][0]["to"] = "somebody@example.com"
    data["route"]["routes"] = [route for route in data["route"]["routes"] if route["receiver"] != name]
    rig.write("alertmanager-config", {"alertmanager.yml": yaml.safe_dump(data)})
    rig.destroy()
    said = "".join(rig.said)
    assert f"what looks like ours stays in receivers: {name}" in said
    assert f"receiver {name} still runs, as the text of Alertmanager has it without our marks" in said
