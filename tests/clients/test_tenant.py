"""The APIs of Mimir and Cortex: who asks, and what a wrong address or a wrong answer says. tests/e2e has a real one."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from werkzeug import Request, Response

from ops.clients.tenant import Ruler, TenantAlertmanager, TenantConfig, tenant_http
from ops.errors import BadAnswer, Forbidden, Misconfigured, Refused, Untrusted
from tests.clients.api_over_tls import authority
from tests.support.stand_in import stand_in, target

assert authority  # a fixture


def _gateway(request: Request) -> Response:
    """What stands before Mimir: it knows one token, one login and every client with a certificate."""
    known = request.headers.get("Authorization") in ("Bearer right", "Basic bWU6cmlnaHQ=")
    if not known and not (request.scheme == "https" and request.environ["werkzeug.socket"].getpeercert()):
        return Response("who are you?", 401)
    name, where = request.headers.get("X-Scope-OrgID", ""), target(request)
    if where.startswith("/login"):
        return Response("<html>", 200)
    return Response(f'"n/ö":\n- name: "{name} {where}"\n', 200)


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with stand_in(_gateway) as url:
        yield url


@pytest.mark.parametrize("access", [{"token": "right"}, {"user": "me", "password": "right"}])
def test_the_tenant_and_its_credentials_are_sent(gateway: str, access: dict[str, str]) -> None:
    ruler = Ruler(tenant_http(f"{gateway}/prefix", {"id": "a", "credentials": access}, name="The ruler"), "mimir")
    assert set(ruler.groups("n/ö")) == {"a /prefix/prometheus/config/v1/rules/n%2F%C3%B6"}


@pytest.mark.parametrize("access", [{}, {"token": "wrong"}, {"user": "me", "password": "wrong"}, {"user": "me"}])
def test_wrong_credentials_name_the_settings_and_not_themselves(gateway: str, access: dict[str, str]) -> None:
    with pytest.raises(Forbidden) as refused:
        Ruler(tenant_http(gateway, {"credentials": access}, name="The ruler"), "cortex").groups("n")
    assert str(refused.value) == (
        f"The ruler at {gateway} refused GET /api/v1/rules/n (401: who are you?); check tenantId, and tenantToken, or "
        "tenantUser with tenantPassword"
    )


def test_own_authority_and_a_clients_certificate(authority: trustme.CA, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    client = authority.issue_cert("me@example.org")
    ca, cert, key = (str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(ca)
    client.private_key_pem.write_to_path(key)
    client.cert_chain_pems[0].write_to_path(cert)
    with stand_in(_gateway, tls=context) as url:
        mine = {"ca_file": ca, "cert_file": cert, "key_file": key}

        def ruler(**credentials: str) -> Ruler:
            return Ruler(tenant_http(url, {"credentials": credentials}, name="The ruler"), "cortex")

        assert ruler(**mine).groups("n/ö")
        with pytest.raises(Untrusted, match=r"certificate verify failed.*; set tenantCaFile to the CA"):
            ruler().groups("n")
        with pytest.raises(Forbidden, match="401"):
            ruler(ca_file=ca).groups("n")
        with pytest.raises(Misconfigured, match=r"^tenantCertFile or tenantKeyFile cannot be used: give PEM files"):
            ruler(**{**mine, "key_file": ca})
        with pytest.raises(Misconfigured, match=r"^tenantCaFile cannot be used \(No such file"):
            ruler(ca_file=str(tmp_path / "none.pem"))


def test_something_else_at_the_address_is_named(gateway: str) -> None:
    with pytest.raises(BadAnswer, match=r"answered /api/v1/alerts with something else than its YAML: check rulerUrl"):
        TenantAlertmanager(tenant_http(f"{gateway}/login", {"credentials": {"token": "right"}}, name="It")).read()
    with (
        stand_in(lambda _: Response("404 page not found", 404)) as url,
        pytest.raises(Refused, match=r"does not know /api/v1/alerts \(404\): check rulerUrl \(or tenantUrl\)"),
    ):
        TenantAlertmanager(tenant_http(url, {}, name="It")).write(TenantConfig("route: {}", {}))
