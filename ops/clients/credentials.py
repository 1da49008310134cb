"""Credentials of the settings, sent with each request; and what to do where a server does not take them."""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from components.settings import PROJECT_FILE
from formats.json_types import JsonValue
from ops.clients.hints import Hints
from ops.errors import Misconfigured

# Credentials of the settings (components.settings.Credentials), as a mapping; its `settings` is what their names begin
# with: `prometheus` for prometheusToken.
Given = Mapping[str, JsonValue]


def headers(given: Given) -> dict[str, str]:
    """The header by which a server knows who asks."""
    if given.get("token"):
        return {"Authorization": f"Bearer {given['token']}"}
    if given.get("user"):
        login = f"{given['user']}:{given.get('password') or ''}".encode()
        return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
    return {}


def tls(given: Given) -> ssl.SSLContext | bool:
    """By what a server's certificate is checked, with our own one. Raises Misconfigured for a file that is no use."""
    ca, cert, prefix = given.get("ca_file"), given.get("cert_file"), given.get("settings")
    if not ca and not cert:
        return True
    named = f"{prefix}CaFile"
    try:
        context = ssl.create_default_context(cafile=_path(ca) if ca else None)
        if ca:
            # Python 3.13 and later want extensions that many an own CA lacks, and that Go and curl do not ask for.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        named = f"{prefix}CertFile or {prefix}KeyFile"
        if cert:
            # Without a password Python would ask a person for that of an encrypted key.
            context.load_cert_chain(
                _path(cert), _path(given["key_file"]) if given.get("key_file") else None, password=""
            )
    except ssl.SSLError:
        raise Misconfigured(
            f"{named} cannot be used: give PEM files, with a key that belongs to the certificate and has no password"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be read"
        raise Misconfigured(f"{named} cannot be used ({reason}): give the path of a PEM file on this machine") from None
    return context


def _path(file: JsonValue) -> Path:
    """A file of the settings: the state keeps it as it was set, and each checkout and machine has its own folders."""
    return PROJECT_FILE.parent / Path(str(file)).expanduser()


def hints(given: Given, *, setting: str) -> Hints:
    """What to do about an answer of the server whose URL is in `setting`."""
    prefix = given.get("settings")
    token, login = f"{prefix}Token", f"{prefix}User and {prefix}Password"
    if given.get("token"):
        unauthorized = f"check {token}"
    else:
        unauthorized = f"check {login}" if given.get("user") else f"set {login}, or {token}"
    ca, cert = f"{prefix}CaFile", f"{prefix}CertFile"
    return Hints(
        unauthorized=unauthorized,
        untrusted=f"give {ca} the CA that has signed its certificate"
        if given.get("ca_file")
        else f"set {ca} to the CA (PEM) that has signed its certificate",
        expired="give it a new certificate",
        other_name=f"use a name in {setting} that its certificate is for",
        client_certificate=f"give {cert} a certificate of the CA that it trusts"
        if given.get("cert_file")
        else f"set {cert} and {prefix}KeyFile: it asks for a client certificate",
        wants_tls=f"change {setting} to https",
        without_tls=f"change {setting} to http: it speaks no TLS",
        login=f"set {setting} to an address without a login page, or {token} or {prefix}User to credentials for it",
        setting=setting,
    )


def read_by_a_verb(found: Hints, given: Given) -> Hints:
    """The same, for a verb: no verb can read a secret in a stack file."""
    prefix = str(given.get("settings")).upper()
    environment = f"a verb reads {prefix}_PASSWORD and {prefix}_TOKEN from the environment"
    return replace(found, unauthorized=f"{found.unauthorized} ({environment})")
