"""The real Prometheus Operator on the rig's API server, and what stands for the pods that it would have run.

It is given a Prometheus and an Alertmanager object as a person would write them. The pods are the sandbox's servers: a
thread brings them what the operator generates, and has them reload, as kubelet and the config-reloader would.
"""

import base64
import gzip
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from formats.json_types import JsonObject, JsonValue
from ops import build_tools
from ops.errors import Conflict, NotFound, OpsError
from ops.sandbox import processes
from ops.sandbox.cluster import NAMESPACE
from ops.sandbox.parts import environment
from ops.sandbox.ports import HOST, choose
from tests.e2e.rig import Rig
from tests.support.waiting import PATIENCE, until

NAME = "prometheus-operator"
MODULE = "github.com/prometheus-operator/prometheus-operator"
SELECTED = {"release": "kube-prometheus-stack"}
PROMETHEUS, ALERTMANAGER = "k8s", "main"
GROUP = "/apis/monitoring.coreos.com"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MANAGED = "managed-by=prometheus-operator"  # the label of all that it generates
OURS = "monitoring/api-monitoring/"  # what the operator puts before our names
FILES = [f"/etc/alertmanager/secrets/on-call/{key}" for key in ("slack", "pagerduty", "webhook")]
_RULES = f"prometheus-{PROMETHEUS}-rulefiles-"


class _Loader(yaml.CSafeLoader):
    """Reads a lone `=` as the text that it is."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def missing() -> str:
    """What there has to be besides an engine; "" when there is all."""
    if not build_tools.find(NAME):
        return f"no {NAME} here: `make e2e` builds it"
    return "" if _definitions() else f"no definitions of the operator here: bring them with `go mod download {MODULE}`"


def _definitions() -> list[Path]:
    """The operator's CustomResourceDefinitions, as they are in its module."""
    go = shutil.which("go")
    if go is None:
        return []
    command = [go, "list", "-m", "-f", "{{.Dir}}", MODULE]
    done = subprocess.run(command, cwd=build_tools.TOOLS[NAME].module, capture_output=True, text=True, check=False)
    return sorted((Path(done.stdout.strip()) / "example" / "prometheus-operator-crd").glob("*.yaml"))


class Operated:
    """The operator, its objects, and the two servers that run what it generates."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._http = rig.cluster.http
        self._run = rig.sandbox.home / "run"
        self._stopping = threading.Event()
        self._carrier = threading.Thread(target=self._carry, daemon=True)
        self._carried: JsonObject = {}

    def start(self) -> None:
        self._kept = self.rig.before
        for file in _definitions():
            self._http.request("POST", DEFINITIONS, json=yaml.load(file.read_text("utf-8"), _Loader))
        until(self._established)
        for kind, manifest in self._by_hand():
            self.make(kind, manifest)
        self.rig.before = self.rig.objects()
        port = choose(("operator",), {})["operator"]
        child = processes.start(
            self._run,
            NAME,
            [str(build_tools.path(NAME)), f"--web.listen-address={HOST}:{port}", f"--namespaces={NAMESPACE}"],
            environment=environment(KUBECONFIG=str(self.rig.cluster.kubeconfig)),
            folder=self.rig.sandbox.home,
        )
        processes.wait_ready(child, lambda: self.generated() is not None, seconds=PATIENCE)
        self._carrier.start()
        until(lambda: {*self._carried} == {"prometheus", "alertmanager"})
        until(lambda: "PlatformTargetDown" in self.rig.rules() and "billing" in self.rig.receivers())

    def stop(self) -> None:
        """The servers as they were, and of the operator nothing: process, objects, definitions."""
        self._stopping.set()
        if self._carrier.is_alive():
            self._carrier.join(PATIENCE)
        processes.stop(self._run, [NAME])
        for definition in self._items(DEFINITIONS):
            self._http.request("DELETE", f"{DEFINITIONS}/{definition['metadata']['name']}")
        until(lambda: not self._items(DEFINITIONS))
        for path in (
            *(f"/api/v1/namespaces/{NAMESPACE}/{kind}" for kind in ("configmaps", "secrets", "services")),
            f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets",
        ):
            for item in self._items(path, MANAGED):
                self._http.request("DELETE", f"{path}/{item['metadata']['name']}")
        for name in self.rig.before.keys() - self._kept.keys():
            kind, _, title = name.partition("/")
            self.rig.delete(f"{kind}s", title)
        self.rig.before = self._kept
        mounts = self.rig.sandbox.mounts
        for folder in mounts.rules.glob(f"{_RULES}*"):
            shutil.rmtree(folder)
        for server, file in (("prometheus", "prometheus.yml"), ("alertmanager", "alertmanager.yml")):
            mounts.write(server, "", {file: self._kept[f"configmap/{server}-config"][file]})
        self._reload()

    # ── objects ───────────────────────────────────────────────────────────────────────────────────

    def make(self, kind: str, manifest: Mapping[str, JsonValue]) -> None:
        self._http.request("POST", _path(kind), json=dict(manifest))

    def get(self, kind: str, name: str) -> JsonValue:
        return self._http.get_json(f"{_path(kind)}/{name}")

    def names(self, kind: str) -> set[str]:
        return {item["metadata"]["name"] for item in self._items(_path(kind))}

    def patch(self, kind: str, name: str, body: Mapping[str, JsonValue]) -> None:
        """Somebody else edits an object."""
        headers = {"Content-Type": "application/merge-patch+json"}
        self._http.request("PATCH", f"{_path(kind)}/{name}", json=dict(body), headers=headers)

    def delete(self, kind: str, name: str) -> None:
        self._http.request("DELETE", f"{_path(kind)}/{name}")

    def secret(self, name: str, data: Mapping[str, str]) -> None:
        """Make a Secret of others, or give it other contents."""
        path = f"/api/v1/namespaces/{NAMESPACE}/secrets"
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(data)}
        try:
            self._http.request("POST", path, json=manifest)
        except Conflict:
            headers = {"Content-Type": "application/merge-patch+json"}
            self._http.request("PATCH", f"{path}/{name}", json={"stringData": dict(data)}, headers=headers)

    def generated(self) -> str | None:
        """The Alertmanager configuration that the operator generates."""
        return self._unpacked(f"alertmanager-{ALERTMANAGER}-generated", "alertmanager.yaml.gz")

    def _by_hand(self) -> Iterator[tuple[str, JsonObject]]:
        """What others made: their rules, their Alertmanager configuration, their scrape jobs, and the two objects."""
        for file, text in self.rig.before["configmap/prometheus-rules"].items():
            metadata = {"name": file.removesuffix(".yml"), "labels": SELECTED}
            yield "prometheusrules", _object("v1", "PrometheusRule", metadata, yaml.safe_load(text))
        config = yaml.safe_load(self.rig.text("prometheus-config", "prometheus.yml"))
        theirs = {
            "jobs": {"jobs.yml": yaml.safe_dump(config["scrape_configs"])},
            "alertmanagers": {"alertmanagers.yml": yaml.safe_dump(config["alerting"]["alertmanagers"])},
            "routing": {"alertmanager.yaml": self.rig.text("alertmanager-config", "alertmanager.yml")},
        }
        for name, data in theirs.items():
            self.secret(name, data)
        server = {
            "version": "v3.5.0",
            "scrapeInterval": "1s",
            "evaluationInterval": "15s",
            "ruleSelector": {"matchLabels": SELECTED},
            "serviceMonitorSelector": {},  # without any of its like the operator leaves the configuration alone
            "additionalScrapeConfigs": {"name": "jobs", "key": "jobs.yml"},
            "additionalAlertManagerConfigs": {"name": "alertmanagers", "key": "alertmanagers.yml"},
        }
        yield "prometheuses", _object("v1", "Prometheus", {"name": PROMETHEUS}, server)
        yield "alertmanagers", _object("v1", "Alertmanager", {"name": ALERTMANAGER}, ALERTING)

    def _established(self) -> bool:
        found = [one.get("status", {}).get("conditions") or () for one in self._items(DEFINITIONS)]
        return all(any((c["type"], c["status"]) == ("Established", "True") for c in each) for each in found)

    def _items(self, path: str, selector: str = "") -> list[JsonValue]:
        return list(self._http.get_json(path, {"labelSelector": selector} if selector else {})["items"])

    # ── instead of kubelet and the config-reloader ─────────────────────────────────────────────────

    def _unpacked(self, secret: str, key: str) -> str | None:
        try:
            held = self._http.get_json(f"/api/v1/namespaces/{NAMESPACE}/secrets/{secret}").get("data") or {}
        except NotFound:
            return None
        return gzip.decompress(base64.b64decode(held[key])).decode() if key in held else None

    def _carry(self) -> None:
        while not self._stopping.wait(0.2):
            try:
                self._turn()
            except OpsError:
                continue  # the API server or one of the servers is away, or a text would lead beyond loopback

    def _turn(self) -> None:
        config = self._unpacked(f"prometheus-{PROMETHEUS}", "prometheus.yaml.gz")
        files = {
            f"rules/{item['metadata']['name']}": item.get("data") or {}
            for item in self._items(f"/api/v1/namespaces/{NAMESPACE}/configmaps", MANAGED)
            if item["metadata"]["name"].startswith(_RULES)
        }
        self._bring("prometheus", {**files, "": {"prometheus.yml": config}} if config else {})
        routing = self.generated()
        self._bring("alertmanager", {"": {"alertmanager.yml": routing}} if routing else {})

    def _bring(self, server: str, wanted: Mapping[str, Mapping[str, str]]) -> None:
        if not wanted or self._carried.get(server) == wanted:
            return
        for path, data in wanted.items():
            self.rig.sandbox.mounts.write(server, path, data, only=bool(path))
        self._carried[server] = wanted
        getattr(self.rig.sandbox, server).reload()

    def _reload(self) -> None:
        self.rig.sandbox.prometheus.reload()
        self.rig.sandbox.alertmanager.reload()


ALERTING = {
    "version": "v0.28.1",
    "configSecret": "routing",
    "alertmanagerConfigSelector": {"matchLabels": SELECTED},
    "alertmanagerConfigMatcherStrategy": {"type": "None"},
}


def configure(rig: Rig, **settings: object) -> None:
    """Have rules and routing go by the operator, with these settings besides."""
    usual = {
        **{"rulesMode": "operator", "alertmanagerMode": "operator", "operatorLabels": "release=kube-prometheus-stack"},
        **{"prometheusReload": "sidecar", "alertmanagerReload": "sidecar"},
        "smtpPassword": rig.sandbox.mounts.smtp_password.read_text("utf-8"),
    }
    rig.configure(**{**usual, **settings})


def reached(rig: Rig, *matchers: str) -> set[str]:
    """The receivers of the alerts that Alertmanager holds."""
    return {receiver for notice in rig.sandbox.alertmanager.alerts(matchers) for receiver in notice.receivers}


def manifest(spec: JsonObject) -> JsonObject:
    """An AlertmanagerConfig under our name."""
    return {
        **{"apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "AlertmanagerConfig", "spec": spec},
        "metadata": {"name": "api-monitoring", "labels": SELECTED},
    }


def _path(kind: str) -> str:
    version = "v1alpha1" if kind == "alertmanagerconfigs" else "v1"
    return f"{GROUP}/{version}/namespaces/{NAMESPACE}/{kind}"


def _object(version: str, kind: str, metadata: Mapping[str, JsonValue], spec: Mapping[str, JsonValue]) -> JsonObject:
    return {"apiVersion": f"monitoring.coreos.com/{version}", "kind": kind, "metadata": metadata, "spec": spec}
