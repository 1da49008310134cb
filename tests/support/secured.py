"""Certificates and web configurations (--web.config.file) for real Prometheus and Alertmanager servers."""

import base64
import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme
import yaml

USER, PASSWORD = "me", "hunter2"
# Of that password, by bcrypt with a cost of 4. A constant, as no package that tests have makes one.
_HASH = "$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm"


class Secured:
    """An own authority with a certificate for 127.0.0.1, an expired one, and a client's; their files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        authority, other = trustme.CA(), trustme.CA()
        self.ca, self.other_ca = str(folder / "ca.pem"), str(folder / "other-ca.pem")
        authority.cert_pem.write_to_path(self.ca)
        other.cert_pem.write_to_path(self.other_ca)
        past = datetime(2020, 1, 1, tzinfo=UTC)
        self._write("server", authority.issue_cert("127.0.0.1"))
        self._write("expired", authority.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(year=2021)))
        self.client = self._write("client", authority.issue_cert("me@example.org"))
        self.other_client = self._write("other-client", other.issue_cert("me@example.org"))

    def _write(self, name: str, made: trustme.LeafCert) -> tuple[str, str]:
        cert, key = str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key")
        made.cert_chain_pems[0].write_to_path(cert)
        made.private_key_pem.write_to_path(key)
        return cert, key

    @property
    def authorization(self) -> str:
        """The header with which USER is let in."""
        return f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"

    def trusting(self) -> ssl.SSLContext:
        """What trusts this authority, and has a client's certificate of it."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(*self.client)
        return context

    def web_config(self, *, certificate: str = "server", login: bool = False, client: bool = False) -> str:
        """The flag for TLS with this `certificate`; the server wants a `login`, or a certificate of the `client`."""
        files = {"cert_file": f"{certificate}.pem", "key_file": f"{certificate}.key"}
        asked = {"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": "ca.pem"} if client else {}
        config = {"tls_server_config": files | asked, **({"basic_auth_users": {USER: _HASH}} if login else {})}
        path = self._folder / f"web-{certificate}{'-login' * login}{'-client' * client}.yml"
        path.write_text(yaml.safe_dump(config), "utf-8")
        return f"--web.config.file={path}"
