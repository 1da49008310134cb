"""The HTTP seam: what an answer, or none, becomes. The transport is swapped; everything else meets real servers."""

import socket
import ssl

import httpx
import pytest

from ops.clients.alertmanager import Alertmanager
from ops.clients.grafana import Grafana, credentials
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.errors import (
    BadAnswer,
    Conflict,
    Elsewhere,
    Forbidden,
    NoService,
    NotFound,
    OpsError,
    OtherProtocol,
    Refused,
    Unauthorized,
    UnknownName,
    Unreachable,
    Untrusted,
)

URL = "http://prometheus.test:9090"


def answering(*answers: httpx.Response | Exception, url: str = URL) -> tuple[Http, list[httpx.Request]]:
    """A seam whose service gives these answers in turn, and the requests that it saw."""
    seen: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Http(url, name="Prometheus", transport=httpx.MockTransport(handle)), seen


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (
            httpx.ReadTimeout("slow"),
            Unreachable,
            f"Prometheus at {URL} did not answer within 10 s; is it running, and is the address right?",
        ),
        (
            httpx.ConnectError("[Errno 111] Connection refused"),
            Unreachable,
            f"Prometheus at {URL} cannot be reached (Connection refused); is it running, and is the address right?",
        ),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            Unreachable,
            f"Prometheus at {URL} broke off the connection (Server disconnected without sending a response); "
            "is it running, and is the address right?",
        ),
        (
            httpx.Response(400, json={"status": "error", "error": "1:3: parse error: unexpected end"}),
            Refused,
            f"Prometheus at {URL} answered GET /x with 400: 1:3: parse error: unexpected end",
        ),
        (
            httpx.Response(401, json={"message": "Invalid API key"}),
            Unauthorized,
            f"Prometheus at {URL} refused GET /x (401: Invalid API key); check the credentials and what they may do",
        ),
        (
            httpx.Response(401, json={"kind": "Status", "message": "Unauthorized"}),
            Forbidden,
            f"Prometheus at {URL} refused GET /x (401: Unauthorized); check the credentials and what they may do",
        ),
        (
            httpx.Response(400, text="Client sent an HTTP request to an HTTPS server.\n"),
            OtherProtocol,
            f"Prometheus at {URL} speaks https alone (400: Client sent an HTTP request to an HTTPS server.); use https",
        ),
        (
            httpx.Response(403, json={"kind": "Status", "message": 'pods is forbidden: User "x" cannot list'}),
            Forbidden,
            f'Prometheus at {URL} refused GET /x (403: pods is forbidden: User "x" cannot list); '
            "check the credentials and what they may do",
        ),
        (
            httpx.Response(404, text="404 page not found\n"),
            NotFound,
            f"Prometheus at {URL} answered GET /x with 404: 404 page not found",
        ),
        (
            httpx.Response(409, json={"message": "the object has been modified"}),
            Conflict,
            f"Prometheus at {URL} answered GET /x with 409: the object has been modified",
        ),
        (
            httpx.Response(412, json={"message": "version-mismatch"}),
            Conflict,
            f"Prometheus at {URL} answered GET /x with 412: version-mismatch",
        ),
        (
            httpx.Response(500, json="bad matcher format"),
            Refused,
            f"Prometheus at {URL} answered GET /x with 500: bad matcher format",
        ),
        (
            httpx.Response(503, json={"kind": "Status", "message": 'no endpoints available for service "prometheus"'}),
            Unreachable,
            f"Prometheus at {URL} cannot be reached through a proxy "
            '(503: no endpoints available for service "prometheus"); '
            "is it running, and is the address right?",
        ),
        (
            httpx.Response(503, json={"kind": "Status", "message": "error trying to reach service: dial tcp: refused"}),
            Unreachable,
            f"Prometheus at {URL} cannot be reached through a proxy "
            "(503: error trying to reach service: dial tcp: refused); "
            "is it running, and is the address right?",
        ),
        (
            httpx.Response(404, json={"kind": "Status", "message": 'services "prometheus" not found'}),
            NoService,
            f'Prometheus at {URL} cannot be reached through a proxy (404: services "prometheus" not found); '
            "is it running, and is the address right?",
        ),
        (
            httpx.Response(502, text="<html><body>Bad Gateway</body></html>"),
            Unreachable,
            f"Prometheus at {URL} cannot be reached through a proxy (502 Bad Gateway); "
            "is it running, and is the address right?",
        ),
        (
            httpx.Response(302, headers={"location": "https://login.test/"}),
            Elsewhere,
            f"Prometheus at {URL} redirects /x to https://login.test/; use that address, "
            "or credentials that need no login page",
        ),
    ],
)
def test_every_answer_becomes_one_sentence(
    answer: httpx.Response | Exception, kind: type[OpsError], sentence: str
) -> None:
    http, _ = answering(answer)
    with pytest.raises(OpsError) as caught:
        http.get("/x")
    assert type(caught.value) is kind
    assert str(caught.value) == sentence
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), UnknownName),
        (socket.gaierror(socket.EAI_NODATA, "No address associated with hostname"), UnknownName),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), Unreachable),
        (ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate"), Untrusted),
        (ssl.SSLError(1, "wrong version number"), Unreachable),
        (ConnectionRefusedError(111, "Connection refused"), Unreachable),
    ],
)
def test_why_no_connection_could_be_made_is_told_apart(reason: OSError, kind: type[Unreachable]) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        try:
            raise reason
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        Http(URL, name="Prometheus", transport=httpx.MockTransport(handle)).get("/x")
    assert type(caught.value) is kind


def test_a_get_is_repeated_once_when_the_connection_broke() -> None:
    http, seen = answering(httpx.ConnectError("refused"), httpx.Response(200, text="ok"))
    assert http.get("/x").text == "ok"
    assert len(seen) == 2


def test_a_get_that_timed_out_is_not_repeated() -> None:
    http, seen = answering(httpx.ReadTimeout("slow"), httpx.Response(200))
    with pytest.raises(Unreachable):
        http.get("/x")
    assert len(seen) == 1


def test_a_post_is_never_repeated() -> None:
    http, seen = answering(httpx.ConnectError("refused"), httpx.Response(200))
    with pytest.raises(Unreachable):
        http.post("/-/reload")
    assert len(seen) == 1


def test_a_path_in_the_address_is_kept_and_credentials_are_not_shown() -> None:
    http, seen = answering(httpx.Response(200, text="ok"), url="https://user:secret@host.test/prometheus/")
    http.get("/api/v1/query", {"query": "up", "time": None})
    assert str(seen[0].url) == "https://user:secret@host.test/prometheus/api/v1/query?query=up"
    assert seen[0].headers["authorization"].startswith("Basic ")
    assert http.url == "https://host.test/prometheus"


def test_something_else_than_prometheus_is_recognised() -> None:
    page = httpx.Response(200, text="<html>hello</html>", headers={"content-type": "text/html; charset=utf-8"})
    with pytest.raises(BadAnswer, match="with text/html instead of JSON; does this address belong to Prometheus"):
        Prometheus(answering(page)[0]).query("up")
    with pytest.raises(BadAnswer, match="JSON that is not Prometheus'"):
        Prometheus(answering(httpx.Response(200, json=[]))[0]).rules()
    with pytest.raises(BadAnswer, match="JSON that is not Alertmanager's"):
        Alertmanager(answering(httpx.Response(200, json={}))[0]).status()
    with pytest.raises(BadAnswer, match="without a database state"):
        Grafana(answering(httpx.Response(200, json={}))[0]).health()


def test_not_ready_is_an_answer() -> None:
    assert not Prometheus(answering(httpx.Response(503, text="Service Unavailable"))[0]).ready()
    assert Prometheus(answering(httpx.Response(200, text="Prometheus Server is Ready.\n"))[0]).ready()


def test_grafana_credentials() -> None:
    assert credentials("glsa_abc") == {"Authorization": "Bearer glsa_abc"}
    assert credentials("glsa_abc", 7) == {"Authorization": "Bearer glsa_abc", "X-Grafana-Org-Id": "7"}
    assert credentials("admin:pw") == {"Authorization": "Basic YWRtaW46cHc=", "X-Grafana-Org-Id": "1"}, (
        "as the provider"
    )
    assert credentials("admin:pw", 7)["X-Grafana-Org-Id"] == "7"
    assert credentials("anonymous") == credentials(None) == {}
