"""A Kubernetes API on loopback: etcd and kube-apiserver, with a monitoring stack that was made by hand.

Nothing else of Kubernetes runs: no controllers, no pods, and `ops.sandbox.servers.projector` instead of kubelet.
"""

import base64
import secrets
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from formats.json_types import JsonObject, JsonValue
from ops import build_tools
from ops.clients.http import Http
from ops.errors import Conflict, OpsError
from ops.sandbox.parts import Part, environment
from ops.sandbox.ports import HOST

NAMESPACE = "monitoring"
PORTS = ("etcd", "etcd-peer", "kubernetes")
ADMIN, NOBODY = "admin", "nobody"


@dataclass(frozen=True)
class Cluster:
    """The API server with its files in `home`/cluster."""

    home: Path

    @property
    def folder(self) -> Path:
        """The folder of keys, certificates, kubeconfigs and etcd's data."""
        return self.home / "cluster"

    @property
    def kubeconfig(self) -> Path:
        """The path of the administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def unprivileged_kubeconfig(self) -> Path:
        """The path of the kubeconfig of a user without any role."""
        return self.folder / "kubeconfig-nobody"

    def prepare(self, ports: Mapping[str, int]) -> None:
        """Write keys, tokens and kubeconfigs, which the API server needs at its start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._private(
            "service-accounts.key",
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._private("service-accounts.pub", public.decode())
        tokens = {user: secrets.token_hex(16) for user in (ADMIN, NOBODY)}
        groups = {ADMIN: "system:masters", NOBODY: "sandbox"}
        self._private("tokens.csv", "".join(f'{tokens[user]},{user},{user},"{groups[user]}"\n' for user in tokens))
        for user, file in ((ADMIN, self.kubeconfig), (NOBODY, self.unprivileged_kubeconfig)):
            self._private(file.name, self._kubeconfig(tokens[user], user, ports["kubernetes"]))

    def _kubeconfig(self, token: str, user: str, port: int) -> str:
        authority = str(self.folder / "certs" / "apiserver.crt")
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {
                        "name": "sandbox",
                        "cluster": {"server": f"https://{HOST}:{port}", "certificate-authority": authority},
                    }
                ],
                "users": [{"name": user, "user": {"token": token}}],
                "contexts": [
                    {"name": "sandbox", "context": {"cluster": "sandbox", "user": user, "namespace": NAMESPACE}}
                ],
                "current-context": "sandbox",
            },
            sort_keys=False,
        )

    def parts(self, ports: Mapping[str, int], progress: build_tools.Progress) -> dict[str, Part]:
        """etcd and the API server, by name, in the order of start. Raises ToolError where they cannot be built."""
        client, peer = (f"http://{HOST}:{ports[name]}" for name in ("etcd", "etcd-peer"))
        made = (
            Part(
                "etcd",
                (
                    str(build_tools.path("etcd", progress)),
                    f"--data-dir={self.folder / 'etcd'}",
                    "--unsafe-no-fsync",
                    *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
                    *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
                    f"--initial-cluster=default={peer}",
                ),
                environment(),
                (ports["etcd"], ports["etcd-peer"]),
                lambda: _is_healthy(client),
            ),
            Part(
                "kube-apiserver",
                (
                    str(build_tools.path("kube-apiserver", progress)),
                    f"--etcd-servers={client}",
                    f"--bind-address={HOST}",
                    f"--secure-port={ports['kubernetes']}",
                    f"--cert-dir={self.folder / 'certs'}",
                    f"--token-auth-file={self.folder / 'tokens.csv'}",
                    "--endpoint-reconciler-type=none",  # it refuses to advertise an address on loopback
                    *("--authorization-mode=RBAC", "--anonymous-auth=false"),
                    "--service-cluster-ip-range=10.0.0.0/24",
                    "--service-account-issuer=https://kubernetes.default.svc",
                    f"--service-account-key-file={self.folder / 'service-accounts.pub'}",
                    f"--service-account-signing-key-file={self.folder / 'service-accounts.key'}",
                    *("--disable-admission-plugins=ServiceAccount", "--profiling=false"),
                ),
                environment(GOMEMLIMIT="800MiB"),
                (ports["kubernetes"],),
                self.ready,
                90.0,
            ),
        )
        return {part.name: part for part in made}

    def ready(self) -> bool:
        """Whether the API server answers and has its own objects."""
        try:
            return self.get("/api/v1/namespaces/default") is not None
        except OSError:  # its certificate is not written yet
            return False

    @cached_property
    def http(self) -> Http:
        """The API, as administrator; OSError before the API server has written its certificate."""
        url, headers, tls = self._access()
        advice = "is the sandbox running? make sandbox starts it"
        return Http(url, name="the sandbox's Kubernetes API", headers=headers, verify=tls, advice=advice)

    def _access(self) -> tuple[str, dict[str, str], ssl.SSLContext]:
        """The administrator's URL, headers and TLS context."""
        config = yaml.safe_load(self.kubeconfig.read_text("utf-8"))
        server = config["clusters"][0]["cluster"]
        token = config["users"][0]["user"]["token"]
        tls = ssl.create_default_context(cafile=server["certificate-authority"])
        return server["server"], {"Authorization": f"Bearer {token}"}, tls

    def get(self, path: str) -> JsonValue:
        """The object at an API path; None where there is none, or no answer."""
        try:
            return self.http.get_json(path)
        except OpsError:
            return None

    def items(self, kind: str) -> dict[str, JsonObject]:
        """Every object of the namespace by name; `kind` as in a path, such as `configmaps` or `deployments`.

        Raises ops.errors.
        """
        return {item["metadata"]["name"]: item for item in self.http.get_json(_path(kind))["items"]}

    def changes(self, kind: str) -> Iterator[None]:
        """Comes back once for each object and each change of one, until the API server ends it.

        Raises httpx.HTTPError, and OSError before the API server has written its certificate.
        """
        url, headers, tls = self._access()
        with httpx.stream(
            "GET",
            f"{url}{_path(kind)}",
            params={"watch": "1"},
            headers=headers,
            verify=tls,
            timeout=httpx.Timeout(10.0, read=None),
            trust_env=False,
        ) as events:
            for _ in events.iter_lines():
                yield

    def apply(self, manifest: Mapping[str, JsonValue]) -> None:
        """Create an object; an existing one is not changed. Raises ops.errors."""
        kind = str(manifest["kind"])
        group = "/api/v1" if manifest["apiVersion"] == "v1" else f"/apis/{manifest['apiVersion']}"
        where = group if kind in ("Namespace", "ClusterRole") else f"{group}/namespaces/{NAMESPACE}"
        try:
            self.http.request("POST", f"{where}/{kind.lower()}s", json=dict(manifest))
        except Conflict:
            return

    def create_handmade_stack(self, texts: Mapping[str, Mapping[str, str]], password: str, deployments: str) -> None:
        """Create the hand-made stack. `texts`: ConfigMap → key → text; `deployments`: YAML. Raises ops.errors."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for name, data in texts.items():
            self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)})
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "alertmanager-smtp"},
                "data": {"password": base64.b64encode(password.encode()).decode()},
            }
        )
        for manifest in yaml.safe_load_all(deployments):
            self.apply(manifest)

    def _private(self, name: str, text: str) -> None:
        file = self.folder / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")


def _is_healthy(etcd: str) -> bool:
    try:
        with Http(etcd, name="etcd", timeout=2.0) as http:
            return bool(http.get_json("/health").get("health") == "true")
    except OpsError:
        return False


def _path(kind: str) -> str:
    group = "/apis/apps/v1" if kind in ("deployments", "statefulsets") else "/api/v1"
    return f"{group}/namespaces/{NAMESPACE}/{kind}"
