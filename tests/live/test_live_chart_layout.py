"""The layout of Prometheus' own chart, in preview: what would never be loaded is one sentence, and the rest works."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.live.provider import Props
from components.live.resources import WithdrawnProvider
from components.live.text.rule_files import not_loaded
from formats.json_types import JsonObject
from ops.sandbox.handmade_stack import FOLDER
from tests.live.api_server import Api, serving
from tests.live.shapes import WORKLOADS, server_props

NAME = "kube-prometheus-server"
DEPLOYMENT = f"/apis/apps/v1/namespaces/monitoring/deployments/{NAME}"
CONFIG_MAP = f"/api/v1/namespaces/monitoring/configmaps/{NAME}"
LITERAL = [f"/etc/config/{name}" for name in ("recording_rules.yml", "alerting_rules.yml", "rules", "alerts")]
OURS = ["/etc/config/api.yml", "/etc/config/watchdog.yml"]
ITEMS = [{"key": key, "path": key} for key in ("prometheus.yml", "alerting_rules.yml")]


@pytest.fixture
def chart(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    """The chart's Deployment and ConfigMap, and the inputs of `rulesMode: shared` with that ConfigMap."""
    with serving(tmp_path) as (api, kubeconfig):
        api.put(DEPLOYMENT, spec=copy.deepcopy(WORKLOADS["chart prometheus, server"][1]))
        lists(api, *LITERAL)
        usual = {"url": "http://127.0.0.1:1", "config_map": NAME, "config_maps": [NAME], "reload": "sidecar"}
        props = {
            **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "own": [], "manager": "us"},
            **{"prometheus": server_props("prometheus", **usual), "edited": []},
            **{"shared": {"config_map": NAME, "keys": ["api.yml", "watchdog.yml"]}},
        }
        yield api, props


def lists(api: Api, *files: str) -> None:
    api.config_map(NAME, **{"prometheus.yml": yaml.safe_dump({"rule_files": [*files]}), "alerting_rules.yml": "{}\n"})


def pod(api: Api) -> JsonObject:
    found: JsonObject = api.objects[DEPLOYMENT]["spec"]["template"]["spec"]
    return found


def refusal(props: Props) -> str:
    return "".join(failure.reason for failure in WithdrawnProvider().check({}, props).failures)


def test_literal_rule_files_are_told_with_the_lines_to_add(chart: tuple[Api, Props]) -> None:
    api, props = chart
    assert refusal(props) == (
        f"monitoring/{NAME}/prometheus.yml: rule_files has no entry for {', '.join(OURS)}: add them there (where a "
        "chart or Git keeps that text, in its values or in Git), or set rulesMode to dedicated"
    )
    lists(api, *LITERAL, OURS[0])
    assert f"rule_files has no entry for {OURS[1]}: add it there" in refusal(props)


@pytest.mark.parametrize(
    "added",
    [OURS, ["/etc/config/a*.yml", "/etc/config/watch[d]og.yml"], ["api.yml", "./w*.yml"]],
    ids=["literal", "patterns", "relative"],
)
def test_entries_that_load_our_keys_pass(chart: tuple[Api, Props], added: list[str]) -> None:
    api, props = chart
    lists(api, *LITERAL, *added)
    assert refusal(props) == ""


def test_a_pattern_matches_within_its_own_folder_only() -> None:
    text = yaml.safe_dump({"rule_files": ["/etc/config/*.yml", "/etc/*/deeper.yml"]})
    files = ["/etc/config/a.yml", "/etc/config/more/a.yml", "/etc/a.yml", "/etc/config/a.yaml"]
    assert not_loaded(text, "/etc/config", files) == files[1:]
    assert not_loaded("global: {}\n", "/etc/config", files) == files
    by_name = "storage: {a: &file /etc/config/a.yml}\nrule_files: [*file, '/etc/[^b]on*/more/a.yml']\n"
    assert not_loaded(by_name, "/etc/config", files) == files[2:]


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ("projected", ""),
        ("projected beside a Secret", ""),
        ("items with ours", ""),
        ("ours by another path", "rule_files has no entry for /etc/config/deep/api.yml"),
        ("items", "shows only some keys of it (`items` of its volume), and api.yml, watchdog.yml would never arrive"),
        ("projected items", "shows only some keys of it (`items` of its volume), and api.yml, watchdog.yml would"),
        ("subPath", "mounts it by subPath, which kubelet never updates: mount the folder instead"),
        ("immutable", f"ConfigMap monitoring/{NAME} has `immutable: true`, so nobody can change it"),
    ],
)
def test_what_keeps_a_key_out_is_one_sentence(chart: tuple[Api, Props], layout: str, says: str) -> None:
    api, props = chart
    lists(api, *LITERAL, *OURS)
    with_ours = [*ITEMS, {"key": "api.yml", "path": "api.yml"}, {"key": "watchdog.yml", "path": "watchdog.yml"}]
    moved = [*ITEMS, {"key": "api.yml", "path": "deep/api.yml"}, with_ours[-1]]
    items = {"items with ours": with_ours, "ours by another path": moved, "items": ITEMS, "projected items": ITEMS}
    volume = pod(api)["volumes"][0]
    source = {"name": NAME, **({"items": items[layout]} if layout in items else {})}
    if layout.startswith("projected"):
        del volume["configMap"]
        beside = [{"secret": {"name": NAME}}] if layout.endswith("Secret") else []
        volume["projected"] = {"sources": [*beside, {"configMap": source}]}
    else:
        volume["configMap"] = source
    if layout == "subPath":
        pod(api)["containers"][1]["volumeMounts"][0] |= {
            **{"mountPath": "/etc/config/prometheus.yml", "subPath": "prometheus.yml"}
        }
    if layout == "immutable":
        api.objects[CONFIG_MAP]["immutable"] = True
    api.before_write = lambda: pytest.fail("it was written")
    assert (says in refusal(props)) if says else refusal(props) == ""


def test_the_guides_own_stack_passes(chart: tuple[Api, Props]) -> None:
    api, props = chart
    server = next(yaml.safe_load_all((FOLDER / "deployments.yml").read_text("utf-8")))
    api.put(DEPLOYMENT.replace(NAME, "prometheus"), spec=server["spec"])
    api.config_map("prometheus-config", **{"prometheus.yml": (FOLDER / "prometheus.yml").read_text("utf-8")})
    api.config_map("prometheus-rules", **{"billing.yml": "groups: []\n"})
    props["prometheus"] = server_props(url="http://127.0.0.1:1")
    props["shared"] = {"config_map": "prometheus-rules", "keys": ["api.yml", "watchdog.yml"]}
    assert refusal(props) == ""
    props["shared"] = {"config_map": "prometheus-rules", "keys": ["api.yml", "odd.yaml"]}
    assert "rule_files has no entry for /etc/prometheus/rules/odd.yaml: add it there" in refusal(props)


def test_a_configuration_by_subpath_beside_a_folder_of_rules_is_read_all_the_same(chart: tuple[Api, Props]) -> None:
    api, props = chart
    mounts = pod(api)["containers"][1]["volumeMounts"]
    mounts[0] |= {"mountPath": "/etc/prometheus/prometheus.yml", "subPath": "prometheus.yml"}
    mounts.append({"name": "config-volume", "mountPath": "/etc/rules"})
    lists(api, "/etc/rules/api.yml")
    assert "rule_files has no entry for /etc/rules/watchdog.yml: add it there" in refusal(props)


def test_a_configuration_from_elsewhere_is_not_judged(chart: tuple[Api, Props]) -> None:
    _, props = chart
    props["prometheus"] |= {"config_map": "other", "config_maps": [NAME]}
    assert refusal(props) == ""


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], ""),
        (["--watched-dir=/etc/config", "--watched-dir=/etc/ours"], ""),
        (
            ["--watched-dir=/etc/config", "--reload-url=http://127.0.0.1:9090/-/reload"],
            f"Deployment monitoring/{NAME}: prometheus-server-configmap-reload watches /etc/config and not /etc/ours, "
            "where our rules are, so Prometheus would never load a changed one: set prometheusReload to lifecycle or "
            "signal",
        ),
    ],
)
def test_a_reloader_that_does_not_look_into_our_folder_is_told(
    chart: tuple[Api, Props], args: list[str], says: str
) -> None:
    api, props = chart
    pod(api)["containers"][0]["args"] = args
    dedicated = {**props, "shared": None, "edited": ["prometheus"], "folder": "/etc/ours"}
    assert refusal(dedicated) == says
    assert refusal({**dedicated, "prometheus": {**props["prometheus"], "reload": "lifecycle"}}) == ""
