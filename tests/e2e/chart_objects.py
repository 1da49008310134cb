"""What `helm install prometheus prometheus-community/prometheus` renders, as far as it is looked at: written by us.

The texts are those of the hand-made stack, as a chart has them: keys sorted by Helm's `toYaml`, comments lost.
"""

from collections.abc import Mapping

import yaml

from formats.json_types import JsonObject
from ops.sandbox.cluster import NAMESPACE

SERVER, ALERTMANAGER = "prometheus-server", "prometheus-alertmanager"
LISTED = [f"/etc/config/{name}" for name in ("recording_rules.yml", "alerting_rules.yml", "rules", "alerts")]
ANNOTATIONS = {"meta.helm.sh/release-name": "prometheus", "meta.helm.sh/release-namespace": NAMESPACE}


def labels(name: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/instance": "prometheus",
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "prometheus",
        "helm.sh/chart": f"{name}-27.45.0",
    }


def prometheus_yml(handmade: str, *more: str) -> str:
    """`serverFiles."prometheus.yml"` as the chart renders it; `more`: entries that its values add to `rule_files`."""
    text = yaml.safe_load(handmade)
    parts: list[JsonObject] = [
        {"global": text["global"]},
        {"rule_files": [*LISTED, *more], "scrape_configs": text["scrape_configs"]},
        {"alerting": text["alerting"]},
    ]
    return "".join(yaml.safe_dump(part) for part in parts)


def alertmanager_yml(handmade: str) -> str:
    """`alertmanager.config` as the subchart renders it."""
    return yaml.safe_dump({**yaml.safe_load(handmade), "templates": ["/etc/alertmanager/*.tmpl"]})


def config_maps(handmade: Mapping[str, Mapping[str, str]]) -> list[JsonObject]:
    """Of Prometheus and of Alertmanager. `handmade`: the data of the hand-made stack's ConfigMaps, by their names."""
    groups = [
        group for text in handmade["prometheus-rules"].values() for group in yaml.safe_load(text).get("groups") or ()
    ]
    empty = dict.fromkeys(("recording_rules.yml", "alerts", "rules"), "{}\n")
    data = {
        "prometheus.yml": prometheus_yml(handmade["prometheus-config"]["prometheus.yml"]),
        "alerting_rules.yml": yaml.safe_dump({"groups": groups}),
        **{"allow-snippet-annotations": "false", **empty},
    }
    text = alertmanager_yml(handmade["alertmanager-config"]["alertmanager.yml"])
    return [
        {"apiVersion": "v1", **_object("ConfigMap", SERVER, "prometheus"), "data": data},
        {
            "apiVersion": "v1",
            **_object("ConfigMap", ALERTMANAGER, "alertmanager"),
            "data": {"alertmanager.yml": text},
        },
    ]


def workloads() -> list[JsonObject]:
    """The Deployment of Prometheus with its config-reloader, and the StatefulSet of Alertmanager."""
    reloader: JsonObject = {
        "name": "prometheus-server-configmap-reload",
        "image": "quay.io/prometheus-operator/prometheus-config-reloader:v0.86.1",
        "args": [
            *("--watched-dir=/etc/config", "--listen-address=0.0.0.0:8080"),
            "--reload-url=http://127.0.0.1:9090/-/reload",
        ],
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/config", "readOnly": True}],
    }
    server: JsonObject = {
        "name": "prometheus-server",
        "image": "quay.io/prometheus/prometheus:v3.7.3",
        "args": [
            *("--storage.tsdb.retention.time=15d", "--config.file=/etc/config/prometheus.yml"),
            *("--storage.tsdb.path=/data", "--web.enable-lifecycle"),
        ],
        "ports": [{"containerPort": 9090}],
        "volumeMounts": [
            {"name": "config-volume", "mountPath": "/etc/config"},
            {"name": "storage-volume", "mountPath": "/data", "subPath": ""},
        ],
    }
    alertmanager: JsonObject = {
        "name": "alertmanager",
        "image": "quay.io/prometheus/alertmanager:v0.29.0",
        "args": ["--storage.path=/alertmanager", "--config.file=/etc/alertmanager/alertmanager.yml"],
        "ports": [{"name": "http", "containerPort": 9093}],
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/alertmanager"},
            {"name": "smtp", "mountPath": "/etc/alertmanager/smtp", "readOnly": True},  # extraSecretMounts
            {"name": "storage", "mountPath": "/alertmanager"},
        ],
    }
    volumes = [
        {"name": "config-volume", "configMap": {"name": SERVER}},
        {"name": "storage-volume", "persistentVolumeClaim": {"claimName": SERVER}},
    ]
    mounted = [
        {"name": "config", "configMap": {"name": ALERTMANAGER}},
        {"name": "smtp", "secret": {"secretName": "alertmanager-smtp"}},
        {"name": "storage", "emptyDir": {}},
    ]
    return [
        {
            **{"apiVersion": "apps/v1", **_object("Deployment", SERVER, "prometheus")},
            "spec": {**_pods("prometheus", [reloader, server], volumes), "strategy": {"type": "Recreate"}},
        },
        {
            **{"apiVersion": "apps/v1", **_object("StatefulSet", ALERTMANAGER, "alertmanager")},
            "spec": {**_pods("alertmanager", [alertmanager], mounted), "serviceName": f"{ALERTMANAGER}-headless"},
        },
    ]


def _object(kind: str, name: str, part: str) -> JsonObject:
    return {"kind": kind, "metadata": {"name": name, "labels": labels(part), "annotations": ANNOTATIONS}}


def _pods(name: str, containers: list[JsonObject], volumes: list[JsonObject]) -> JsonObject:
    chosen = {key: labels(name)[f"app.kubernetes.io/{key}"] for key in ("instance", "name")}
    selector = {f"app.kubernetes.io/{key}": value for key, value in chosen.items()}
    template = {"metadata": {"labels": labels(name)}, "spec": {"containers": containers, "volumes": volumes}}
    return {"replicas": 1, "selector": {"matchLabels": selector}, "template": template}
