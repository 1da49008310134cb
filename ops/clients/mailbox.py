"""Clients for mail: what arrived in the sandbox's mail sink, and whether a mail relay accepts a connection."""

import smtplib
import ssl
from dataclasses import dataclass

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
        self.host, self.port, self.timeout = host.strip("[]"), int(port), timeout

    def check(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        require_tls: bool = True,
        implicit_tls: bool | None = None,
        context: ssl.SSLContext | None = None,
    ) -> RelayAnswer:
        """Connect, start TLS where it is offered, log in where there are credentials.

        `implicit_tls`: TLS from the first byte, as `force_implicit_tls` of Alertmanager says; None: at port 465 alone.
        Raises Unreachable where connection or TLS fails, Forbidden where the login does.
        """
        where = f"the mail relay {self.host}:{self.port}"
        implicit = self.port == 465 if implicit_tls is None else implicit_tls
        context = context or ssl.create_default_context()
        try:
            with self._connect(context if implicit else None) as smtp:
                smtp.ehlo()
                if not implicit and smtp.has_extn("starttls"):
                    smtp.starttls(context=context)
                    smtp.ehlo()
                tls = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else None
                if tls is None and require_tls:
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
            silent = isinstance(error, TimeoutError | smtplib.SMTPServerDisconnected) and not implicit
            hint = "; a port that wants TLS at once needs force_implicit_tls" if silent else ""
            raise Unreachable(
                f"{where} cannot be reached ({error}); check host, port and the network's outbound rules{hint}"
            ) from error

    def _connect(self, tls: ssl.SSLContext | None) -> smtplib.SMTP:
        if tls is None:
            return smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=tls)
