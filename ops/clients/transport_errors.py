"""Why nothing came of a request: which of `ops.errors` that is, what the system said, and what to do."""

import re
import socket
import ssl
from collections.abc import Iterator

from ops.clients.hints import Hints
from ops.errors import OtherProtocol, UnknownName, Unreachable, Untrusted

# OpenSSL's numbers (X509_V_ERR_…) for what is wrong with a certificate.
_EXPIRED, _OTHER_NAME = (10,), (62, 64)
# The server's alerts that are about a client's certificate; before TLS 1.3 Go sends a handshake failure if it lacks.
_ABOUT_OURS = re.compile(r"ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$")
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
# The same, as the API server's service proxy says it (in Go's words). From TLS 1.3 on a server refuses a client after
# the handshake, and HTTP/2 may say no more than that nothing came after it.
_ABOUT_OURS_IN_GO = re.compile(
    r"remote error: tls: .*(certificate|handshake failure|access denied)|http2: client conn could not be established"
)
_NO_TLS_IN_GO = re.compile(r"first record does not look like a TLS handshake|server gave HTTP response to HTTPS client")
# What servers answer (400) to HTTP where they want TLS: Go's, nginx.
_WANTS_TLS = ("Client sent an HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port")


def classify(error: BaseException, hints: Hints) -> tuple[type[Unreachable], str]:
    """The kind of a transport's error, and what to do about it; "" for nothing in particular."""
    for reason in _chain(error):
        # A resolver that does not answer (EAI_AGAIN) knows nothing about the name.
        if isinstance(reason, socket.gaierror) and reason.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            return UnknownName, ""
        if isinstance(reason, ssl.SSLCertVerificationError):
            code = getattr(reason, "verify_code", 0)
            if code in _EXPIRED:
                return Untrusted, hints.expired
            return Untrusted, hints.other_name if code in _OTHER_NAME else hints.untrusted
        name = getattr(reason, "reason", None) or ""  # OpenSSL's, of an ssl.SSLError
        if isinstance(reason, ssl.SSLError) and name in _NO_TLS:
            return OtherProtocol, hints.without_tls
        if isinstance(reason, ssl.SSLError) and _ABOUT_OURS.search(name):
            return Untrusted, hints.client_certificate
    return Unreachable, ""


def classify_proxied(words: str, hints: Hints) -> tuple[type[Unreachable], str]:
    """The same, by what a proxy says why it did not reach the service."""
    if _NO_TLS_IN_GO.search(words):
        return OtherProtocol, hints.without_tls
    if _ABOUT_OURS_IN_GO.search(words):
        return Untrusted, hints.client_certificate
    return Unreachable, ""


def wants_tls(words: str) -> bool:
    """Whether an answer says that the service wants https."""
    return any(said in words for said in _WANTS_TLS)


def in_words(error: Exception) -> str:
    """The reason in an error of the transport: `Connection refused`, `certificate verify failed: …`."""
    text = str(error) or type(error).__name__
    if text.startswith("[") and "] " in text:
        text = text.split("] ", 1)[1]
    return text.split(" (_ssl.c")[0].rstrip(".")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
