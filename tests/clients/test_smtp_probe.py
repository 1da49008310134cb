"""A mail relay as Alertmanager speaks to it: TLS from the first byte, STARTTLS, or none."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ops.clients.mailbox import SmtpProbe
from ops.errors import Unreachable
from ops.sandbox import ports

AUTHORITY = trustme.CA()


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@contextmanager
def relay(*, implicit: bool = False, starttls: bool = False) -> Iterator[str]:
    """The address of a relay on loopback that takes any login."""
    port = ports.choose(["relay"], {})["relay"]
    own: dict[str, object] = {"ssl_context": server_context()} if implicit else {}
    if starttls:
        own["tls_context"] = server_context()
    controller = Controller(
        object(),
        hostname=ports.HOST,
        port=port,
        authenticator=lambda *_: AuthResult(success=True),
        auth_require_tls=False,
        **own,
    )
    controller.start()
    try:
        yield f"{ports.HOST}:{port}"
    finally:
        controller.stop()


def test_tls_from_the_first_byte() -> None:
    with relay(implicit=True) as at:
        seen = SmtpProbe(at).check(username="me", password="x", implicit_tls=True, context=trusting())
    assert seen.tls and seen.tls.startswith("TLSv1.")
    assert seen.authenticated


def test_starttls_where_tls_from_the_first_byte_is_switched_off() -> None:
    with relay(starttls=True) as at:
        assert SmtpProbe(at).check(implicit_tls=False, context=trusting()).tls


def test_no_tls_is_a_fault_only_where_it_is_required() -> None:
    with relay() as at:
        assert SmtpProbe(at).check(require_tls=False).tls is None
        with pytest.raises(Unreachable, match="offers no STARTTLS"):
            SmtpProbe(at).check()


def test_the_wrong_kind_of_tls_is_said() -> None:
    with relay(implicit=True) as at, pytest.raises(Unreachable, match="a port that wants TLS at once needs force_impl"):
        SmtpProbe(at, timeout=0.5).check(context=trusting())
    with relay(starttls=True) as at, pytest.raises(Unreachable, match=r"TLS with the mail relay .* failed"):
        SmtpProbe(at, timeout=5).check(implicit_tls=True, context=trusting())


@pytest.mark.parametrize(("port", "forced", "kind"), [(465, None, True), (465, False, False), (587, None, False)])
def test_port_465_has_tls_from_the_first_byte_unless_it_is_switched_off(
    port: int, forced: bool | None, kind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def connect(_: SmtpProbe, tls: ssl.SSLContext | None) -> None:
        asked.append(tls is not None)
        raise OSError("enough")

    monkeypatch.setattr(SmtpProbe, "_connect", connect)
    with pytest.raises(Unreachable, match="enough"):
        SmtpProbe(f"relay.example:{port}").check(implicit_tls=forced)
    assert asked == [kind]


def test_an_ipv6_address_in_brackets() -> None:
    with pytest.raises(Unreachable, match=r"the mail relay ::1:1 cannot be reached .*refused"):
        SmtpProbe("[::1]:1").check()
