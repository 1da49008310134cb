"""Configuration: every key has a type and a description, and a bad value gets one sentence."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components import settings
from components.settings import SettingsError, read
from ops import targets
from ops.clients.server_access import ServiceAddress
from ops.errors import Misconfigured
from tests.support.checkout import ROOT

URL = {"prometheusUrl": "https://prometheus.example/prefix/"}
TENANT = {"alertmanagerMode": "tenant", "rulerUrl": "https://mimir.example"}


def test_defaults_are_the_guides_names() -> None:
    found = read({}, where="nowhere")
    assert found.namespace == "monitoring"
    assert (found.prometheus.deployment, found.alertmanager.config_map) == ("prometheus", "alertmanager-config")
    assert found.rules.config_map == "api-performance-alerts"
    assert found.rules.mount_path == "/etc/prometheus/api-performance-alerts"
    assert found.grafana.url == "https://grafana.rsolv.dev"


def test_every_key_has_type_default_and_description() -> None:
    for key, entry in settings.schema().items():
        assert set(entry) == {"type", "default", "description"}, key
        assert entry["description"].strip(), key


def test_every_key_is_read() -> None:
    source = (ROOT / "components" / "settings" / "reader.py").read_text("utf-8")
    for key in settings.schema():
        server = re.fullmatch(r"(?:prometheus|alertmanager|tenant)([A-Z]\w+)", key)
        assert f'"{key}"' in source or (server and re.search(rf'{{(name|of)}}{server[1]}"', source)), key


def test_production_stack_file_is_read() -> None:
    stack = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text("utf-8"))["config"]
    prefix = f"{settings.project()}:"
    assert all(key.startswith(prefix) for key in stack)
    read({key.removeprefix(prefix): value for key, value in stack.items()}, where="Pulumi.prod.yaml")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"namspace": "a"}, "Pulumi.prod.yaml: there is no setting namspace; did you mean namespace?"),
        ({"zzz": "a"}, "Pulumi.prod.yaml: there is no setting zzz; Pulumi.yaml lists all settings"),
        ({"rulesMode": "both"}, "rulesMode is 'both'; give one of dedicated, shared, "),
        ({"namespace": "My Space"}, "namespace is 'My Space'; give a Kubernetes name"),
        ({"namespace": ""}, "namespace is ''; give a value"),
        ({"liveTimeout": "soon"}, "liveTimeout is 'soon'; give a whole number of seconds"),
        ({"prometheusWorkload": "prometheus"}, "give Deployment/NAME or StatefulSet/NAME"),
        ({"prometheusWorkload": "StatefulSet/Mine"}, "give Deployment/NAME or StatefulSet/NAME"),
        (
            {"alertmanagerWorkload": "DaemonSet/alertmanager"},
            "is 'DaemonSet/alertmanager'; give Deployment/NAME or StatefulSet/NAME: of a DaemonSet each node has a pod",
        ),
        ({"liveTimeout": True}, "liveTimeout is True; give a whole number of seconds"),
        ({"grafanaOrgId": "two"}, "grafanaOrgId is 'two'; give the number of an organisation, or 0"),
        ({"grafanaOrgId": -1}, "grafanaOrgId is -1; give the number of an organisation, or 0"),
        ({"grafanaOrgId": True}, "grafanaOrgId is True; give the number of an organisation, or 0"),
        ({"grafanaAdopt": "yes"}, "grafanaAdopt is 'yes'; give true or false"),
        ({"prometheusUrl": "prometheus:9090"}, "prometheusUrl is 'prometheus:9090'; give a URL"),
        ({"prometheusService": "prometheus"}, "prometheusService is 'prometheus'; give NAME:PORT"),
        ({"rulesMountPath": "etc/"}, "rulesMountPath is 'etc/'; give an absolute path"),
        ({"operatorLabels": "release"}, "operatorLabels is 'release'; give labels as k=v"),
        ({"smtpPassword": 7}, "smtpPassword is (a secret); give text"),
        ({"rulesMode": "ruler"}, "rulerUrl is ''; give the URL of Mimir or Cortex, as rulesMode is ruler"),
        ({**TENANT, "rulerUrl": ""}, "rulerUrl is ''; give the URL of Mimir or Cortex, as alertmanagerMode is tenant"),
        ({"rulerApi": "loki"}, "rulerApi is 'loki'; give one of mimir, cortex"),
        ({"histograms": "both"}, "histograms is 'both'; give one of classic, native"),
        ({"histograms": 1}, "histograms is 1; give one of classic, native"),
        ({"histograms": None}, "histograms is empty; give one of classic, native"),
        ({"annotatePods": "yes please"}, "annotatePods is 'yes please'; give true or false"),
        ({"annotatePods": 1}, "annotatePods is 1; give true or false"),
        ({"annotatePods": None}, "annotatePods is empty; give true or false"),
        (
            {"alertmanagerMode": "secret", "alertmanagerSecret": "Alerts"},
            "alertmanagerSecret is 'Alerts'; give a Kubernetes name",
        ),
        (
            {"alertmanagerMode": "secret", "alertmanagerSecretKey": "a/b"},
            "alertmanagerSecretKey is 'a/b'; give a key of a Secret (letters, digits, '-', '_' and '.')",
        ),
        ({**TENANT, "webhookUrlFile": "/a/b"}, "webhookUrlFile is '/a/b'; give no file: in alertmanagerMode tenant"),
        ({**TENANT, "tenantPassword": "hunter2"}, "tenantPassword is (a secret); give tenantUser too"),
        ({**TENANT, "tenantKeyFile": "k"}, "tenantKeyFile is 'k'; give tenantCertFile too"),
        (
            {**TENANT, "tenantUser": "me", "tenantToken": "x"},
            "tenantUser is 'me'; give either it with tenantPassword, or",
        ),
        (
            {**TENANT, "alertmanagerToken": "hunter2"},
            "alertmanagerToken is (a secret); give tenantToken instead: it is asked as the tenant (https://mimir.example",
        ),
        (
            {"prometheusToken": "hunter2"},
            "prometheusToken is (a secret); give prometheusUrl too: through prometheusService the API server passes ",
        ),
        ({"alertmanagerCaFile": "/ca.pem"}, "alertmanagerCaFile is '/ca.pem'; give alertmanagerUrl too: "),
        ({**URL, "prometheusPassword": "hunter2"}, "prometheusPassword is (a secret); give prometheusUser too"),
        ({**URL, "prometheusCertFile": "c"}, "prometheusCertFile is 'c'; give prometheusKeyFile too"),
        (
            {**URL, "prometheusUser": "me", "prometheusToken": "hunter2"},
            "prometheusUser is 'me'; give either it with prometheusPassword, or prometheusToken",
        ),
        (
            {"prometheusUrl": "https://me:hunter2@prometheus.example"},
            "prometheusUrl holds credentials; give it without user and password, which are prometheusUser and ",
        ),
        ({"prometheusService": "prometheus"}, "prometheusService is 'prometheus'; give NAME:PORT, https:NAME:PORT or"),
        ({"prometheusService": "https:prometheus"}, "prometheusService is 'https:prometheus'; give NAME:PORT, https:"),
        ({"prometheusService": "a:web/pre fix"}, "prometheusService is 'a:web/pre fix'; give NAME:PORT, https:"),
    ],
)
def test_bad_value_gets_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        read(values, where="Pulumi.prod.yaml")


@pytest.mark.parametrize("key", ["heartbeatUrlFile", "pagerdutyKeyFile", "slackWebhookFile", "webhookUrlFile"])
def test_a_secret_in_the_place_of_its_file_is_not_shown(key: str) -> None:
    with pytest.raises(SettingsError, match=rf"^x: {key} is no path .*; give the absolute path of a file") as refused:
        read({key: "https://hooks.example/hunter2"}, where="x")
    assert "hunter2" not in str(refused.value)


def test_pods_are_annotated_only_where_some_mount_what_is_written() -> None:
    ruler = {"rulesMode": "ruler", "rulerUrl": "https://mimir.example"}
    for values in ({"rulesMode": "operator"}, {"alertmanagerMode": "operator"}, ruler, TENANT):
        assert read({**values, "annotatePods": True}, where="x").annotate_pods
    for values in ({"rulesMode": "operator", "alertmanagerMode": "operator"}, {**ruler, **TENANT}):
        modes = f"rulesMode {values['rulesMode']} and alertmanagerMode {values['alertmanagerMode']}"
        with pytest.raises(SettingsError, match=f"annotatePods is True; give false: with {modes} no pod mounts what "):
            read({**values, "annotatePods": True}, where="x")
        assert not read({**values, "annotatePods": False}, where="x").annotate_pods


def test_the_servers_of_a_tenant_are_found_by_one_url() -> None:
    """Another server is not told who asks: it has no tenant."""
    found = read(
        {**TENANT, "rulesMode": "ruler", "tenantUrl": "https://am.example", "tenantToken": "hunter2"}, where="x"
    )
    assert (found.prometheus.url, found.prometheus.reload) == ("https://mimir.example/prometheus", "polling")
    assert found.alertmanager.url == "https://am.example/alertmanager"
    assert found.alertmanager.tenant and found.alertmanager.tenant.url == "https://am.example"
    assert "hunter2" not in repr(found)
    assert read({**TENANT, "tenantToken": "hunter2"}, where="x").prometheus.tenant is None


def test_each_server_has_its_own_credentials() -> None:
    given = {**URL, "prometheusUser": "me", "prometheusPassword": "hunter2", "alertmanagerService": "https:am:web/am"}
    found = read(given, where="x")
    assert found.prometheus.credentials == settings.Credentials("prometheus", user="me", password="hunter2")
    assert found.prometheus.url == "https://prometheus.example/prefix"
    assert found.alertmanager.credentials == settings.Credentials("alertmanager")
    assert found.alertmanager.service == "https:am:web/am"


def test_what_is_read_as_a_service_is_what_the_client_knows() -> None:
    for text, parts in {
        "prometheus:9090": ("", "prometheus", "9090", ""),
        "https:prometheus:web": ("https", "prometheus", "web", ""),
        "http:prometheus:9090/a/b/": ("http", "prometheus", "9090", "/a/b"),
    }.items():
        assert read({"prometheusService": text}, where="x").prometheus.service == text
        assert ServiceAddress.parse(text) == ServiceAddress(*parts)


def test_secrets_are_not_printed() -> None:
    secret = {**URL, "prometheusToken": "hunter2", "grafanaAuth": "hunter2", "smtpPassword": "hunter2"}
    assert "hunter2" not in repr(read(secret, where="x"))


def test_secrets_have_no_default_and_say_how_they_are_set() -> None:
    for key in settings.SECRETS:
        entry = settings.schema()[key]
        assert entry["default"] == ""
        assert f"pulumi config set --secret {key}" in entry["description"]


def test_the_cli_is_asked_for_as_a_range() -> None:
    assert re.fullmatch(r">=\d+\.\d+\.\d+", settings.required_cli())


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            "api-monitoring:grafanaAuth: hunter2",
            "grafanaAuth is in plain text; run `pulumi config set --secret grafanaAuth`, which asks",
        ),
        (
            "smtpPassword: hunter2",  # Pulumi takes a key without the project's prefix for one of the project
            "smtpPassword is in plain text; run `pulumi config set --secret smtpPassword`, which asks",
        ),
        (
            "api-monitoring:smtpPassword: 1222\n  api-monitoring:grafanaAuth: hunter2",
            "grafanaAuth and smtpPassword are in plain text; run `pulumi config set --secret grafanaAuth` and "
            "`pulumi config set --secret smtpPassword`, which asks",
        ),
    ],
)
def test_a_secret_in_plain_text_is_refused_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, sentence: str
) -> None:
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    (tmp_path / "Pulumi.x.yaml").write_text(f"config:\n  {lines}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        targets.stack_values("x")
    assert str(refused.value).startswith(f"Pulumi.x.yaml: {sentence}")
    assert "hunter2" not in str(refused.value) and "1222" not in str(refused.value)


def test_an_encrypted_or_an_empty_secret_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    lines = (
        "api-monitoring:grafanaAuth:\n    secure: v1:a:b\n  api-monitoring:smtpPassword: ''\n  other:grafanaAuth: x\n"
    )
    (tmp_path / "Pulumi.x.yaml").write_text(f"config:\n  {lines}  namespace: m\n", encoding="utf-8")
    assert targets.stack_values("x") == {"smtpPassword": "", "namespace": "m"}


def test_a_stack_file_that_is_not_yaml_is_named_by_line_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    (tmp_path / "Pulumi.x.yaml").write_text("config:\n  api-monitoring:grafanaAuth: 'hunter2\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"^Pulumi\.x\.yaml is not a stack file \(line \d+: ") as refused:
        targets.stack_values("x")
    assert "hunter2" not in str(refused.value)


@given(
    st.sampled_from(sorted(settings.schema())), st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none())
)
def test_any_value_is_read_or_refused(key: str, value: object) -> None:
    try:
        read({key: value}, where="Pulumi.x.yaml")
    except SettingsError as error:
        assert str(error).startswith(f"Pulumi.x.yaml: {key} is ")


def test_a_secret_has_the_text_only_in_its_mode() -> None:
    given = {"alertmanagerSecret": "alerts", "alertmanagerSecretKey": "a.yaml.gz"}
    held = settings.read({**given, "alertmanagerMode": "secret"}, where="x").alertmanager
    assert (held.secret_name, held.config_key) == ("alerts", "a.yaml.gz")
    other = settings.read(given, where="x")
    assert (other.alertmanager.secret_name, other.alertmanager.config_key) == ("", "alertmanager.yml")
    assert other.prometheus.secret_name == ""
