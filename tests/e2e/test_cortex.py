"""rulesMode ruler and alertmanagerMode tenant, on a real Cortex that others use too."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import routing
import rules
from components.settings import SECRETS
from ops import targets
from ops.checks.every_check import run_checks
from ops.clients.tenant import TenantConfig
from tests.e2e.rig import Rig
from tests.e2e.test_killed import killed
from tests.support import cortex
from tests.support.cortex import Cortex
from tests.support.limits import changed, other
from tests.support.waiting import until

OURS = {*rules.alerts(), *rules.recordings()}
RECEIVERS = {str(receiver["name"]) for receiver in routing.load().parts(None).receivers}
NAMESPACE = "api-monitoring"
NOBODY = "http://127.0.0.1:9"  # nothing listens there
PASSWORD, TOKEN = "hunter2", "hunter3"
THEIRS = """\
# Written by the platform team.
templates: [team.tmpl]
route:
  receiver: default   # everything
  routes:
    - receiver: billing
      matchers: ['component="billing"']
receivers:
  - name: default
  - name: billing
    webhook_configs:
      - url: http://127.0.0.1:9/hook
"""
TEMPLATES = {"team.tmpl": '{{ define "team" }}ö{{ end }}\n'}
THEIR_GROUP = "name: platform\nrules:\n- alert: PlatformDown\n  expr: vector(1) > 2\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cortex]:
    with cortex.cortex(tmp_path_factory.mktemp("cortex")) as running:
        yield running


@pytest.fixture
def tenant(servers: Cortex, rig: Rig) -> str:
    return with_a_tenant(servers, rig)


def with_a_tenant(servers: Cortex, rig: Rig) -> str:
    """A tenant with rules and a configuration of its own; the program is to go there."""
    name = f"tenant-{secrets.token_hex(4)}"
    servers.config(name).write(TenantConfig(THEIRS, TEMPLATES))
    servers.ruler(name).write("platform", THEIR_GROUP)
    configure(rig, servers, name)
    return name


def settings_of(servers: Cortex, tenant: str) -> dict[str, object]:
    return {
        **{"rulesMode": "ruler", "alertmanagerMode": "tenant", "grafanaMode": "off"},
        **{"rulerUrl": servers.url, "rulerApi": "cortex", "tenantId": tenant},
        **{"smtpPassword": PASSWORD, "tenantToken": TOKEN},  # Cortex asks for no token itself
        **{"prometheusUrl": "", "alertmanagerUrl": ""},
    }


def configure(rig: Rig, servers: Cortex, tenant: str, **more: object) -> None:
    rig.configure(**{**settings_of(servers, tenant), **more})


def stored(servers: Cortex, tenant: str) -> object:
    """All that is stored for a tenant, ours and others'."""
    ruler = servers.ruler(tenant)
    return servers.config(tenant).read(), ruler.groups(NAMESPACE), ruler.groups("platform")


def test_from_preview_to_destroy_nothing_of_theirs_is_touched(servers: Cortex, rig: Rig, tenant: str) -> None:
    before = stored(servers, tenant)
    planned = rig.preview()
    assert stored(servers, tenant) == before, "a preview writes nothing"

    started = time.monotonic()
    assert rig.up() == planned
    print(f"up, from its start to proved live: {time.monotonic() - started:.1f} s")
    kept = [path.read_text("utf-8", errors="replace") for path in rig.state_files()]
    assert kept
    for secret in (PASSWORD, TOKEN):
        assert not any(secret in text for text in ("".join(rig.said), *kept))
    assert servers.rules(tenant) == OURS | {"PlatformDown"}
    assert servers.receivers(tenant) == RECEIVERS | {"default", "billing"}
    config = servers.config(tenant).read()
    assert config is not None
    assert config.templates == TEMPLATES
    assert f"auth_password: {PASSWORD}" in config.text
    now = iter(config.text.splitlines())
    assert all(line in now for line in THEIRS.splitlines()), "a line of theirs was lost, moved or altered"
    assert rig.objects() == rig.before, "nothing in the cluster is written"

    started = time.monotonic()
    assert rig.preview() == {}
    print(f"a preview with nothing to do: {time.monotonic() - started:.1f} s")
    assert rig.preview(refresh=True) == {}, "".join(rig.said)

    rig.destroy()
    assert stored(servers, tenant) == before
    assert servers.rules(tenant) == {"PlatformDown"}
    assert servers.receivers(tenant) == {"default", "billing"}


def test_a_changed_limit_is_one_group_and_their_edits_stay(servers: Cortex, rig: Rig, tenant: str) -> None:
    rig.up()
    alert = rules.alerts()["APIP95LatencyHigh"]
    path = rig.program / "rules" / alert.file.name
    path.write_text(changed(alert, other(alert))(path.read_text("utf-8")), encoding="utf-8")
    assert set(rig.preview()) == {"update"}
    assert other(alert) in "".join(rig.said)
    rig.up()
    running = {rule.name: rule.query for group in servers.prometheus(tenant).rules() for rule in group.rules}
    assert running[alert.name].endswith(other(alert))

    config = servers.config(tenant).read()
    assert config is not None
    more = "  - name: late   # theirs, added later\n"
    text = config.text.replace("  - name: billing\n", f"{more}  - name: billing\n", 1)
    servers.config(tenant).write(TenantConfig(text, TEMPLATES))
    until(lambda: "late" in servers.receivers(tenant))
    assert rig.preview() == {}, "what they write beside ours is theirs"
    assert "api-critical" in RECEIVERS
    broken = text.replace("receiver: api-critical", "receiver: default", 1)
    servers.config(tenant).write(TenantConfig(broken, TEMPLATES))
    servers.ruler(tenant).delete(NAMESPACE, "watchdog")
    assert rig.preview()["update"] >= 2
    said = "".join(rig.said)
    assert "our part of the Alertmanager configuration of tenant" in said
    assert "group watchdog is gone" in said
    rig.up()
    assert rig.preview() == {}
    assert servers.rules(tenant) == OURS | {"PlatformDown"}

    rig.destroy()
    left = THEIRS.replace("  - name: billing\n", f"{more}  - name: billing\n", 1)
    assert servers.config(tenant).read() == TenantConfig(left, TEMPLATES)
    assert servers.ruler(tenant).groups(NAMESPACE) == {}


@pytest.mark.parametrize("replace", [False, True])
def test_without_a_configuration_ours_is_made_and_deleted_again(servers: Cortex, rig: Rig, replace: bool) -> None:
    name = f"tenant-{secrets.token_hex(4)}"
    configure(rig, servers, name, alertmanagerReplace=replace)
    rig.up()
    assert servers.receivers(name) >= RECEIVERS
    assert "has no Alertmanager configuration: ours is made" in "".join(rig.said)
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert servers.config(name).read() is None
    assert servers.rules(name) == set()


def test_a_whole_configuration_of_ours_gives_the_old_one_back(servers: Cortex, rig: Rig, tenant: str) -> None:
    before = stored(servers, tenant)
    configure(rig, servers, tenant, alertmanagerReplace=True)
    killed(rig, lambda: servers.config(tenant).read() != TenantConfig(THEIRS, TEMPLATES))
    rig.up()
    assert "billing" not in servers.receivers(tenant)
    assert rig.preview(refresh=True) == {}
    configure(rig, servers, tenant)
    rig.up()
    assert RECEIVERS | {"billing", "default"} == servers.receivers(tenant)
    rig.destroy()
    assert stored(servers, tenant) == before


@pytest.mark.parametrize("resource", ["RuleGroups::rule-groups", "TenantText::tenant-alertmanager-config"])
def test_killed_when_it_has_begun(servers: Cortex, rig: Rig, tenant: str, resource: str) -> None:
    before = stored(servers, tenant)
    killed(rig, lambda: f"pulumi-python:dynamic/monitoring:{resource}" in rig.begun())
    rig.up()
    assert servers.rules(tenant) == OURS | {"PlatformDown"}
    assert rig.preview() == {}
    rig.destroy()
    assert stored(servers, tenant) == before


def test_killed_between_two_groups_a_destroy_takes_them_back(servers: Cortex, rig: Rig, tenant: str) -> None:
    ruler = servers.ruler(tenant)
    killed(rig, lambda: bool(ruler.groups(NAMESPACE)))
    assert ruler.groups(NAMESPACE) != {}
    rig.destroy()
    assert ruler.groups(NAMESPACE) == {}
    assert set(ruler.groups("platform")) == {"platform"}


def test_verify_looks_at_what_a_tenant_can_see(
    servers: Cortex, rig: Rig, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.up()
    given = {**rig.usual, **settings_of(servers, tenant)}
    plain = {f"api-monitoring:{key}": value for key, value in given.items() if key not in SECRETS}
    (tmp_path / "Pulumi.cortex.yaml").write_text(yaml.safe_dump({"config": plain}), "utf-8")
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    monkeypatch.setenv("TENANT_TOKEN", TOKEN)
    found = {check.name: check for check in run_checks(targets.load("cortex")).checks}
    for name in ("prometheus", "alertmanager", "routing/receivers", "routing/inhibitions", "routing/paths"):
        assert found[name].status == "pass", found[name]
    for name in ("delivery", "scrape-target", "rules/reload", "routing/reload", "pods/prometheus"):
        assert found[name].status == "skip", found[name]
    assert not [check for name, check in found.items() if name.startswith("rules/") and check.status == "fail"]


def test_two_tenants_know_nothing_of_each_other(servers: Cortex, rig: Rig, tenant: str) -> None:
    """Also where the stack moves from one to the other."""
    neighbour = f"tenant-{secrets.token_hex(4)}"
    servers.config(neighbour).write(TenantConfig(THEIRS, TEMPLATES))
    servers.ruler(neighbour).write("platform", THEIR_GROUP)
    first, second = stored(servers, tenant), stored(servers, neighbour)
    rig.up()
    assert stored(servers, neighbour) == second
    until(lambda: servers.rules(neighbour) == {"PlatformDown"})
    assert servers.receivers(neighbour) == {"default", "billing"}

    configure(rig, servers, neighbour)
    rig.up()
    assert stored(servers, tenant) == first
    assert servers.rules(neighbour) == OURS | {"PlatformDown"}
    until(lambda: servers.rules(tenant) == {"PlatformDown"})
    rig.destroy()
    assert (stored(servers, tenant), stored(servers, neighbour)) == (first, second)


def test_what_is_wrong_is_one_sentence_and_nothing_is_written(servers: Cortex, rig: Rig, tenant: str) -> None:
    servers.ruler(tenant).write(NAMESPACE, "name: theirs\nrules:\n- alert: Theirs\n  expr: vector(1) > 2\n")
    before = stored(servers, tenant)
    said = rig.refused(rig.preview)
    assert f"namespace {NAMESPACE} of tenant {tenant} at {servers.url} has rule groups already" in said
    assert "theirs; set rulerNamespace to one that is empty" in said
    for settings, words in (
        ({"tenantId": ""}, "401: no org id"),
        ({"rulerApi": "mimir"}, "check rulerUrl and rulerApi"),
        ({"rulerNamespace": "free", "prometheusUrl": f"{servers.url}/prom"}, "check rulerUrl and prometheusUrl"),
        ({"rulerUrl": f"{servers.url}/nowhere"}, "check rulerUrl and prometheusUrl"),
        ({"rulerUrl": NOBODY}, "is rulerUrl (or tenantUrl) right?"),
        ({"tenantCaFile": "/nowhere.pem", "rulerUrl": "https://127.0.0.1:9"}, "tenantCaFile cannot be used"),
        ({"smtpPassword": ""}, "set smtpPassword (--secret)"),
    ):
        configure(rig, servers, tenant, **settings)
        # By itself an `up` waits for what is only down, and may write routes before the ruler refuses.
        in_preview = "rulerApi" in settings or settings.get("rulerUrl") == NOBODY
        said = rig.refused(rig.preview if in_preview else rig.up)
        assert words in said, said
        assert PASSWORD not in said
    assert stored(servers, tenant) == before
