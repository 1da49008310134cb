"""What a real Prometheus or Alertmanager says to wrong settings: a preview names the setting that mends it."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.live.provider import Props
from components.live.running import server_versions
from components.live.text.edit_errors import EditRefused
from ops.clients.http import Http
from tests.support import real_servers
from tests.support.secured import PASSWORD, USER, Secured

SCRAPES_NOTHING = "scrape_configs: []\n"
ROUTES_NOTHING = "route: {receiver: x}\nreceivers: [{name: x}]\n"
WRITES = "remote_write: [{url: 'http://127.0.0.1:9'}]\n"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    return Secured(tmp_path_factory.mktemp("secured"))


@pytest.fixture(scope="module")
def servers(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The servers' addresses (HOST:PORT), by what is special about them."""

    def folder() -> Path:
        return tmp_path_factory.mktemp("server")

    def reach(prefix: str = "", *, checked: bool = True) -> real_servers.Reach:
        context, headers = secured.trusting(), {"Authorization": secured.authorization}
        if not checked:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return lambda at: Http(f"https://{at}{prefix}", name="the server", verify=context, headers=headers)

    login = secured.web_config(login=True)
    with ExitStack() as stack:
        started = {
            "plain": real_servers.prometheus(folder(), SCRAPES_NOTHING),
            "agent": real_servers.agent(folder(), WRITES),
            "prefix": real_servers.prometheus(
                folder(), SCRAPES_NOTHING, "--web.route-prefix=/prometheus", login, reach=reach("/prometheus")
            ),
            "alertmanager": real_servers.alertmanager(
                folder(), ROUTES_NOTHING, "--web.route-prefix=/a/b", login, reach=reach("/a/b")
            ),
            "client": real_servers.prometheus(
                folder(), SCRAPES_NOTHING, secured.web_config(client=True), reach=reach()
            ),
            "expired": real_servers.prometheus(
                folder(), SCRAPES_NOTHING, secured.web_config(certificate="expired"), reach=reach(checked=False)
            ),
        }
        yield {name: stack.enter_context(server).url.split("/")[2] for name, server in started.items()}


def previewed(kind: str, url: str, **credentials: str) -> None:
    """What a preview does first."""
    server = {"url": url, "credentials": {"settings": kind, **credentials}}
    props: Props = {kind: server, "namespace": "monitoring"}
    server_versions.refuse_unknown(props)


def refused(kind: str, url: str, **credentials: str) -> str:
    """The sentence with which a preview refuses it, without the secrets."""
    with pytest.raises(EditRefused) as refusal:
        previewed(kind, url, **credentials)
    words = str(refusal.value)
    assert "\n" not in words
    assert PASSWORD not in words
    return words


@pytest.fixture
def login(secured: Secured) -> dict[str, str]:
    return {"ca_file": secured.ca, "user": USER, "password": PASSWORD}


def test_right_settings_are_not_mentioned(
    servers: dict[str, str], secured: Secured, login: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    cert, key = secured.client
    previewed("prometheus", f"http://{servers['plain']}")
    previewed("prometheus", f"https://{servers['prefix']}/prometheus", **login)
    previewed("alertmanager", f"https://{servers['alertmanager']}/a/b", **login)
    previewed("prometheus", f"https://{servers['client']}", ca_file=secured.ca, cert_file=cert, key_file=key)
    assert capsys.readouterr().out == ""


def test_wrong_or_missing_credentials(servers: dict[str, str], login: dict[str, str]) -> None:
    url = f"https://{servers['prefix']}/prometheus"
    known = {"ca_file": login["ca_file"]}
    said = f"Prometheus at {url} refused GET /api/v1/status/buildinfo (401: Unauthorized); "
    missing = "set prometheusUser and prometheusPassword, or prometheusToken"
    assert refused("prometheus", url, **known) == said + missing
    wrong = refused("prometheus", url, **known, user=USER, password="wrong")
    assert wrong == f"{said}check prometheusUser and prometheusPassword"
    assert refused("prometheus", url, **known, token="wrong") == f"{said}check prometheusToken"
    url = f"https://{servers['alertmanager']}/a/b"
    assert "set alertmanagerUser and alertmanagerPassword" in refused("alertmanager", url, **known)


def test_the_servers_certificate(servers: dict[str, str], secured: Secured, login: dict[str, str]) -> None:
    url = f"https://{servers['prefix']}/prometheus"
    assert refused("prometheus", url).endswith("; set prometheusCaFile to the CA (PEM) that has signed its certificate")
    other = {**login, "ca_file": secured.other_ca}
    assert refused("prometheus", url, **other).endswith(
        "; give prometheusCaFile the CA that has signed its certificate"
    )
    named = refused("prometheus", url.replace("127.0.0.1", "localhost"), **login)
    assert named.endswith("; use a name in prometheusUrl that its certificate is for"), named
    expired = refused("prometheus", f"https://{servers['expired']}", ca_file=secured.ca)
    assert "certificate has expired); give it a new certificate" in expired
    lacks = refused("prometheus", url, ca_file=f"{secured.ca}.none")
    assert lacks.startswith("prometheusCaFile cannot be used (No such file")


def test_a_clients_certificate(servers: dict[str, str], secured: Secured) -> None:
    url, known = f"https://{servers['client']}", {"ca_file": secured.ca}
    missing = refused("prometheus", url, **known)
    assert missing.endswith("; set prometheusCertFile and prometheusKeyFile: it asks for a client certificate"), missing
    cert, key = secured.other_client
    other = refused("prometheus", url, **known, cert_file=cert, key_file=key)
    assert other.endswith("; give prometheusCertFile a certificate of the CA that it trusts"), other


def test_http_where_it_is_https_and_the_reverse(servers: dict[str, str], login: dict[str, str]) -> None:
    plain = refused("prometheus", f"http://{servers['prefix']}/prometheus")
    assert "speaks https alone (400: Client sent an HTTP request to an HTTPS server.)" in plain
    assert plain.endswith("; change prometheusUrl to https")
    over_tls = refused("prometheus", f"https://{servers['plain']}", **login)
    assert over_tls.endswith("; change prometheusUrl to http: it speaks no TLS"), over_tls


def test_a_path_prefix_is_found(servers: dict[str, str], login: dict[str, str]) -> None:
    at = f"https://{servers['prefix']}"
    for url in (at, f"{at}/prom", f"{at}/prometheus/graph"):
        words = (
            f"Prometheus at {url} has no API there (404), but below /prometheus: set prometheusUrl to {at}/prometheus"
        )
        assert refused("prometheus", url, **login) == words
    at = f"https://{servers['alertmanager']}"
    for url in (at, f"{at}/alertmanager", f"{at}/a"):
        assert refused("alertmanager", url, **login).endswith(f", but below /a/b: set alertmanagerUrl to {at}/a/b")
    at = f"http://{servers['plain']}"
    words = refused("prometheus", f"{at}/prometheus")
    assert words.endswith(f"(404), but without a path prefix: set prometheusUrl to {at}")
    other = refused("alertmanager", at)
    assert other.endswith(
        f"(404): set alertmanagerUrl to that of Alertmanager, with its path prefix (--web.route-prefix), as {at}/PREFIX"
    )


def test_a_prometheus_in_agent_mode(servers: dict[str, str]) -> None:
    url = f"http://{servers['agent']}"
    assert refused("prometheus", url) == (
        f"Prometheus at {url} runs in agent mode, in which it evaluates no rules and answers no queries: "
        "set prometheusUrl to the server that it writes to"
    )
