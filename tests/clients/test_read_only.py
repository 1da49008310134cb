"""Whether an account may change anything, by what a SelfSubjectRulesReview answers."""

from pathlib import Path

import httpx
import pytest
import yaml

from formats.json_types import JsonObject
from ops.clients.kubernetes import Kubernetes

ASKING = {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]}
LOOKING = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}
WRITING = {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["prometheus"], "verbs": ["patch"]}
ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@pytest.mark.parametrize(
    ("status", "read_only"),
    [
        ({"resourceRules": [ASKING, LOOKING], "incomplete": False}, True),
        ({"resourceRules": [ASKING, LOOKING, WRITING], "incomplete": False}, False),
        ({"resourceRules": [ALL], "incomplete": False}, False),
        ({"resourceRules": [ASKING, LOOKING], "incomplete": True}, False),  # an authorizer that cannot list its rules
        ({}, False),
    ],
)
def test_read_only(tmp_path: Path, status: JsonObject, read_only: bool) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        assert b'"namespace":"monitoring"' in request.content.replace(b" ", b"")
        return httpx.Response(201, json={"status": status})

    config = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config), "utf-8")
    cluster = Kubernetes(str(tmp_path / "kubeconfig"), transport=httpx.MockTransport(answer))
    assert cluster.is_read_only("monitoring") is read_only
