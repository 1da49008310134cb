"""Where the cluster is and how to connect to it: every form of a kubeconfig, and what is said when it cannot be used.

The API server itself is met in tests/e2e; here only its TLS is, by a real listener on loopback.
"""

import asyncio
import json
import stat
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
import yaml

from formats.json_types import JsonObject
from ops.clients import kube_access
from ops.clients.kubernetes import Kubernetes
from ops.errors import Misconfigured, OpsError
from tests.clients.api_over_tls import authority, b64, kubeconfig, server

__all__ = ["authority", "server"]  # fixtures


def test_a_token_from_a_file_from_text_and_from_the_environment(
    server: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = yaml.safe_dump(kubeconfig(server, authority, {"token": "abc"}))
    path = tmp_path / "config"
    path.write_text(text)
    monkeypatch.setenv("KUBECONFIG", str(path))
    for given in (str(path), text, None):
        assert Kubernetes(given).get("/version")["token"] == "Bearer abc"


@pytest.mark.parametrize("context", [None, "mine", "other"])
def test_a_plain_token_is_read_as_kr8s_reads_it(server: str, authority: trustme.CA, context: str | None) -> None:
    text = yaml.safe_dump(kubeconfig(server, authority, {"token": "abc", "as": "eve", "as-groups": ["a", "b"]}))
    what, chosen = kube_access.choose(text, context)
    assert chosen is not None
    ours, theirs = kube_access._from_token(chosen), asyncio.run(kube_access._from_kr8s(what, chosen))
    assert ours is not None
    for name in ("server", "token", "proxy", "server_name", "context", "acting_as"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize(
    ("user", "cluster"),
    [({"exec": {}}, {}), ({"token": "a", "client-key": "k"}, {}), ({"token": "a"}, {"insecure-skip-tls-verify": True})],
)
def test_anything_else_is_left_to_kr8s(
    server: str, authority: trustme.CA, user: JsonObject, cluster: JsonObject
) -> None:
    config = kubeconfig(server, authority, user)
    config["clusters"][0]["cluster"] |= cluster
    _, chosen = kube_access.choose(yaml.safe_dump(config), None)
    assert chosen is not None
    assert kube_access._from_token(chosen) is None


def test_a_client_certificate_leaves_no_key_behind(
    server: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    issued = authority.issue_cert("me@example.test")
    user = {
        "client-key-data": b64(issued.private_key_pem.bytes()),
        "client-certificate-data": b64(b"".join(pem.bytes() for pem in issued.cert_chain_pems)),
    }
    cluster = Kubernetes(yaml.safe_dump(kubeconfig(server, authority, user)))
    assert cluster.get("/version")["certificate"] is True
    assert list(folder.iterdir()) == []


def test_files_that_a_kubeconfig_names_stay(server: str, authority: trustme.CA, tmp_path: Path) -> None:
    config = kubeconfig(server, authority, {"token": "abc"})
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.cert_pem.bytes())
    cluster = config["clusters"][0]["cluster"]
    del cluster["certificate-authority-data"]
    cluster["certificate-authority"] = "ca.pem"  # relative to the kubeconfig
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    assert Kubernetes(str(path)).get("/version")["token"] == "Bearer abc"
    assert ca.exists()


def test_an_exec_plugin(server: str, authority: trustme.CA, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    answer = {"kind": "ExecCredential", "status": {"token": "from-plugin"}}
    plugin.write_text(f"#!{sys.executable}\nprint({json.dumps(json.dumps(answer))})\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    user = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    }
    cluster = Kubernetes(yaml.safe_dump(kubeconfig(server, authority, user)))
    assert cluster.get("/version")["token"] == "Bearer from-plugin"


def test_many_threads_share_one_client_and_the_first_calls_collide(server: str, authority: trustme.CA) -> None:
    text = yaml.safe_dump(kubeconfig(server, authority, {"token": "abc"}))
    shared = Kubernetes(text)

    def ask(number: int) -> str:
        one = shared if number % 2 else Kubernetes(text)
        return str(one.get("/api/v1/namespaces/n/configmaps/c")["metadata"]["resourceVersion"])

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(ask, range(64))) == {"1"}


def test_the_service_proxy_is_a_seam_like_any_other(server: str, authority: trustme.CA) -> None:
    cluster = Kubernetes(yaml.safe_dump(kubeconfig(server, authority, {"token": "abc"})))
    http = cluster.service_http("monitoring", "prometheus", "9090", name="Prometheus")
    answer = http.get_json("/api/v1/query", {"query": "up"})
    assert answer["path"] == "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?query=up"
    assert answer["token"] == "Bearer abc"


def test_a_context_that_cannot_be_reached_is_named(server: str, authority: trustme.CA) -> None:
    cluster = Kubernetes(yaml.safe_dump(kubeconfig(server, authority, {"token": "abc"})), "other")
    with pytest.raises(
        OpsError,
        match=r"^the Kubernetes API at https://127.0.0.1:9 cannot be reached \(Connection refused\); "
        r"is the cluster up, and is context 'other' right\?$",
    ):
        cluster.pods("n", "app=x")


def test_what_is_wrong_with_a_kubeconfig(
    server: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = kubeconfig(server, authority, {"token": "abc"})
    with pytest.raises(Misconfigured, match=r"/nowhere does not exist; set KUBECONFIG, or kubeconfig"):
        Kubernetes(str(tmp_path / "nowhere")).get("/version")
    with pytest.raises(
        Misconfigured,
        match=r"has no context called 'theirs'; set kubeContext in the stack's settings to one of mine, other$",
    ):
        Kubernetes(yaml.safe_dump(good), "theirs").get("/version")
    with pytest.raises(Misconfigured, match="given as text has no clusters"):
        Kubernetes("a: 1\nb: 2\n").get("/version")
    broken = good | {
        "users": [
            {
                "name": "me",
                "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/no/such/plugin"}},
            }
        ]
    }
    with pytest.raises(Misconfigured, match=r"given as text cannot be used .*/no/such/plugin"):
        Kubernetes(yaml.safe_dump(broken)).get("/version")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    with pytest.raises(Misconfigured, match=r"kubeconfig .*/absent does not exist"):
        Kubernetes().get("/version")


USERS = "users: [{name: u, user: {}}]"
CLUSTERS = 'clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]'
CONTEXTS = "contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}]"

UNUSABLE = [
    (b"", "is empty; set KUBECONFIG, or kubeconfig in the stack's settings"),
    (b"# nothing\n---\n", "is empty; set KUBECONFIG, or kubeconfig in the stack's settings"),
    (b"{}", "is empty; set KUBECONFIG, or kubeconfig in the stack's settings"),
    (b"- a\n- b\n", "holds a list and no kubeconfig; set "),
    (b"token-do-not-show", "holds one value and no kubeconfig; set "),
    (b"42", "holds one value and no kubeconfig; set "),
    (b"\x7fELF\x02\x01\x00\xff\xfe", "is not YAML; set "),
    (b"\x1f\x8b\x08\x00", "is not YAML; set "),
    (b"a: [do-not-show\nb: c", "is not YAML (line 2); set "),
    (b"apiVersion: v1\nkind: Config\n", "has no contexts; set "),
    (f"{CLUSTERS}\n{USERS}\ncontexts: []".encode(), "has no contexts; set "),
    (f"{CLUSTERS}\n{USERS}\ncontexts: null".encode(), "has no contexts; set "),
    (f"{CLUSTERS}\n{USERS}\ncontexts: {{a: b}}".encode(), "its contexts are no list of entries with `name` and "),
    (f"{CLUSTERS}\n{USERS}\ncontexts: [a]".encode(), "its contexts are no list of entries with `name` and "),
    (
        f"{CLUSTERS}\n{USERS}\n{CONTEXTS}".encode(),
        "has no current-context; set kubeContext in the stack's settings to ",
    ),
    (
        f"{CLUSTERS}\n{USERS}\n{CONTEXTS}\ncurrent-context: x".encode(),
        "has no context called 'x', though it is the current one; set kubeContext in the stack's settings to one of a",
    ),
    (f"{USERS}\n{CONTEXTS}\ncurrent-context: a".encode(), "context 'a' names cluster 'c', which is not in it; mend"),
    (f"{CLUSTERS}\n{CONTEXTS}\ncurrent-context: a".encode(), "context 'a' names user 'u', which is not in it; mend"),
    (
        f"{CLUSTERS}\n{USERS}\ncontexts: [{{name: a, context: {{cluster: c}}}}]".encode(),
        "context 'a' names no user; mend",
    ),
    (
        f"clusters: [{{name: c, cluster: null}}]\n{USERS}\n{CONTEXTS}\ncurrent-context: a".encode(),
        "cluster 'c' has no server; mend it",
    ),
    (
        f"{CLUSTERS}\nusers: [{{name: u, user: null}}]\n{CONTEXTS}\ncurrent-context: a".encode(),
        "user 'u' has no credentials; mend it",
    ),
]


@pytest.mark.parametrize(("content", "says"), UNUSABLE)
def test_an_unusable_kubeconfig_is_one_sentence(
    content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    monkeypatch.setenv("KUBECONFIG", str(path))
    for given in (str(path), None):
        with pytest.raises(Misconfigured) as refusal:
            Kubernetes(given).get("/version")
        words = str(refusal.value)
        assert words.startswith(f"kubeconfig {path}")
        assert says in words
        assert "\n" not in words and "do-not-show" not in words and "NoneType" not in words


def test_a_folder_as_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot be read \(Is a directory\); set KUBECONFIG"):
        Kubernetes(str(tmp_path)).get("/version")


def test_empty_and_missing_files_among_several_are_passed_over(
    server: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = kubeconfig(server, authority, {"token": "abc"})
    files = [tmp_path / name for name in ("missing", "empty", "contexts", "rest")]
    files[1].write_text("")
    files[2].write_text(yaml.safe_dump({key: good[key] for key in ("contexts", "current-context")}))
    files[3].write_text(yaml.safe_dump({key: good[key] for key in ("clusters", "users")}))
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, files)))
    assert Kubernetes().get("/version")["token"] == "Bearer abc"


def test_a_pods_own_account_counts_where_the_usual_file_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("of the pod")
    (tmp_path / "empty").write_text("")
    monkeypatch.setattr(kube_access, "_IN_CLUSTER", tmp_path / "token")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "empty"))
    with pytest.raises(Misconfigured, match="cannot be used"):  # kr8s looks for the account, which is not there
        Kubernetes().get("/version")
    with pytest.raises(Misconfigured, match="is empty"):
        Kubernetes(str(tmp_path / "empty")).get("/version")
