"""The sandbox's mail sink: TLS, then a login, and misbehaviour on demand."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from ops.sandbox.lifecycle import Sandbox
from tests.support.waiting import PATIENCE


def control(url: str, **wanted: object) -> None:
    httpx.post(url, json=wanted, trust_env=False).raise_for_status()


@contextmanager
def relay(own: Sandbox, *, tls: bool = True) -> Iterator[smtplib.SMTP]:
    state = own.state
    assert state is not None
    host, _, port = state.smtp_smarthost.partition(":")
    with smtplib.SMTP(host, int(port), timeout=PATIENCE) as smtp:
        smtp.ehlo()
        if tls:
            smtp.starttls(context=ssl.create_default_context(cafile=state.smtp_ca_file))
            smtp.ehlo()
        yield smtp


@pytest.fixture
def sink_control(own: Sandbox) -> Iterator[Callable[..., None]]:
    state = own.state
    assert state is not None
    yield lambda **wanted: control(f"{state.mail_url}/control", **wanted)
    control(f"{state.mail_url}/control")


def password(own: Sandbox) -> str:
    return own.mounts.smtp_password.read_text()


def test_the_sink_wants_tls_then_a_login(own: Sandbox) -> None:
    with relay(own, tls=False) as smtp:
        assert not smtp.has_extn("auth")
        with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
            smtp.sendmail("a@b.c", "d@e.f", "x")
    with relay(own) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication"):
            smtp.sendmail("a@b.c", "d@e.f", "x")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("user", "wrong")
    with relay(own) as smtp:
        smtp.login("user", password(own))
        smtp.sendmail("a@b.c", "d@e.f", b"Subject: =?utf-8?q?=E2=9A=A0=EF=B8=8F_hm?=\r\n\r\nbody\r\n")
    state = own.state
    assert state is not None
    mail = httpx.get(f"{state.mail_url}/messages", trust_env=False).json()[-1]
    assert (mail["subject"], mail["text"].strip(), mail["to"], mail["user"]) == ("⚠️ hm", "body", ["d@e.f"], "user")


def test_the_sink_can_be_told_to_misbehave(own: Sandbox, sink_control: Callable[..., None]) -> None:
    sink_control(refuse_login=True)
    with relay(own) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login("user", password(own))
    sink_control(no_tls=True)
    with relay(own, tls=False) as smtp:
        assert not smtp.has_extn("starttls")
    sink_control(refuse_recipients=["d@e.f"])
    with relay(own) as smtp:
        smtp.login("user", password(own))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.sendmail("a@b.c", ["d@e.f"], "x")
    sink_control(hang_up=True)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)), relay(own):
        pass
