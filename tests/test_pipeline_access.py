"""How a pipeline reaches production: by secrets, or by its own identity, on stand-ins of GitHub and Pulumi Cloud."""

import base64
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import trustme
from werkzeug import Request, Response

from formats.json_types import JsonObject
from ops.build_tools import pulumi
from ops.clients.kubernetes import Kubernetes
from tests.support import requires
from tests.support.checkout import ROOT
from tests.support.stand_in import json_answer, stand_in, target


def part(content: object) -> str:
    """A part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


TOKEN = f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part({'exp': 4102444800})}.c2lnbmF0dXJl"  # until 2100-01-01


class Clouds:
    """GitHub's tokens and Pulumi Cloud at one address, and what they were asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.exchanged: list[dict[str, list[str]]] = []
        self.sent: set[str] = set()  # with which tokens Pulumi Cloud was asked
        self.failures = 0  # how many of the next tokens are refused

    def answer(self, request: Request) -> Response:
        path = target(request)
        if path.startswith("/token?"):
            self.asked.append(path.partition("audience=")[2])
            if self.failures:
                self.failures -= 1
                return Response("busy", 503)
            assert request.headers["Authorization"] == "Bearer of-the-runner"
            return json_answer({"value": TOKEN})
        if path == "/api/oauth/token":
            self.exchanged.append(parse_qs(request.get_data(as_text=True)))
            return json_answer({"access_token": "pul-short-lived", "token_type": "token", "expires_in": 7200})
        self.sent.add(request.headers["Authorization"])
        return json_answer({"githubLogin": "pipeline", "name": "pipeline", "organizations": []})


@pytest.fixture
def clouds() -> Iterator[Clouds]:
    found = Clouds()
    with stand_in(found.answer) as found.url:
        yield found


@pytest.fixture
def engine() -> dict[str, str]:
    """The environment of the engine that runs here, for `pulumi` itself."""
    requires.an_engine()
    found = pulumi.find()
    return dict(found.environment) if found else {}


def runners(clouds: Clouds) -> dict[str, str]:
    """What a job of GitHub's has, with `id-token: write`."""
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{clouds.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner",
    }


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    names = ("KUBE", "OIDC", "ACTIONS_", "PULUMI_ORG", "PULUMI_BACKEND", "PULUMI_ACCESS", "CLUSTER_ID", "PULUMI_ID")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return subprocess.run(
        command, cwd=ROOT, env=environment | variables, capture_output=True, text=True, check=False, timeout=120
    )


def token(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, ".ci/oidc_token.py", *arguments], **variables)


def production(folder: Path, engine: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    here = {"KUBECONFIG": str(folder / "kubeconfig"), "PULUMI_HOME": str(folder / "pulumi")}
    return run([".ci/production"], **{**engine, **here, **variables})


def test_githubs_token_is_asked_for_the_audience_and_again_where_it_fails(clouds: Clouds) -> None:
    clouds.failures = 2
    done = token("CLUSTER_ID_TOKEN", "urn:pulumi:org:a b", **runners(clouds))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{TOKEN}\n", "")
    assert clouds.asked == ["urn%3Apulumi%3Aorg%3Aa%20b"] * 3
    clouds.failures = 3
    done = token("CLUSTER_ID_TOKEN", "x", **runners(clouds))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("GitHub gave no identity token (HTTPError: HTTP Error 503")
    assert "of-the-runner" not in done.stderr


def test_gitlabs_token_is_the_variable_itself() -> None:
    done = token("--kubernetes", "CLUSTER_ID_TOKEN", "kubernetes", CLUSTER_ID_TOKEN=TOKEN)
    assert json.loads(done.stdout)["status"] == {"token": TOKEN, "expirationTimestamp": "2100-01-01T00:00:00Z"}
    done = token("--kubernetes", "CLUSTER_ID_TOKEN", "kubernetes", CLUSTER_ID_TOKEN="opaque")
    assert json.loads(done.stdout)["status"] == {"token": "opaque"}


def test_without_a_token_one_sentence_says_what_to_give_the_job() -> None:
    done = token("CLUSTER_ID_TOKEN", "kubernetes")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "give it `id-token: write` (GitHub), or CLUSTER_ID_TOKEN in its `id_tokens` (GitLab)" in done.stderr
    assert token("one").stderr.startswith("give the variable and the audience: ")


def test_by_identity_both_the_cluster_and_pulumi_cloud_are_reached(
    clouds: Clouds, engine: dict[str, str], tmp_path: Path
) -> None:
    """The kubeconfig is read by our client and asks for its token; the login is the real one of the CLI."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def api(request: Request) -> Response:
        found: JsonObject = {"token": request.headers.get("Authorization", "")}
        return json_answer({**found, "metadata": {"namespace": "n", "name": "c", "resourceVersion": "1"}})

    with stand_in(api, tls=context) as server:
        variables = {"KUBE_SERVER": server, "KUBE_CA": authority.cert_pem.bytes().decode(), "KUBE_AUDIENCE": "prod"}
        variables |= {"PULUMI_ORG": "example", "PULUMI_BACKEND_URL": clouds.url, "PULUMI_ACCESS_TOKEN": "stale"}
        done = production(tmp_path, engine, OIDC="true", **variables, **runners(clouds))
        assert done.returncode == 0, done.stderr
        with pytest.MonkeyPatch.context() as patch:
            for name, value in runners(clouds).items():
                patch.setenv(name, value)
            assert Kubernetes(str(tmp_path / "kubeconfig")).service("n", "s")["token"] == f"Bearer {TOKEN}"
    assert clouds.asked[0] == "urn%3Apulumi%3Aorg%3Aexample"
    assert set(clouds.asked[1:]) == {"prod"}
    (exchanged,) = clouds.exchanged
    assert exchanged["subject_token"] == [TOKEN]
    assert exchanged["audience"] == ["urn:pulumi:org:example"]
    here = {**engine, "PULUMI_HOME": str(tmp_path / "pulumi"), "PULUMI_ACCESS_TOKEN": "", "PULUMI_BACKEND_URL": ""}
    done = run(["pulumi", "whoami"], **here)  # as the steps that follow: their secret is not set
    assert (done.stdout, clouds.sent) == ("pipeline\n", {"token pul-short-lived"}), done.stderr
    assert not (tmp_path / "pulumi-id-token").exists()
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("variables", [{}, {"KUBE_SERVER": "https://k", "PULUMI_ORG": "o"}, {"OIDC": "true"}])
def test_by_secrets_where_oidc_is_not_switched_on(
    variables: dict[str, str], engine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    backend = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/state"}
    done = production(tmp_path, engine, KUBECONFIG_CONTENTS="kind: Config", **backend, **variables)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kubeconfig").read_text("utf-8") == "kind: Config\n"
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o077 == 0


def test_a_kubeconfig_that_a_clouds_login_has_written_is_kept(engine: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "kubeconfig").write_text("kind: Config # of the cloud\n", "utf-8")
    done = production(tmp_path, engine, PULUMI_BACKEND_URL=f"file://{tmp_path}/state")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kubeconfig").read_text("utf-8") == "kind: Config # of the cloud\n"


def test_what_is_not_set_is_named(tmp_path: Path) -> None:
    done = production(tmp_path, {})
    assert (done.returncode, done.stderr) == (2, "the secret KUBECONFIG is empty; set it, or OIDC with KUBE_SERVER\n")
    done = production(tmp_path, {}, OIDC="true", KUBE_SERVER="https://k")
    assert (done.returncode, done.stderr) == (
        2,
        "KUBE_CA is empty; set it to the cluster's certificate authority, as PEM\n",
    )
    assert not (tmp_path / "kubeconfig").exists()
