"""The roles of docs/rbac/ on a real API server: they are enough, and what one lacks is said by its name."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

import rules
from components.settings import SECRETS
from ops import targets
from ops.checks.every_check import run_checks
from ops.clients.kubernetes import Kubernetes
from ops.sandbox.cluster import NAMESPACE
from tests.e2e import kubelet, operated, own_network, test_secret_text
from tests.e2e.accounts import DEPLOY, PREVIEW, Accounts, applied, lacking
from tests.e2e.operated import Operated
from tests.e2e.rig import Rig


@pytest.fixture
def accounts(rig: Rig) -> Iterator[Accounts]:
    with applied(rig) as found:
        rig.configure(kubeconfig=str(found.kubeconfig))
        yield found


def warned(rig: Rig) -> str:
    """The warnings of the last preview, without the engine's on its parts."""
    lines = [line.strip() for text in rig.said for line in text.splitlines() if "warning: " in line]
    return "\n".join(line for line in lines if "using pulumi-" not in line and "resource plugin" not in line)


def test_an_account_for_previews_previews_and_cannot_write(accounts: Accounts) -> None:
    rig = accounts.rig
    accounts.use(PREVIEW)
    assert rig.preview()["create"] > 0
    for word in ("forbidden", "403", "could not", "not looked at", "would fail", "cannot"):
        assert word not in warned(rig)
    words = rig.refused(rig.up)
    assert 'cannot patch resource "configmaps"' in words
    assert "Resource monitor" not in words
    assert rig.objects() == rig.before


def test_an_account_that_deploys_lives_through_all_of_it(
    accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = accounts.rig
    accounts.use(DEPLOY)
    planned = rig.preview()
    assert "forbidden" not in warned(rig) and "could not" not in warned(rig)
    assert rig.up() == planned
    assert set(rules.alerts()) <= rig.rules()
    accounts.use(PREVIEW)
    assert rig.preview(refresh=True) == {}, warned(rig)

    verifies(accounts, tmp_path, monkeypatch, {})

    accounts.use(DEPLOY)
    rig.destroy()
    assert rig.objects() == rig.before


def verifies(accounts: Accounts, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, object]) -> None:
    """`verify`, by the account that is used, finds rules and routing in order, and everything can be looked at."""
    given = {**accounts.rig.usual, **settings, "kubeconfig": str(accounts.kubeconfig)}
    plain = {f"api-monitoring:{key}": value for key, value in given.items() if key not in SECRETS}
    (folder / "Pulumi.held.yaml").write_text(yaml.safe_dump({"config": plain}), "utf-8")
    monkeypatch.setattr(targets, "ROOT", folder)
    found = {check.name: check for check in run_checks(targets.load("held")).checks}
    assert found["rules/api_performance"].status == found["routing/receivers"].status == "pass"
    assert "forbidden" not in str(found)


# `list` and `watch` on ConfigMaps are not here: without them a destroy waits for ten minutes.
@pytest.mark.parametrize(
    ("resource", "verb", "says"),
    [
        ("configmaps", "get", 'cannot get resource "configmaps"'),
        ("configmaps", "patch", 'cannot patch resource "configmaps"'),
        ("configmaps", "create", 'cannot create resource "configmaps"'),
        ("deployments", "get", 'cannot get resource "deployments"'),
        ("deployments", "patch", 'cannot patch resource "deployments"'),
    ],
)
def test_what_a_role_lacks_is_one_sentence(accounts: Accounts, resource: str, verb: str, says: str) -> None:
    rig = accounts.rig
    accounts.use(DEPLOY)
    with accounts.changed(lacking(resource, verb)):
        assert says in rig.refused(rig.up)


def test_a_preview_says_what_an_account_lacks_that_may_write_something(accounts: Accounts) -> None:
    accounts.use(DEPLOY)
    with accounts.changed(lacking("deployments", "patch")):
        accounts.rig.preview()
    assert "`up` would fail with this account: " in warned(accounts.rig)
    assert 'cannot patch resource "deployments"' in warned(accounts.rig)


def test_each_account_may_ask_and_one_may_reload_through_the_pod_proxy(accounts: Accounts) -> None:
    """What ops.clients.replicas asks for before it looks at each pod."""
    allowed = {}
    for name in (PREVIEW, DEPLOY):
        accounts.use(name)
        cluster = Kubernetes(str(accounts.kubeconfig))
        allowed[name] = [verb for verb in ("get", "create", "delete") if cluster.may(verb, "pods/proxy", NAMESPACE)]
        assert cluster.is_read_only(NAMESPACE) == (name == PREVIEW)
        assert not cluster.may("get", "secrets", NAMESPACE) and not cluster.may("create", "pods/exec", NAMESPACE)
    assert allowed == {PREVIEW: ["get"], DEPLOY: ["get", "create"]}


def test_a_signal_needs_one_more_role(rig: Rig) -> None:
    pids = kubelet.server_pids(rig)
    with applied(rig, "signal.yml") as accounts, kubelet.node(rig, pids) as node:
        accounts.use(DEPLOY)
        reloads = {"prometheusReload": "signal", "alertmanagerReload": "signal"}
        rig.configure(rulesMode="shared", **reloads, kubeconfig=str(accounts.kubeconfig))
        for name in pids:
            node.run(name, name, name, kubelet.READY)
        rig.up()
        assert ["kill", "-HUP", "1"] in node.commands
        rig.destroy()
    assert rig.objects() == rig.before


def test_a_password_needs_one_more_role(rig: Rig) -> None:
    with applied(rig, "smtp-password.yml") as accounts:
        password = rig.sandbox.mounts.smtp_password.read_text("utf-8")
        rig.configure(smtpPassword=password, kubeconfig=str(accounts.kubeconfig))
        accounts.use(DEPLOY)
        rig.up()
        accounts.use(PREVIEW)
        assert rig.preview(refresh=True) == {}
        assert "forbidden" not in warned(rig) and "could not" not in warned(rig)
        accounts.use(DEPLOY)
        rig.destroy()
    assert rig.objects() == rig.before


def test_a_text_in_a_secret_needs_one_more_role(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = test_secret_text.mounted(rig, "alertmanager.yaml")
    settings, before = test_secret_text.settings(kept), rig.objects()
    with applied(rig) as accounts:
        rig.configure(**settings, kubeconfig=str(accounts.kubeconfig))
        accounts.use(DEPLOY)
        words = rig.refused(rig.up)
        assert 'cannot get resource "secrets"' in words, words
        kept.nothing_is_seen()
        rig.configure(**settings)
        rig.destroy()
    assert rig.objects() == before

    with applied(rig, "secret.yml") as accounts:
        rig.configure(**settings, kubeconfig=str(accounts.kubeconfig))
        accounts.use(PREVIEW)
        assert rig.preview()["create"] > 0
        assert "what stands in the Secret was not looked at" in warned(rig), "as this role does not allow it"
        accounts.use(DEPLOY)
        planned = rig.preview()
        assert "forbidden" not in warned(rig) and "could not" not in warned(rig)
        assert rig.up() == planned
        assert rig.receivers() == test_secret_text.RECEIVERS | test_secret_text.THEIRS
        assert rig.preview(refresh=True) == {}, warned(rig)
        for name in (PREVIEW, DEPLOY):
            accounts.use(name)
            verifies(accounts, tmp_path, monkeypatch, settings)
        rig.destroy()
    assert rig.objects() == before
    kept.nothing_is_seen()


def test_the_operators_modes_need_one_more_role(operator: Operated) -> None:
    rig = operator.rig
    with applied(rig, "operator.yml", "smtp-password.yml") as accounts:
        operated.configure(rig, kubeconfig=str(accounts.kubeconfig))
        accounts.use(PREVIEW)
        assert rig.preview()["create"] > 0
        assert "forbidden" not in warned(rig) and "could not" not in warned(rig)
        accounts.use(DEPLOY)
        rig.up()
        assert set(rules.alerts()) <= rig.rules()
        accounts.use(PREVIEW)
        assert rig.preview(refresh=True) == {}, warned(rig)
        accounts.use(DEPLOY)
        rig.destroy()
    assert rig.objects() == rig.before


@pytest.mark.usefixtures("whole")
def test_the_roles_are_enough_where_the_proxy_takes_the_place_of_urls() -> None:
    own_network.passes("tests/e2e/inside_own_network_as_accounts.py", 1)
