"""Accounts with the roles of docs/rbac/, as somebody would apply them, on the rig's API server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy

import yaml

from formats.json_types import JsonObject
from ops.sandbox.cluster import NAMESPACE
from tests.e2e.rig import Rig
from tests.support.checkout import ROOT

FOLDER = ROOT / "docs" / "rbac"
PREVIEW, DEPLOY = "api-monitoring-preview", "api-monitoring-deploy"
_GROUPS = {"ServiceAccount": "/api/v1", "Role": "/apis/rbac.authorization.k8s.io/v1"}

# Changes a rule in its place; one without verbs grants nothing.
Change = Callable[[JsonObject], None]


def manifests(file: str) -> list[JsonObject]:
    """The objects of a file of docs/rbac/."""
    return list(yaml.safe_load_all((FOLDER / file).read_text("utf-8")))


class Accounts:
    """The two accounts. One kubeconfig is for both, so that the stack's settings do not change with the account."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.kubeconfig = rig.cluster.folder / "kubeconfig-account"

    def use(self, name: str) -> None:
        """From now on, what reads the kubeconfig is this account."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{name}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        http = self.rig.cluster.http
        found = yaml.safe_load(self.rig.cluster.unprivileged_kubeconfig.read_text("utf-8"))
        found["users"][0]["user"]["token"] = http.decode(http.request("POST", path, json=asked))["status"]["token"]
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(found), "utf-8")

    @contextmanager
    def changed(self, change: Change) -> Iterator[None]:
        """Its roles with each rule changed, and as they were afterwards."""
        roles = [one for file in ("preview.yml", "deploy.yml") for one in manifests(file) if one["kind"] == "Role"]
        for role in roles:
            other = deepcopy(role)
            for rule in other["rules"]:
                change(rule)
            other["rules"] = [rule for rule in other["rules"] if rule["verbs"]]
            self._replace(other)
        try:
            yield
        finally:
            for role in roles:
                self._replace(role)

    def _replace(self, role: JsonObject) -> None:
        self.rig.cluster.http.request("PUT", _path(role), json=role)


def lacking(resource: str, verb: str) -> Change:
    """Takes a right away."""

    def change(rule: JsonObject) -> None:
        if resource in rule["resources"]:
            rule["verbs"] = [one for one in rule["verbs"] if one != verb]

    return change


@contextmanager
def applied(rig: Rig, *files: str) -> Iterator[Accounts]:
    """The accounts of preview.yml and deploy.yml, with what `files` add."""
    every = [one for file in ("preview.yml", "deploy.yml", *files) for one in manifests(file)]
    for manifest in every:
        rig.cluster.apply(manifest)
    accounts = Accounts(rig)
    try:
        yield accounts
    finally:  # what is left is the administrator's to take back: the state has the path of this kubeconfig
        accounts.kubeconfig.write_text(rig.cluster.kubeconfig.read_text("utf-8"), "utf-8")
        for manifest in every:
            rig.cluster.http.request("DELETE", _path(manifest))


def _path(manifest: JsonObject) -> str:
    kind = manifest["kind"]
    group = _GROUPS.get(kind, _GROUPS["Role"])
    return f"{group}/namespaces/{NAMESPACE}/{kind.lower()}s/{manifest['metadata']['name']}"
