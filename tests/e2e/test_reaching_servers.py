"""Servers behind TLS, logins, client certificates and path prefixes: by URL, and through the API server's proxy."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

import rules
from components.settings import SECRETS
from ops import targets
from ops.checks.every_check import run_checks
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from tests.e2e import own_network
from tests.e2e.rig import Rig
from tests.e2e.secured_servers import beside
from tests.support import real_servers
from tests.support.secured import PASSWORD, USER, Secured

OURS = {*rules.alerts(), *rules.recordings()}
RECEIVER = "api-critical"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    return Secured(tmp_path_factory.mktemp("secured"))


class Servers:
    """Both, as a client of theirs sees them."""

    def __init__(self, prometheus: Http, alertmanager: Http) -> None:
        self.prometheus, self.alertmanager = Prometheus(prometheus), Alertmanager(alertmanager)

    @property
    def run_ours(self) -> tuple[bool, bool]:
        """Whether Prometheus runs all of our rules, and Alertmanager our receivers."""
        running = {rule.name for group in self.prometheus.rules() for rule in group.rules}
        return running >= OURS, RECEIVER in self.alertmanager.receivers()


@pytest.fixture
def servers(rig: Rig, secured: Secured, tmp_path: Path) -> Iterator[Servers]:
    """Each below a path prefix, with TLS by an own authority, and a login."""
    login = secured.web_config(login=True)
    with ExitStack() as stack:

        def start(name: str) -> Http:
            flags = (login, f"--web.route-prefix=/{name}")
            return stack.enter_context(beside(rig, name, tmp_path, secured, *flags, prefix=f"/{name}"))

        yield Servers(start("prometheus"), start("alertmanager"))


@pytest.fixture
def certified(rig: Rig, secured: Secured, tmp_path: Path) -> Iterator[Servers]:
    """Each with TLS, and no answer to a client without a certificate."""
    flag = secured.web_config(client=True)
    with (
        beside(rig, "prometheus", tmp_path, secured, flag) as prometheus,
        beside(rig, "alertmanager", tmp_path, secured, flag) as alertmanager,
    ):
        yield Servers(prometheus, alertmanager)


def settings_of(servers: Servers, **credentials: str) -> dict[str, object]:
    """Both at their URLs, with the same credentials."""
    found: dict[str, object] = {}
    for server in (servers.prometheus, servers.alertmanager):
        kind = type(server).__name__.lower()
        found |= {f"{kind}Url": server.url, **{f"{kind}{name}": value for name, value in credentials.items()}}
    return found


def lives(rig: Rig, servers: Servers) -> None:
    """Preview, up, no change, destroy."""
    planned = rig.preview()
    assert rig.up() == planned
    said = "".join(rig.said)
    assert servers.run_ours == (True, True)
    assert rig.preview() == {}
    assert rig.preview(refresh=True) == {}, "".join(rig.said)
    kept = [path.read_text("utf-8", errors="replace") for path in rig.state_files()]
    assert kept
    assert not any(PASSWORD in text for text in (said, "".join(rig.said), *kept))
    rig.destroy()
    assert servers.run_ours == (False, False)
    assert rig.objects() == rig.before


def test_a_prefix_a_login_and_an_own_authority(rig: Rig, servers: Servers, secured: Secured) -> None:
    rig.configure(**settings_of(servers, User=USER, Password=PASSWORD, CaFile=secured.ca))
    lives(rig, servers)


def test_a_clients_certificate(rig: Rig, certified: Servers, secured: Secured) -> None:
    cert, key = secured.client
    rig.configure(**settings_of(certified, CaFile=secured.ca, CertFile=cert, KeyFile=key))
    lives(rig, certified)


def test_a_wrong_password_later_is_refused_and_leaves_the_right_one_in_the_state(
    rig: Rig, servers: Servers, secured: Secured
) -> None:
    right = settings_of(servers, User=USER, Password=PASSWORD, CaFile=secured.ca)
    rig.configure(**right)
    rig.up()
    rig.configure(**{**right, "prometheusPassword": "wrong"})
    assert "check prometheusUser and prometheusPassword" in rig.refused(rig.preview)
    rig.configure(**right)
    assert rig.preview() == {}
    rig.destroy()
    assert rig.objects() == rig.before


def test_wrong_settings_are_refused_before_anything_is_written(
    rig: Rig, servers: Servers, secured: Secured, tmp_path: Path
) -> None:
    right = settings_of(servers, User=USER, Password=PASSWORD, CaFile=secured.ca)
    url = servers.prometheus.url
    (tmp_path / "agent").mkdir()
    with real_servers.agent(tmp_path / "agent", "remote_write: [{url: 'http://127.0.0.1:9'}]\n") as agent:
        for wrong, sentence in (
            ({"prometheusPassword": "x"}, "check prometheusUser and prometheusPassword"),
            ({"alertmanagerCaFile": ""}, "set alertmanagerCaFile to the CA (PEM)"),
            ({"prometheusUrl": url.removesuffix("/prometheus")}, f"set prometheusUrl to {url}"),
            ({"prometheusUrl": agent.url}, "runs in agent mode"),
            ({"prometheusUrl": ""}, "prometheusUser is 'me'; give prometheusUrl too"),
        ):
            rig.configure(**{**right, **wrong})
            assert sentence in rig.refused(rig.preview)
        assert sentence in rig.refused(rig.up)
    assert rig.objects() == rig.before


def test_verify_reads_passwords_from_the_environment(
    rig: Rig, servers: Servers, secured: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**rig.usual, **settings_of(servers, User=USER, Password=PASSWORD, CaFile=secured.ca)}
    rig.configure(**given)
    rig.up()
    file = {f"api-monitoring:{key}": {"secure": "v1:x:y"} if key in SECRETS else given[key] for key in given}
    (tmp_path / "Pulumi.secured.yaml").write_text(yaml.safe_dump({"config": file}), "utf-8")
    monkeypatch.setattr(targets, "ROOT", tmp_path)

    def states() -> dict[str, tuple[str, str]]:
        return {check.name: (check.status, str(check)) for check in run_checks(targets.load("secured")).checks}

    found = states()
    assert found["prometheus"][0] != "pass"
    assert "a verb reads PROMETHEUS_PASSWORD and PROMETHEUS_TOKEN from the environment" in found["prometheus"][1]
    monkeypatch.setenv("PROMETHEUS_PASSWORD", PASSWORD)
    monkeypatch.setenv("ALERTMANAGER_PASSWORD", PASSWORD)
    found = states()
    for name in ("prometheus", "alertmanager", "routing/receivers"):
        assert found[name][0] == "pass", found[name]
    rig.destroy()


@pytest.mark.usefixtures("whole")
def test_the_service_proxy_with_https_a_named_port_and_a_prefix() -> None:
    own_network.passes("tests/e2e/inside_own_network_over_tls.py", 4)
