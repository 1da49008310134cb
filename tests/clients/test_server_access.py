"""How a server is reached as the settings say. tests/live/test_live_reaching.py and tests/e2e have real ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from werkzeug import Request, Response

from components.settings import PROJECT_FILE, SettingsError
from formats.json_types import JsonObject
from ops import targets
from ops.clients import credentials
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.server_access import server_http
from ops.errors import Forbidden, Misconfigured, OpsError, OtherProtocol, Unauthorized, Unreachable, Untrusted
from tests.support.secured import Secured
from tests.support.stand_in import json_answer, stand_in, target


class ApiServer:
    """Answers as it is told, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.answer = Response("ok")
        self.seen: list[str] = []
        self.authorization = ""

    def __call__(self, request: Request) -> Response:
        self.seen.append(target(request))
        self.authorization = request.headers.get("Authorization", "")
        return self.answer


def kubeconfig(url: str) -> JsonObject:
    return {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "of-the-cluster"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


@pytest.fixture
def api() -> ApiServer:
    return ApiServer()


@pytest.fixture
def cluster(api: ApiServer, tmp_path: Path) -> Iterator[Kubernetes]:
    with stand_in(api) as url:
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(url)), "utf-8")
        yield Kubernetes(str(tmp_path / "kubeconfig"))


def through(cluster: Kubernetes, service: str) -> Http:
    return server_http({"service": service}, lambda: (cluster, "monitoring"), name="Prometheus")


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("prometheus:9090", "prometheus:9090/proxy/-/ready"),
        ("https:prometheus:web", "https:prometheus:web/proxy/-/ready"),
        ("https:prometheus:web/a/b/", "https:prometheus:web/proxy/a/b/-/ready"),
    ],
)
def test_scheme_port_and_prefix_go_to_the_api_servers_proxy(
    cluster: Kubernetes, api: ApiServer, service: str, path: str
) -> None:
    through(cluster, service).get("/-/ready")
    assert api.seen == [f"/api/v1/namespaces/monitoring/services/{path}"]
    assert api.authorization == "Bearer of-the-cluster"


def status(code: int, message: str) -> Response:
    return json_answer({"kind": "Status", "message": message, "code": code}, code)


BY_THE_PROXY = "the API server's proxy"
ANSWERS = [
    (
        Response("Unauthorized\n", 401),
        Unauthorized,
        f"{BY_THE_PROXY} passes no credentials on: set prometheusUrl",
    ),
    (status(401, "Unauthorized"), Forbidden, "check the credentials and what they may do"),
    (status(403, "services is forbidden"), Forbidden, "check the credentials and what they may do"),
    (
        Response("Client sent an HTTP request to an HTTPS server.\n", 400),
        OtherProtocol,
        "set prometheusService to https:prometheus:web/p",
    ),
    (
        status(503, "error trying to reach service: tls: first record does not look like a TLS handshake"),
        OtherProtocol,
        "set prometheusService to prometheus:web/p: it speaks no TLS",
    ),
    (
        status(503, "error trying to reach service: remote error: tls: certificate required"),
        Untrusted,
        f"{BY_THE_PROXY} has no client certificate for it: set prometheusUrl, with prometheusCertFile and ",
    ),
    (status(503, "error trying to reach service: dial tcp: refused"), Unreachable, "with ready pods behind it?"),
]


@pytest.mark.parametrize(("answer", "kind", "advice"), ANSWERS)
def test_what_comes_through_the_proxy_is_told_from_what_it_says_itself(
    cluster: Kubernetes, api: ApiServer, answer: Response, kind: type[OpsError], advice: str
) -> None:
    api.answer = answer
    with pytest.raises(OpsError) as problem:
        through(cluster, "prometheus:web/p").get("/-/ready")
    assert type(problem.value) is kind
    assert advice in str(problem.value)


def test_a_relative_path_begins_at_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secured = Secured(tmp_path)
    monkeypatch.setattr(credentials, "PROJECT_FILE", tmp_path / PROJECT_FILE.name)
    mine = {"settings": "prometheus", "ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"}
    assert credentials.tls(mine)
    with pytest.raises(Misconfigured, match=r"^prometheusCaFile cannot be used \(No such file"):
        credentials.tls({**mine, "ca_file": "none.pem"})
    with pytest.raises(Misconfigured, match=r"^prometheusCertFile or prometheusKeyFile cannot be used: give PEM files"):
        credentials.tls({**mine, "key_file": secured.other_client[1]})


URL = "https://prometheus.example"
SECRET = {"secure": "v1:x:y"}  # as Pulumi keeps it; only Pulumi can read it


@pytest.mark.parametrize(
    ("file", "sent"),
    [
        ({"prometheusUrl": URL, "prometheusToken": SECRET}, "Bearer hunter2"),
        ({"prometheusUrl": URL, "prometheusUser": "me", "prometheusPassword": SECRET}, "Basic bWU6aHVudGVyMg=="),
        ({"prometheusUrl": URL}, ""),  # a variable that is there for another stack
        ({}, ""),
    ],
)
def test_a_verb_reads_from_the_environment_what_stands_as_a_secret_in_the_file(
    file: JsonObject, sent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig("http://127.0.0.1:9")), "utf-8")
    given = {**file, "kubeconfig": str(tmp_path / "kubeconfig")}
    config = {f"api-monitoring:{key}": value for key, value in given.items()}
    (tmp_path / "Pulumi.x.yaml").write_text(yaml.safe_dump({"config": config}), "utf-8")
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    for variable in ("PROMETHEUS_TOKEN", "PROMETHEUS_PASSWORD", "ALERTMANAGER_TOKEN", "ALERTMANAGER_PASSWORD"):
        monkeypatch.setenv(variable, "hunter2")
    found = targets.load("x").settings
    assert credentials.headers(vars(found.prometheus.credentials)).get("Authorization", "") == sent
    assert credentials.headers(vars(found.alertmanager.credentials)) == {}
    assert "hunter2" not in repr(found)


def test_a_password_in_plain_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"config: {{api-monitoring:prometheusUrl: {URL}, api-monitoring:prometheusToken: hunter2}}\n"
    (tmp_path / "Pulumi.x.yaml").write_text(text, "utf-8")
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    with pytest.raises(SettingsError, match="prometheusToken is in plain text; run `pulumi config set --secret") as no:
        targets.load("x")
    assert "hunter2" not in str(no.value)
