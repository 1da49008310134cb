"""The program under Pulumi's mocks: shapes, dependencies, and that the deployed bytes are the files'.

Mocks prove no more than that; tests/e2e runs the same program on a real engine and a real API server.
"""

import contextvars
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import grpc  # type: ignore[import-untyped]
import pulumi
import pytest
import yaml
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

import dashboards
import routing
import rules
from components import program, settings
from components.alert_rules.dedicated_rules import CONFIG_MAP_BYTES, numbered, spread
from components.alert_rules.operator_rules import object_name
from formats.json_types import JsonValue
from ops.errors import Misconfigured
from ops.stack.declared import SECRET, Declared, collect
from tests.support.our_routes import FALLBACK

FILES = {file.name: file.text for file in rules.load()}


@cache
def declared(**values: object) -> list[Declared]:
    return collect(values)


def of_type(found: list[Declared], ending: str) -> list[Declared]:
    return [resource for resource in found if resource.type.endswith(ending)]


def one(found: list[Declared], ending: str) -> Declared:
    (resource,) = of_type(found, ending)
    return resource


def reaches(found: list[Declared], start: str) -> set[str]:
    """Everything that is made before `start`, directly or not."""
    after = {resource.name: resource.after for resource in found}
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in after.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def test_dedicated_is_the_guides_second_step() -> None:
    found = declared()
    config_map = one(found, ":ConfigMap")
    assert config_map.inputs["metadata"]["name"] == "api-performance-alerts"
    assert config_map.inputs["data"] == FILES
    mount = one(found, ":Mount").inputs
    assert (mount["workload"], mount["container"]) == ("Deployment/prometheus", "prometheus")
    assert (mount["volume"], mount["source"]) == (
        "api-performance-alerts",
        {"configMap": {"name": "api-performance-alerts"}},
    )
    assert mount["path"] == "/etc/prometheus/api-performance-alerts"
    edits = {edit.inputs["editor"]: edit.inputs for edit in of_type(found, "ConfigText")}
    assert edits["rule-files"]["ours"] == "/etc/prometheus/api-performance-alerts/*.yml"
    assert (edits["rule-files"]["config_map"], edits["rule-files"]["key"]) == ("prometheus-config", "prometheus.yml")


def test_shared_adds_one_key_a_file_and_restarts_nothing() -> None:
    found = declared(rulesMode="shared")
    patch = one(found, ":ConfigMapPatch")
    assert patch.inputs["metadata"]["name"] == "prometheus-rules"
    assert patch.inputs["data"] == FILES
    assert not of_type(found, ":Mount")
    assert [edit.inputs["editor"] for edit in of_type(found, "ConfigText")] == ["routing"]


def test_operator_declares_the_same_rules_and_routes_in_its_words() -> None:
    operator = {"rulesMode": "operator", "alertmanagerMode": "operator", "smtpPassword": "hunter2"}
    found = declared(**operator, grafanaMode="sidecar", operatorLabels="a=b,c=d")
    objects = of_type(found, ":PrometheusRule")
    specs = [entry.inputs["spec"] for entry in objects]  # made side by side, so in no order
    assert len(specs) == len(FILES)
    # as YAML has them in files whose every value is a text, as in ours
    assert all(yaml.load(text, yaml.BaseLoader) in specs for name, text in FILES.items() if name.startswith("api-"))
    assert all(entry.inputs["metadata"]["labels"] == {"a": "b", "c": "d"} for entry in objects)
    spec = one(found, ":AlertmanagerConfig").inputs["spec"]
    parts = routing.load().parts()
    assert [route["receiver"] for route in spec["route"]["routes"]] == [route["receiver"] for route in parts.routes]
    assert {receiver["name"] for receiver in spec["receivers"]} == {receiver["name"] for receiver in parts.receivers}
    mail = spec["receivers"][0]["emailConfigs"][0]
    assert mail["smarthost"] == "smtp.postmarkapp.com:587"
    assert mail["requireTLS"] and mail["sendResolved"]
    assert mail["authPassword"] == {"name": "api-monitoring-smtp", "key": "password"}
    assert mail["headers"][0]["key"] == "Subject"
    assert not of_type(found, "ConfigText")


def test_the_operator_reads_the_mail_password_from_a_secret_alone() -> None:
    operator = {"alertmanagerMode": "operator", "grafanaMode": "off"}
    with pytest.raises(
        Misconfigured, match=r"set smtpPassword \(--secret\), or smtpPasswordFile to /etc/alertmanager/se"
    ):
        declared(**operator)
    found = declared(**operator, smtpPasswordFile="/etc/alertmanager/secrets/postmark/token")
    for receiver in one(found, ":AlertmanagerConfig").inputs["spec"]["receivers"]:
        for mail in receiver.get("emailConfigs", ()):
            assert mail["authPassword"] == {"name": "postmark", "key": "token"}
    assert not of_type(found, ":Secret")
    (live,) = [entry for entry in found if entry.name == "live"]
    assert live.inputs["operated"]["routing"]["secrets"] == [{"name": "postmark", "key": "token"}]


@pytest.mark.parametrize(
    ("file", "name"), [("api-alerts.yml", "api-monitoring-api-alerts"), ("API_x.v1.yml", "api-monitoring-api-x.v1")]
)
def test_a_rule_file_of_any_name_becomes_an_object_that_kubernetes_takes(file: str, name: str) -> None:
    assert object_name(file) == name


def test_replace_deploys_the_file_byte_for_byte() -> None:
    edit = {e.inputs["editor"]: e.inputs for e in of_type(declared(alertmanagerReplace=True), "ConfigText")}["replace"]
    assert edit["ours"] == routing.load().text


def test_the_smarthost_alone_differs_where_a_stack_says_so() -> None:
    found = declared(alertmanagerReplace=True, smtpSmarthost="localhost:2525")
    edit = {e.inputs["editor"]: e.inputs for e in of_type(found, "ConfigText")}["replace"]
    assert edit["ours"] == routing.load().text.replace("smtp.postmarkapp.com:587", "localhost:2525")


def test_merged_receivers_carry_their_own_mail_settings() -> None:
    edit = {e.inputs["editor"]: e.inputs for e in of_type(declared(), "ConfigText")}["routing"]
    parts: Mapping[str, JsonValue] = json.loads(edit["ours"])
    for receiver in parts["receivers"]:
        for mail in receiver.get("email_configs", ()):
            assert mail["smarthost"] == "smtp.postmarkapp.com:587"
            assert mail["auth_password_file"] == "/etc/alertmanager/smtp/password"
    assert FALLBACK not in {receiver["name"] for receiver in parts["receivers"]}


def test_the_dashboard_is_the_file_with_its_limits_drawn() -> None:
    found = declared(grafanaAuth="token")
    board = one(found, "oss/dashboard:Dashboard")
    assert board.inputs["configJson"] == dashboards.FILE.read_text("utf-8")
    assert "previous-dashboard" in board.after, "which refuses what others have under its uid"
    assert one(found, ":DashboardFolder").inputs["uid"] == "api-performance"
    assert one(found, "providers:grafana").inputs["retryWait"] == "1", "its own three attempts more would take 14 s"


def test_the_dashboard_for_the_sidecar_is_a_labelled_config_map() -> None:
    (board,) = [m for m in of_type(declared(grafanaMode="sidecar"), ":ConfigMap") if m.name == dashboards.UID]
    assert board.inputs["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert board.inputs["data"] == {"api-performance-baseline.json": dashboards.FILE.read_text("utf-8")}


def test_a_password_becomes_a_secret_mounted_where_it_is_looked_for() -> None:
    found = declared(smtpPassword="hunter2")
    secret = one(found, ":Secret")
    assert secret.inputs["stringData"] == SECRET
    assert "hunter2" not in str(found)
    (mount,) = [mount for mount in of_type(found, ":Mount") if mount.inputs["workload"] == "Deployment/alertmanager"]
    assert mount.inputs["source"] == {"secret": {"secretName": "api-monitoring-smtp"}}
    assert mount.inputs["path"] == "/etc/alertmanager/smtp"


def test_proof_comes_last_and_its_counterpart_first() -> None:
    found = declared()
    live = one(found, ":Live")
    real = {resource.name for resource in found if resource.custom and not resource.type.startswith("pulumi:providers")}
    first = one(found, ":Withdrawn")
    assert real - reaches(found, live.name) <= {live.name}
    assert not first.after
    edits = of_type(found, "ConfigText") + of_type(found, ":ConfigMap") + of_type(found, ":Mount")
    assert edits
    for resource in edits:
        assert first.name in reaches(found, resource.name), resource.name


def test_rules_are_mounted_before_they_are_named() -> None:
    found = declared()
    (edit,) = [e for e in of_type(found, "ConfigText") if e.inputs["editor"] == "rule-files"]
    before = reaches(found, edit.name)
    assert {one(found, ":ConfigMap").name, one(found, ":Mount").name} <= before


def test_a_bad_setting_is_refused_in_one_sentence() -> None:
    with pytest.raises(
        Misconfigured, match=r"^Pulumi\.prod\.yaml: there is no setting namspace; did you mean namespace\?$"
    ):
        collect({"namspace": "x"})


def test_of_the_ambient_kubeconfig_the_provider_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told its path, which is what its SDK does with None, it leaves a copy of the file."""
    monkeypatch.setenv("KUBECONFIG", "/somewhere/kubeconfig")
    assert one(collect({}), "providers:kubernetes").inputs["kubeconfig"] == ""
    assert one(declared(kubeconfig="/elsewhere"), "providers:kubernetes").inputs["kubeconfig"] == SECRET


def configured(monkeypatch: pytest.MonkeyPatch, encrypted: bool, **values: str) -> settings.Settings:
    """The settings that the program reads when the engine hands it these."""
    monkeypatch.setattr(pulumi, "get_project", settings.project)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "prod")
    config = {f"{settings.project()}:{key}": value for key, value in values.items()}

    def read() -> settings.Settings:
        pulumi.runtime.set_all_config(config, list(config) if encrypted else [])
        return program.configured()

    return contextvars.copy_context().run(read)


def test_a_secret_in_plain_text_is_refused_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in settings.SECRETS:
        with pytest.raises(settings.SettingsError) as refused:
            configured(monkeypatch, False, **{key: "hunter2"})
        assert str(refused.value).startswith(f"Pulumi.prod.yaml: {key} is in plain text; run `pulumi config set")
        assert "hunter2" not in str(refused.value)
    found = configured(monkeypatch, True, grafanaAuth="token", smtpPassword="hunter2")
    assert (found.grafana.auth, found.smtp.password) == ("token", "hunter2")
    assert configured(monkeypatch, False, grafanaAuth="", namespace="m").namespace == "m"


class Engine(engine_pb2_grpc.EngineServicer):
    """Refuses every version, in a real engine's words."""

    def RequirePulumiVersion(
        self, request: engine_pb2.RequirePulumiVersionRequest, context: grpc.ServicerContext
    ) -> None:
        words = f'Pulumi CLI version 3.218.0 does not satisfy the version range "{request.pulumi_version_range}"'
        context.abort(grpc.StatusCode.UNKNOWN, words)


@pytest.mark.parametrize(
    ("servicer", "sentence"),
    [
        (Engine(), 'Pulumi CLI version 3.218.0 does not satisfy the version range ">=3.219.0"; install a newer one as'),
        (None, "This Pulumi CLI is too old to be asked for its version (>=3.219.0 is needed); install a newer one as"),
    ],
)
def test_a_cli_that_is_too_old_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, servicer: Engine | None, sentence: str
) -> None:
    monkeypatch.setattr(settings, "required_cli", lambda: ">=3.219.0")
    server = grpc.server(ThreadPoolExecutor(1))  # without a servicer: an engine that knows no such question
    if servicer:
        engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = engine_pb2_grpc.EngineStub(channel)
            monkeypatch.setattr("pulumi.runtime.settings.get_engine", lambda: stub)
            with pytest.raises(pulumi.RunError) as refused:
                program.require_cli()
    finally:
        server.stop(None)
    assert str(refused.value) == f"{sentence} https://www.pulumi.com/docs/install says"


@pytest.mark.parametrize(
    ("setting", "package", "ending"),
    [
        ("rulesMode", "alert_rules", "rules"),
        ("alertmanagerMode", "alert_routing", "routing"),
        ("grafanaMode", "dashboard", "dashboard"),
    ],
)
def test_each_way_of_delivery_is_one_file(setting: str, package: str, ending: str) -> None:
    """And each file is one that Pulumi.yaml names (`replaced` is chosen by another setting)."""
    folder = settings.PROJECT_FILE.parent / "components" / package
    found = {path.stem.removesuffix(f"_{ending}") for path in folder.glob(f"*_{ending}.py")}
    assert found - {"replaced"} == {*settings.choices(setting)}


def test_files_beyond_a_config_map_are_spread() -> None:
    texts = {f"{n}.yml": "x" * 400 for n in range(5)}
    groups = spread(texts, 1000)
    assert [len(group) for group in groups] == [2, 2, 1]
    assert {name: text for group in groups for name, text in group.items()} == texts
    assert numbered("rules", 3) == ["rules", "rules-2", "rules-3"]
    assert CONFIG_MAP_BYTES < 1 << 20


def test_no_secret_is_shown() -> None:
    found = declared(grafanaAuth="glsa_example")
    assert "glsa_example" not in str(found)
    assert SECRET in str(found)
