"""The policy pack as a whole: the program passes it in every mode, and it stands by itself."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import yaml

from components import settings as program_settings
from ops.stack import declared
from refusals import one_namespace, others_work, our_kinds, our_names, plain_secrets
from refusals.seen import HIDDEN, Seen, settings, unknown_settings
from tests.support.checkout import ROOT

PACK = ROOT / "policy"
POLICIES = (our_kinds, one_namespace, our_names, plain_secrets, others_work)
MODES: dict[str, dict[str, object]] = {
    "dedicated": {"smtpPassword": "hunter2", "grafanaMode": "api", "grafanaAuth": "hunter2", "kubeconfig": "hunter2"},
    "shared": {"rulesMode": "shared", "grafanaMode": "sidecar"},
    "operator": {"rulesMode": "operator", "alertmanagerMode": "operator", "smtpPassword": "hunter2"},
    "secret": {"alertmanagerMode": "secret", "smtpPassword": "hunter2", "rulesMode": "operator"},
    "tenant": {
        **{"rulesMode": "ruler", "alertmanagerMode": "tenant", "rulerUrl": "http://mimir.test", "tenantId": "shop"},
        **{"tenantUser": "shop", "tenantPassword": "hunter2", "smtpPassword": "hunter2"},
    },
    "overwriting": {"alertmanagerReplace": True, "grafanaAdopt": True, "grafanaMode": "api", "grafanaAuth": "hunter2"},
    "on call": {"slackWebhookFile": "/etc/alertmanager/slack/url", "pagerdutyKeyFile": "/etc/pagerduty/key"},
}


def as_seen(value: Any) -> Any:
    """What the mocks call a secret as the engine shows one to the pack."""
    if isinstance(value, Mapping):
        return {key: as_seen(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_seen(inner) for inner in value]
    return HIDDEN if value == declared.SECRET else value


@cache
def program(mode: str) -> list[Seen]:
    return [Seen(one.type, one.name, as_seen(one.inputs)) for one in declared.collect(MODES[mode])]


def sentences(mode: str, policy: ModuleType, **given: object) -> list[str]:
    return [sentence for seen in program(mode) for sentence in policy.refuse(seen, settings(policy.SCHEMA, given))]


# ── the program as it stands ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__.rpartition(".")[2])
def test_the_program_passes_in_every_mode(mode: str, policy: ModuleType) -> None:
    allowed = {"wholeAlertmanagerConfig": True, "dashboardOfOthers": True} if mode == "overwriting" else {}
    assert sentences(mode, policy, **allowed) == []


def test_the_kinds_are_those_that_the_program_makes_and_no_more() -> None:
    made = {seen.type for mode in MODES for seen in program(mode)}
    # The mocks register neither the provider of dynamic resources nor, in every version, the stack.
    assert {*our_kinds.KINDS} - made <= {"pulumi:providers:pulumi-python", "pulumi:pulumi:Stack"}


def test_the_settings_begin_where_those_of_the_program_do() -> None:
    """What Pulumi.yaml calls others' objects by default may be changed, and nothing else."""
    known = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))["config"]

    def default(key: str) -> str:
        return str(known[key]["default"])

    assert one_namespace.SCHEMA["namespace"]["default"] == default("namespace")
    maps = ("prometheusConfigMap", "alertmanagerConfigMap", "sharedRulesConfigMap")
    assert our_names.SCHEMA["configMapsOfOthers"]["default"] == [*map(default, maps)]
    assert our_names.SCHEMA["secretsOfOthers"]["default"] == [default("alertmanagerSecret")]
    workloads = ("prometheusDeployment", "alertmanagerDeployment")
    assert our_names.SCHEMA["workloadsOfOthers"]["default"] == [*map(default, workloads)]
    known_inputs = plain_secrets.SCHEMA["secretInputs"]["default"]
    for key in program_settings.SECRETS:  # `auth`, `password` and `token` where they arrive
        assert {key, re.sub(".*(?=Auth|Password|Token)", "", key).lower()} & {*known_inputs}, key


def test_everything_in_kubernetes_is_held_to_the_namespace() -> None:
    for seen in program("dedicated"):
        found = [*one_namespace.refuse(seen, {"namespace": "elsewhere"})]
        in_grafana = seen.type.startswith("grafana:") or seen.kind in (
            "DashboardFolder",
            "PreviousDashboard",
            "grafana",
        )
        assert bool(found) != (in_grafana or seen.type.startswith(("monitoring:", "pulumi:pulumi:"))), seen.type


def test_the_work_of_others_is_overwritten_only_where_the_owners_allow_it() -> None:
    dashboard, whole = sorted(sentences("overwriting", others_work), reverse=True)
    assert whole.startswith("ConfigText alertmanager-config writes all of alertmanager-config (editor replace)")
    assert dashboard.startswith("PreviousDashboard previous-dashboard takes over a dashboard of others")
    assert sentences("overwriting", others_work, wholeAlertmanagerConfig=True) == [dashboard]
    assert sentences("overwriting", others_work, dashboardOfOthers=True) == [whole]


# ── the pack itself ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mistyped_setting_is_said() -> None:
    assert unknown_settings("one-namespace", one_namespace.SCHEMA, {"namspace": "x"}) == [
        "policy one-namespace has no setting namspace: it has namespace"
    ]
    assert unknown_settings("one-namespace", one_namespace.SCHEMA, {"namespace": "x"}) == []


def test_the_pack_imports_nothing_of_the_program() -> None:
    def imported(tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(node.module)

    files = [path for path in PACK.rglob("*.py") if ".venv" not in path.parts]
    assert len(files) > 6
    for path in files:
        found = {name.partition(".")[0] for name in imported(ast.parse(path.read_text("utf-8")))}
        foreign = found - sys.stdlib_module_names - {"refusals"}
        assert foreign <= ({"pulumi_policy"} if path.name == "pack.py" else set()), path.name


def test_the_readme_names_every_policy_and_setting() -> None:
    text = (PACK / "README.md").read_text("utf-8")
    named = [
        node.value
        for node in ast.walk(ast.parse((PACK / "refusals" / "pack.py").read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    policies = ["only-our-kinds", "one-namespace", "our-names", "others-work-stays", "no-plain-secrets"]
    assert [*filter(named.__contains__, policies)] == policies
    for name in (*policies, *(name for policy in POLICIES for name in policy.SCHEMA)):
        assert f"`{name}`" in text, name
