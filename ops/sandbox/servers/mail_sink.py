"""A mail relay that keeps the mails: STARTTLS and a login are required, as at the real one.

Runs as a process of its own: `python -m ops.sandbox.servers.mail_sink --smtp-port N --http-port N …`.

    GET    /messages   every mail, oldest first: {"received", "from", "to", "raw", "subject", "text", "html", "user"}
    DELETE /messages   forget them
    GET    /control    the faults that are set
    POST   /control    {"refuse_login": bool, "no_tls": bool, "refuse_recipients": [addresses] or true,
                       "hang_up": bool, "delay": seconds}; sets these faults and no others
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from formats.json_types import JsonValue
from ops.sandbox.ports import HOST
from ops.sandbox.servers.loopback_http import Answer, BadRequest, as_json, serve

KEPT = 2000  # mails, the latest ones


@dataclass(frozen=True)
class Faults:
    """The faults of the relay. `refuse_recipients`: these addresses, or True for all; `delay`: seconds."""

    refuse_login: bool = False
    no_tls: bool = False
    refuse_recipients: Sequence[str] | bool = ()
    hang_up: bool = False
    delay: float = 0.0


class Sink:
    """The mails and the faults. Also the handler of every SMTP session."""

    def __init__(self, certificate: Path, password_file: Path) -> None:
        self.mails: deque[dict[str, object]] = deque(maxlen=KEPT)
        self.faults = Faults()
        self._password_file = password_file
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)

    def session(self) -> asyncio.Protocol:
        """The SMTP protocol for one connection, with the faults that are set at its start."""
        if self.faults.hang_up:
            return _HangUp()
        return cast(
            asyncio.Protocol,
            SMTP(
                self,
                hostname="localhost",
                ident="sandbox mail sink",
                enable_SMTPUTF8=True,
                tls_context=None if self.faults.no_tls else self._tls,
                require_starttls=not self.faults.no_tls,
                auth_required=not self.faults.no_tls,
                auth_require_tls=True,
                auth_exclude_mechanism=["LOGIN"],  # Alertmanager does not accept the texts of its challenges
                authenticator=self.login,
            ),
        )

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        """Accept any user with the sandbox's password."""
        wanted = self._password_file.read_bytes().strip()
        if isinstance(data, LoginPassword) and data.password == wanted and not self.faults.refuse_login:
            return AuthResult(success=True, handled=False, auth_data=data.login)
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient, unless a fault refuses it."""
        refused = self.faults.refuse_recipients
        if refused if isinstance(refused, bool) else address in refused:
            return "550 5.1.1 no such recipient"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail, after the delay that is set."""
        await asyncio.sleep(self.faults.delay)
        raw = envelope.original_content or b""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        user = session.auth_data
        self.mails.append(
            {
                "received": time.time(),
                "from": envelope.mail_from,
                "to": list(envelope.rcpt_tos),
                "raw": raw.decode("utf-8", "replace"),
                "subject": str(message["Subject"] or ""),
                "text": _body(message, "plain"),
                "html": _body(message, "html"),
                "user": user.decode("utf-8", "replace") if isinstance(user, bytes) else None,
            }
        )
        return "250 OK"

    def forget(self) -> Answer:
        """Delete all mails."""
        self.mails.clear()
        return as_json([])

    def control(self, wanted: JsonValue) -> Answer:
        """Set the faults, and answer with those that are set; `wanted` None: only answer. Raises BadRequest."""
        if wanted is not None:
            names = [field.name for field in fields(Faults)]
            if not isinstance(wanted, dict) or set(wanted) - set(names):
                raise BadRequest(f"give an object with some of {', '.join(names)}, not {json.dumps(wanted)}")
            for name, value in wanted.items():
                if not _fits(name, value):
                    raise BadRequest(f"{name} cannot be {json.dumps(value)}")
            self.faults = Faults(**wanted)
        return as_json(asdict(self.faults))


def _fits(name: str, value: JsonValue) -> bool:
    """Whether a fault can have this value."""
    if name == "delay":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name == "refuse_recipients" and isinstance(value, list):
        return all(isinstance(address, str) for address in value)
    return isinstance(value, bool)


class _HangUp(asyncio.Protocol):
    """Accepts a connection and closes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m ops.sandbox.servers.mail_sink", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, required=True, help="certificate chain and key, PEM")
    parser.add_argument("--password-file", type=Path, required=True)
    options = parser.parse_args()
    sink = Sink(options.certificate, options.password_file)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.create_server(sink.session, HOST, options.smtp_port))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    serve(
        options.http_port,
        {
            ("GET", "/messages"): lambda _, accept: as_json(list(sink.mails)),
            ("DELETE", "/messages"): lambda _, accept: sink.forget(),
            ("GET", "/control"): lambda _, accept: sink.control(None),
            ("POST", "/control"): lambda wanted, accept: sink.control({} if wanted is None else wanted),
        },
    )


if __name__ == "__main__":
    main()
