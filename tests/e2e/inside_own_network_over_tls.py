"""What test_reaching_servers.py runs in a network of its own: Services that speak TLS, below a path prefix."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from werkzeug import Request, Response

import rules
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.sandbox.cluster import NAMESPACE
from tests.e2e.inside_own_network import service
from tests.e2e.rig import Rig
from tests.e2e.secured_servers import beside
from tests.support.secured import Secured
from tests.support.stand_in import stand_in

PORTS = {"prometheus": 9090, "alertmanager": 9093}


@contextmanager
def services(rig: Rig, secured: Secured, folder: Path, flag: str) -> Iterator[dict[str, Http]]:
    """A Service with port `web` for each, which is below the prefix /NAME; their HTTP without the proxy, by name."""
    with ExitStack() as stack:
        found = {}
        for name, port in PORTS.items():
            flags = (flag, f"--web.route-prefix=/{name}")
            found[name] = stack.enter_context(beside(rig, name, folder, secured, *flags, prefix=f"/{name}"))
            server = int(found[name].url.split("/")[2].rpartition(":")[2])
            stack.enter_context(service(rig, name, port, server))
        yield found


def configure(rig: Rig, prometheus: str, alertmanager: str) -> None:
    rig.configure(prometheusUrl="", alertmanagerUrl="", prometheusService=prometheus, alertmanagerService=alertmanager)


@pytest.fixture
def secured(tmp_path: Path) -> Secured:
    return Secured(tmp_path)


def test_a_life_over_tls_by_a_named_port_below_a_prefix(rig: Rig, secured: Secured, tmp_path: Path) -> None:
    with services(rig, secured, tmp_path, secured.web_config()) as servers:
        right = {name: f"https:{name}:web/{name}" for name in PORTS}
        for wrong, sentence in (
            ("prometheus:web/prometheus", "set prometheusService to https:prometheus:web/prometheus"),
            ("https:prometheus:web", "but below /prometheus: set prometheusService to https:prometheus:web/prometheus"),
        ):
            configure(rig, **{**right, "prometheus": wrong})
            assert sentence in rig.refused(rig.preview)
        assert rig.objects() == rig.before

        configure(rig, **right)
        rig.up()
        prometheus = Prometheus(servers["prometheus"])
        assert set(rules.alerts()) <= {rule.name for group in prometheus.rules() for rule in group.rules}
        assert rig.preview(refresh=True) == {}
        rig.destroy()
        assert not set(rules.alerts()) & {rule.name for group in prometheus.rules() for rule in group.rules}
        assert rig.objects() == rig.before


def test_what_the_proxy_cannot_pass_on_is_refused(rig: Rig, secured: Secured, tmp_path: Path) -> None:
    """The API server keeps the Authorization header for itself, and shows a Service no client certificate."""
    for flag, advice in (
        (secured.web_config(login=True), "passes no credentials on: set prometheusUrl, with prometheusUser and"),
        (secured.web_config(client=True), "no client certificate for it: set prometheusUrl, with prometheusCertFile"),
    ):
        with services(rig, secured, tmp_path, flag):
            configure(rig, **{name: f"https:{name}:{port}/{name}" for name, port in PORTS.items()})
            words = rig.refused(rig.preview)
            assert advice in words
            assert advice.replace("prometheus", "alertmanager") in words
    assert rig.objects() == rig.before


def test_the_api_server_removes_the_authorization_header(rig: Rig) -> None:
    """So it is also where the account of the cluster has a bearer token, which must not get to a Service either."""
    seen: list[list[str]] = []

    def answer(request: Request) -> Response:
        seen.append([name for name, _ in request.headers])
        return Response("ok")

    with stand_in(answer) as url, service(rig, "prometheus", 9090, int(url.rpartition(":")[2])):
        proxied = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus:web/proxy/-/ready"
        rig.cluster.http.request("GET", proxied, headers={"X-Other": "passed on"})
    assert len(seen) == 1
    assert "X-Other" in seen[0]
    assert "Authorization" not in seen[0]


def test_a_service_without_tls_is_named(rig: Rig) -> None:
    with ExitStack() as stack:
        for name, port in PORTS.items():
            stack.enter_context(service(rig, name, port))
        configure(rig, "https:prometheus:web", "alertmanager:web")
        assert "set prometheusService to prometheus:web: it speaks no TLS" in rig.refused(rig.preview)
