"""The hand-made monitoring stack to which we deploy: texts, mail password, the relay's certificate."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import trustme

from ops.sandbox.mounts import Mounts
from ops.sandbox.ports import HOST
from ops.sandbox.projection import CONFIG_MAPS

FOLDER = Path(__file__).with_name("handmade")


def write(home: Path, ports: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Write certificate, password, and the stack's texts into its mounts; returns the texts: ConfigMap → key → text."""
    mounts = Mounts(home)
    tls = home / "tls"
    tls.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="sandbox")
    authority.cert_pem.write_to_path(str(tls / "ca.pem"))
    authority.issue_cert("localhost", HOST).private_key_and_cert_chain_pem.write_to_path(str(tls / "server.pem"))
    (tls / "server.pem").chmod(0o600)

    password = mounts.smtp_password
    password.parent.mkdir(parents=True, exist_ok=True)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24), encoding="utf-8")

    addresses = {f"@{name}@": f"{HOST}:{port}" for name, port in ports.items()}
    addresses["@smtp@"] = f"localhost:{ports['smtp']}"  # the name in its certificate
    texts = {
        "prometheus-config": _read([FOLDER / "prometheus.yml"], addresses),
        "prometheus-rules": _read(sorted((FOLDER / "rules").glob("*.yml")), {}),
        "alertmanager-config": _read([FOLDER / "alertmanager.yml"], addresses),
    }
    for name, data in texts.items():
        mounts.write(*CONFIG_MAPS[name], data)
    return texts


def deployments() -> str:
    """The Deployments of the stack, as YAML."""
    return (FOLDER / "deployments.yml").read_text("utf-8")


def _read(files: Iterable[Path], addresses: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for file in files:
        text = file.read_text(encoding="utf-8")
        for mark, address in addresses.items():
            text = text.replace(mark, address)
        found[file.name] = text
    return found
