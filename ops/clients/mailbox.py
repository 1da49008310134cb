"""Clients for mail: what arrived in the sandbox's mail sink, and whether a mail relay accepts a connection."""

import smtplib
import ssl
from dataclasses import dataclass
from typing import cast

from ops.clients.http import Http
from ops.errors import BadAnswer, Forbidden, Unreachable


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived: envelope recipients, decoded subject, bodies."""

    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str

    def mentions(self, words: str) -> bool:
        """Whether subject or body contain `words`."""
        return words in self.subject or words in self.text or words in self.html


class MailSink:
    """The sandbox's mail sink, read over HTTP.

    `GET /messages` gives a JSON list, oldest first: `{"to": [envelope recipients], "subject", "text", "html"}`.
    """

    def __init__(self, http: Http) -> None:
        self.http = http

    def messages(self) -> list[Mail]:
        """Every mail that arrived, oldest first. Raises BadAnswer, and what the client raises."""
        try:
            return [
                Mail(tuple(found["to"]), found["subject"], found["text"], found["html"])
                for found in self.http.get_json("/messages")
            ]
        except (KeyError, TypeError) as error:
            raise BadAnswer(
                f"{self.http.name} at {self.http.url} answered /messages with JSON that is not the mail sink's; "
                "stop the sandbox with make sandbox-down and start it again"
            ) from error


@dataclass(frozen=True, slots=True)
class RelayAnswer:
    """What a mail relay accepted: the version of TLS (None without), and whether it took the login."""

    tls: str | None
    authenticated: bool


class SmtpProbe:
    """Tests a mail relay without sending a mail. `smarthost`: host:port; `timeout`: seconds."""

    def __init__(self, smarthost: str, *, timeout: float = 10.0) -> None:
        host, _, port = smarthost.rpartition(":")
        self.host, self.port, self.timeout = host, int(port), timeout

    def check(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        require_tls: bool = True,
        context: ssl.SSLContext | None = None,
    ) -> RelayAnswer:
        """Connect, start TLS where it is offered, log in where there are credentials.

        Raises Unreachable where connection or TLS fails, Forbidden where the login does.
        """
        where = f"the mail relay {self.host}:{self.port}"
        try:
            with smtplib.SMTP(self.host, self.port, timeout=self.timeout) as smtp:
                smtp.ehlo()
                tls = None
                if smtp.has_extn("starttls"):
                    smtp.starttls(context=context or ssl.create_default_context())
                    smtp.ehlo()
                    tls = cast(ssl.SSLSocket, smtp.sock).version()
                elif require_tls:
                    raise Unreachable(f"{where} offers no STARTTLS, which smtp_require_tls needs; check the port (587)")
                if username and password:
                    smtp.login(username, password)
                return RelayAnswer(tls, bool(username and password))
        except ssl.SSLError as error:
            raise Unreachable(f"TLS with {where} failed ({error.reason or error}); check its certificate") from error
        except smtplib.SMTPAuthenticationError as error:
            words = (
                error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            raise Forbidden(
                f"{where} refused the login of {username} ({error.smtp_code} {words}); check user and password",
                status=error.smtp_code,
                words=words,
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(
                f"{where} cannot be reached ({error}); check host, port and the network's outbound rules"
            ) from error
