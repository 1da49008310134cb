"""An API server's TLS on loopback, which tells who asks; and a kubeconfig for it."""

import base64
import ssl
from collections.abc import Iterator

import pytest
import trustme
from werkzeug import Request, Response

from formats.json_types import JsonObject
from tests.support.stand_in import json_answer, stand_in, target


def _who_asks(request: Request) -> Response:
    """An API server's answer to every GET: the client's certificate and bearer token."""
    return json_answer(
        {
            "path": target(request),
            "token": request.headers.get("Authorization", ""),
            "acting_as": sorted(list(pair) for pair in request.headers if pair[0].startswith("Impersonate")),
            "certificate": bool(request.environ["werkzeug.socket"].getpeercert()),
            "metadata": {"namespace": "n", "name": "c", "resourceVersion": "1"},
        }
    )


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    with stand_in(_who_asks, tls=context) as url:
        yield url


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def kubeconfig(server: str, authority: trustme.CA, user: JsonObject) -> JsonObject:
    cluster = {"server": server, "certificate-authority-data": b64(authority.cert_pem.bytes())}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "here", "cluster": cluster},
            {"name": "nowhere", "cluster": {"server": "https://127.0.0.1:9"}},
        ],
        "users": [{"name": "me", "user": user}],
        "contexts": [
            {"name": "mine", "context": {"cluster": "here", "user": "me", "namespace": "n"}},
            {"name": "other", "context": {"cluster": "nowhere", "user": "me"}},
        ],
        "current-context": "mine",
    }
