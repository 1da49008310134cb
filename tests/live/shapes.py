"""Layouts of configurations and workloads that were met in public repositories, boiled down."""

from formats.json_types import JsonObject
from ops.clients.workloads import WantedWorkload

PROMETHEUS = {
    "key missing": "global:\n  scrape_interval: 15s\n",
    "key missing, commented-out text at the end": "scrape_configs:\n  - job_name: a\n  # - job_name: b\n",
    "key missing, no final newline": "global:\n  scrape_interval: 15s",
    "key missing, document end": "---\nglobal: {}\n...\n# bye\n",
    "key missing, kept block": "storage: |+\n  text\n\n\n",
    "key missing, clipped block": "storage: |\n  text\n",
    "key missing, all indented": "  global: {}\n  scrape_configs: []\n",
    "block list": "rule_files:\n  - a.yml\n  - b.yml\nscrape_configs: []\n",
    "block list, comments": "# top\nrule_files: # why\n  # first\n  - a.yml # one\n\n  # second\n  - 'b.yml'\n# end\n",
    "block list not indented": "rule_files:\n- a.yml\n- b.yml\n",
    "block list far indented": "rule_files:\n        - a.yml\n",
    "list of an anchored item": "rule_files:\n  - &a a.yml\nalerting: *a\n",
    "only comments below": "rule_files:\n  # - a.yml\n  # - b.yml\n\nscrape_configs:\n  - job_name: x\n",
    "nothing below": "global: {}\nrule_files:\n",
    "nothing below, no final newline": "global: {}\nrule_files:",
    "empty list": "rule_files: []\nglobal: {}\n",
    "empty list, comment": "rule_files: [ ]   # none yet\nglobal: {}\n",
    "empty list, no final newline": "rule_files: []",
    "null": "rule_files: null\nglobal: {}\n",
    "tilde": "rule_files: ~ # none\n",
    "one-line list": "rule_files: ['a.yml', b.yml]\nglobal: {}\n",
    "one-line list, spaces and comment": "rule_files: [ a.yml , b.yml ] # two\n",
    "one-line list on the next line": "rule_files:\n  [a.yml]\n",
    "list over lines": 'rule_files: [\n  "a.yml",\n  # and\n  "b.yml"\n]\n',
    "list over lines, first on the line": "rule_files: [a.yml,\n  b.yml]\n",
    "empty list over lines": "rule_files: [\n]\n",
    "carriage returns": "global: {}\r\nrule_files:\r\n  - a.yml\r\nscrape_configs: []\r\n",
    "carriage returns, empty list": "global: {}\r\nrule_files: []  # none\r\n",
    "carriage returns, one-line list": "rule_files: [a.yml]\r\n",
    "carriage returns, key missing, no final newline": "global: {}\r\nscrape_configs: []",
    "trailing spaces": "rule_files:   \n  - a.yml  \nglobal: {}   \n",
    "tabs that Go accepts": "rule_files:\t# our\n  - a.yml\t\nglobal:\t{}\n",
    "not ASCII": "# Überwachung – 監視 🔥\nrule_files:\n  - /etc/größe/*.yml\n",
    "quoted key": '"rule_files": []\n',
    "byte order mark": "\ufeffrule_files:\n- a.yml\n",
    "document start": "%YAML 1.1\n---\nrule_files:\n  - a.yml\n",
    "anchors elsewhere": "storage: &x {a: 1}\ntracing:\n  <<: *x\nrule_files: []\n",
    "aliases in circles": "remote_read: &x [*x]\nrule_files:\n- a\n",
    "nothing at all": "",
    "only a comment": "# to be written\n",
    "only a document start": "---\n",
    "the words elsewhere": 'storage:\n  rule_files: [x]\ntracing: |\n  rule_files:\n  - c\nrule_files: ["d"]\n',
    "replaced variables": "global:\n  external_labels: {region: '${REGION}'}\nrule_files:\n  - a.yml\n",
}

MINIMAL = "route:\n  receiver: default\nreceivers:\n  - name: default\n"
ALERTMANAGER = {
    "minimal": MINIMAL,
    "minimal, no final newline": MINIMAL.removesuffix("\n"),
    "carriage returns": MINIMAL.replace("\n", "\r\n"),
    "receivers first": "receivers:\n- name: default\nroute:\n  receiver: default\n  # routes:\n  #   - receiver: x\n",
    "everything there": """\
# Alerting – hands off!
global:
  smtp_smarthost: 'localhost:25'   # aligned
  resolve_timeout:   5m

route:
    receiver: "default"
    group_by: ['alertname',
               'cluster']
    routes:
        # the pager
        - match:
            severity: page
          receiver: pager
          continue: true
        # - match: {severity: info}
        - receiver: default   # catch-all

inhibit_rules:
- source_match: {severity: 'critical'}
  target_match: {severity: 'warning'}
  equal: ['cluster']

mute_time_intervals: []
time_intervals:
  # - name: never

receivers:
- name: default
- name: pager
  webhook_configs:
  - url: http://127.0.0.1:1/
    send_resolved: True
# end
""",
    "empty lists": "route: \n  receiver: d\n  routes: [] # none\nreceivers: [{name: d}]\n"
    "inhibit_rules: []\ntime_intervals: null\n",
    "lists in brackets": "route:\n  receiver: d\n  routes: [{receiver: d, match: {a: b}}]\n"
    "receivers: [\n  {name: d},\n]\n",
    "tabs that Go accepts": MINIMAL.replace(": default", ":\tdefault\t# x"),
    "a template in a text": MINIMAL + "  - name: other\n    email_configs:\n    - to: '{{ template \"x\" . }}'\n",
    "anchors": "x: &s {a: b}\n" + MINIMAL.replace("receiver: default", "receiver: default\n  routes:\n  - match: *s"),
}


def server_props(kind: str = "prometheus", **more: object) -> JsonObject:
    """A server of the settings as the state keeps it (components.live.inputs.ServerInputs), with the guide's names."""
    return {
        **{"kind": kind, "workload": "", "deployment": kind, "container": kind},
        **{"config_map": f"{kind}-config", "config_key": f"{kind}.yml", "config_maps": [f"{kind}-config"]},
        **{"service": f"{kind}:80", "url": "", "reload": "lifecycle"},
        **more,
    }


def wanted_workload(kind: str = "prometheus", **more: object) -> WantedWorkload:
    return WantedWorkload.of("monitoring", server_props(kind, **more))


def _workload(name: str, containers: list[JsonObject], volumes: list[JsonObject], **spec: object) -> JsonObject:
    labels = {"app.kubernetes.io/name": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers, "volumes": volumes}}
    return {"selector": {"matchLabels": labels}, "replicas": 1, "template": template, **spec}


RELOADER: JsonObject = {
    "name": "prometheus-server-configmap-reload",
    "image": "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0",
    "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/config", "readOnly": True}],
}

# The spec of each: what the charts and kube-prometheus render, as far as it is looked at.
WORKLOADS: dict[str, tuple[str, JsonObject]] = {
    "chart prometheus, server": (
        "deployments/kube-prometheus-server",
        _workload(
            "prometheus",
            [
                RELOADER,
                {
                    "name": "prometheus-server",
                    "image": "quay.io/prometheus/prometheus:v3.7.3",
                    "args": ["--config.file=/etc/config/prometheus.yml", "--web.enable-lifecycle"],
                    "volumeMounts": [
                        {"name": "config-volume", "mountPath": "/etc/config"},
                        {"name": "storage-volume", "mountPath": "/data"},
                    ],
                },
            ],
            [
                {"name": "config-volume", "configMap": {"defaultMode": 420, "name": "kube-prometheus-server"}},
                {"name": "storage-volume", "persistentVolumeClaim": {"claimName": "kube-prometheus-server"}},
            ],
            strategy={"type": "Recreate"},
        ),
    ),
    "chart alertmanager": (
        "statefulsets/kube-alertmanager",
        _workload(
            "alertmanager",
            [
                {
                    "name": "alertmanager",
                    "image": "quay.io/prometheus/alertmanager:v0.29.0@sha256:88743b63",
                    "args": ["--storage.path=/alertmanager", "--config.file=/etc/alertmanager/alertmanager.yml"],
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/etc/alertmanager"},
                        {"name": "storage", "mountPath": "/alertmanager"},
                    ],
                }
            ],
            [{"name": "config", "configMap": {"defaultMode": 420, "name": "kube-alertmanager"}}],
            serviceName="kube-alertmanager-headless",
            updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        ),
    ),
    "kube-prometheus": (
        "statefulsets/prometheus-k8s",
        _workload(
            "prometheus",
            [
                {
                    "name": "prometheus",
                    "image": "quay.io/prometheus/prometheus:v3.7.3",
                    "volumeMounts": [{"name": "prometheus-k8s-rulefiles-0", "mountPath": "/etc/prometheus/rules"}],
                },
                {"name": "config-reloader", "image": "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0"},
            ],
            [
                {"name": "config", "secret": {"secretName": "prometheus-k8s"}},
                {"name": "prometheus-k8s-rulefiles-0", "configMap": {"name": "prometheus-k8s-rulefiles-0"}},
            ],
            serviceName="prometheus-operated",
        ),
    ),
}

# What each tool writes into the metadata of an object that it keeps.
MARKS: dict[str, JsonObject] = {
    "Argo CD, by annotation": {
        "annotations": {
            "argocd.argoproj.io/tracking-id": "monitoring-stack:/ConfigMap:monitoring/prometheus-config",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
        # A chart that Argo CD has rendered: Helm itself never comes back.
        "labels": {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "monitoring-stack"},
        "managedFields": [{"manager": "argocd-controller", "operation": "Update"}],
    },
    "Argo CD, by label": {"labels": {"argocd.argoproj.io/instance": "monitoring-stack"}},
    "Argo CD, by manager": {"managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]},
    "Flux": {
        "labels": {
            "kustomize.toolkit.fluxcd.io/name": "monitoring",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        },
        "managedFields": [{"manager": "kustomize-controller", "operation": "Apply"}],
    },
    "Flux, by manager": {"managedFields": [{"manager": "kustomize-controller", "operation": "Apply"}]},
    "Flux, HelmRelease": {
        "annotations": {"meta.helm.sh/release-name": "kube", "meta.helm.sh/release-namespace": "monitoring"},
        "labels": {
            "app.kubernetes.io/managed-by": "Helm",
            "helm.toolkit.fluxcd.io/name": "kube",
            "helm.toolkit.fluxcd.io/namespace": "monitoring",
        },
        "managedFields": [{"manager": "helm-controller", "operation": "Apply"}],
    },
    "Helm": {
        "annotations": {"meta.helm.sh/release-name": "kube", "meta.helm.sh/release-namespace": "monitoring"},
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "managedFields": [{"manager": "helm", "operation": "Update"}],
    },
    "Helm, by label": {"labels": {"app.kubernetes.io/managed-by": "Helm"}},
    "by hand": {
        "labels": {"app.kubernetes.io/instance": "monitoring"},
        "managedFields": [{"manager": "kubectl-client-side-apply", "operation": "Update"}],
    },
}
