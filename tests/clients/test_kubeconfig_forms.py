"""What client-go takes as a kubeconfig, taken here too; and what is no kubeconfig is never shown."""

import base64
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
import yaml

from components import settings
from components.settings import SettingsError
from formats.json_types import JsonObject
from ops.clients.kubernetes import Kubernetes
from ops.errors import Misconfigured
from tests.clients.api_over_tls import authority, kubeconfig, server

__all__ = ["authority", "server"]  # fixtures


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[JsonObject], str]] = {
    "YAML": yaml.safe_dump,
    "JSON in one line": json.dumps,
    "JSON in lines": lambda config: json.dumps(config, indent=2),
    "YAML in one line": lambda config: yaml.safe_dump(config, default_flow_style=True, width=10**9).strip(),
    "base64 of YAML": lambda config: in_base64(yaml.safe_dump(config)),
    "base64 of JSON": lambda config: in_base64(json.dumps(config)),
    "base64 in lines": lambda config: base64.encodebytes(yaml.safe_dump(config).encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_contents(server: str, authority: trustme.CA, form: str) -> None:
    given = FORMS[form](kubeconfig(server, authority, {"token": "abc"}))
    assert Kubernetes(given).get("/version")["token"] == "Bearer abc"
    values = {"kubeconfig": given}
    read = settings.read({**values}, where="here").cluster.kubeconfig
    assert read and yaml.safe_load(read)["current-context"] == "mine"  # what the Kubernetes provider gets
    with pytest.raises(SettingsError, match=r"^here: kubeconfig is in plain text; run `pulumi config set --secret"):
        settings.refuse_plain(values, where="here")


@pytest.mark.parametrize("path", ["/etc/kube/config", "~/.kube/config", "config", "./a/b", "a:b"])
def test_a_path_is_left_as_it_is_and_is_no_secret(path: str) -> None:
    assert settings.read({"kubeconfig": path}, where="here").cluster.kubeconfig == path
    settings.refuse_plain({"kubeconfig": path}, where="here")


@pytest.mark.parametrize(
    "given",
    ["eyJhbGciOiJSUzI1NiJ9.dG9rZW4", "hunter2", "a/b+c==", "clusters: [{token: hunter2}]", "x" * 5000, "Bearer abc"],
)
def test_what_is_no_kubeconfig_is_not_shown(given: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Kubernetes(given).get("/version")
    assert given[:6] not in str(refusal.value)
    assert "does not exist; set KUBECONFIG, or kubeconfig in the stack's settings" in str(refusal.value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a kubeconfig and its files, which is not the one that the program runs in."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "kube").mkdir()
    return tmp_path / "kube"


def asked(folder: Path, config: JsonObject) -> JsonObject:
    (folder / "config").write_text(yaml.safe_dump(config), "utf-8")
    answer: JsonObject = Kubernetes(str(folder / "config")).get("/version")
    return answer


@pytest.mark.parametrize("user", [{}, {"token": "old"}], ids=["alone", "beside a token"])
def test_a_token_in_a_file_beside_the_kubeconfig(
    server: str, authority: trustme.CA, folder: Path, user: JsonObject
) -> None:
    (folder / "token").write_text("from-file\n", "utf-8")
    found = asked(folder, kubeconfig(server, authority, {**user, "tokenFile": "token"}))
    assert found["token"] == "Bearer from-file"


def test_a_token_file_that_is_not_there(server: str, authority: trustme.CA, folder: Path) -> None:
    with pytest.raises(
        Misconfigured, match=r"the tokenFile of user 'me' cannot be read \(No such file or directory\); mend"
    ):
        asked(folder, kubeconfig(server, authority, {"tokenFile": "token"}))


def test_an_authority_and_a_client_certificate_beside_the_kubeconfig(
    server: str, authority: trustme.CA, folder: Path
) -> None:
    issued = authority.issue_cert("me@example.test")
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    config = kubeconfig(server, authority, {"client-key": "key.pem", "client-certificate": "cert.pem"})
    config["clusters"][0]["cluster"] = {"server": server, "certificate-authority": "./ca.pem"}
    assert asked(folder, config)["certificate"] is True


def test_a_user_that_acts_as_another(server: str, authority: trustme.CA, folder: Path) -> None:
    acting = {"as": "eve", "as-groups": ["ops", "web"], "as-uid": "7", "as-user-extra": {"scope": ["a", "b"]}}
    found = asked(folder, kubeconfig(server, authority, {"token": "abc", **acting}))
    assert found["acting_as"] == [
        ["Impersonate-Extra-Scope", "a,b"],
        ["Impersonate-Group", "ops,web"],
        ["Impersonate-Uid", "7"],
        ["Impersonate-User", "eve"],
    ]


def plugin(folder: Path) -> JsonObject:
    """A user whose plugin stands beside the kubeconfig, and answers with what it was told."""
    file = folder / "bin" / "plugin"
    file.parent.mkdir()
    file.write_text(
        f"#!{sys.executable}\n"
        "import json, os\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "where = info['spec'].get('cluster', {}).get('server', '-')\n"
        "token = f\"{info['kind']}/{info['spec']['interactive']}/{where}\"\n"
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': 'ExecCredential', 'status': {'token': token}}))\n",
        "utf-8",
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": "bin/plugin", "interactiveMode": "Never"}


@pytest.mark.parametrize("informed", [False, True])
def test_a_plugin_beside_the_kubeconfig_is_told_what_client_go_tells_it(
    server: str, authority: trustme.CA, folder: Path, informed: bool
) -> None:
    found = asked(folder, kubeconfig(server, authority, {"exec": {**plugin(folder), "provideClusterInfo": informed}}))
    assert found["token"] == f"Bearer ExecCredential/False/{server if informed else '-'}"
