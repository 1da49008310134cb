"""The manifests of docs/rbac/: named as the settings' defaults, least privilege, and listed in the manual."""

import re

import pytest
import yaml

from components.alert_routing.routing_delivery import SECRET
from components.settings import ROUTING_OBJECT, read
from formats.json_types import JsonObject
from tests.support.checkout import ROOT

FILES = sorted((ROOT / "docs" / "rbac").glob("*.yml"))
OPERATING = (ROOT / "docs" / "operating.md").read_text("utf-8")
SETTINGS = read({"alertmanagerMode": "secret"}, where="nowhere")
WRITES = {"create", "update", "patch", "delete", "deletecollection", "*"}


def objects(kind: str) -> list[JsonObject]:
    every = [one for file in FILES for one in yaml.safe_load_all(file.read_text("utf-8"))]
    return [one for one in every if one["kind"] == kind]


def rules_of(account: str) -> list[JsonObject]:
    """The rules of all roles that an account has."""
    bound = [
        one["roleRef"]["name"]
        for one in objects("RoleBinding")
        if account in [subject["name"] for subject in one["subjects"]]
    ]
    return [rule for role in objects("Role") if role["metadata"]["name"] in bound for rule in role["rules"]]


def names(resource: str) -> set[str]:
    """The names that any rule on a resource gives."""
    rules = [rule for role in objects("Role") for rule in role["rules"] if resource in rule["resources"]]
    return {name for rule in rules for name in rule.get("resourceNames") or ()}


def test_names_are_those_of_the_settings() -> None:
    found, grafana = SETTINGS, "dashboard-api-performance-baseline"
    texts = {found.prometheus.config_map, found.rules.shared_config_map}
    mode = read({}, where="nowhere")
    assert names("configmaps") == {*texts, mode.alertmanager.config_map, found.rules.config_map, grafana}
    assert grafana in (ROOT / "tests" / "e2e" / "rig.py").read_text("utf-8")
    assert names("services/proxy") == {found.prometheus.service, found.alertmanager.service}
    assert names("deployments") == {found.prometheus.deployment, found.alertmanager.deployment}
    assert names("secrets") == {SECRET, found.alertmanager.secret_name}
    assert names("alertmanagerconfigs") == {ROUTING_OBJECT}
    spaces = {
        one["metadata"]["namespace"] for kind in ("Role", "RoleBinding", "ServiceAccount") for one in objects(kind)
    }
    assert spaces | names("namespaces") == {found.namespace}


def test_each_role_is_bound_and_each_binding_leads_somewhere() -> None:
    roles = [one["metadata"]["name"] for one in objects("Role")]
    assert len(roles) == len(set(roles))
    assert {one["roleRef"]["name"] for one in objects("RoleBinding")} == set(roles)
    accounts = {one["metadata"]["name"] for one in objects("ServiceAccount")}
    assert {one["name"] for binding in objects("RoleBinding") for one in binding["subjects"]} == accounts


def test_an_account_for_previews_may_write_nothing() -> None:
    rules = rules_of("api-monitoring-preview")
    assert len(rules) > 5
    assert [rule for rule in rules if WRITES & {*rule["verbs"]}] == []


@pytest.mark.parametrize("resource", ["configmaps", "secrets", "deployments", "statefulsets", "services/proxy"])
def test_what_others_have_is_written_by_name_only(resource: str) -> None:
    rules = [rule for rule in rules_of("api-monitoring-deploy") if resource in rule["resources"]]
    writing = [rule for rule in rules if WRITES & {*rule["verbs"]}]
    assert writing and all(rule.get("resourceNames") for rule in writing)
    assert not {"update", "deletecollection", "*"} & {verb for rule in rules for verb in rule["verbs"]}


def test_the_manual_lists_each_manifest_with_the_settings_that_it_is_for() -> None:
    section = OPERATING[OPERATING.index("\n## Roles\n") :]
    rows = dict(re.findall(r"^\| \[[^]]+\]\(rbac/([\w-]+\.yml)\) \| (.+) \|$", section, re.MULTILINE))
    assert sorted(rows) == [file.name for file in FILES]
    keys = {*yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))["config"]}
    for file in FILES:
        head = file.read_text("utf-8").partition("\napiVersion")[0]
        said = {word for word in re.findall(r"\w+", rows[file.name]) if word in keys}
        assert said <= {*re.findall(r"\w+", head)}, f"{file.name} does not say when it is needed as the manual does"
