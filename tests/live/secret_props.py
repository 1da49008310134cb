"""A Secret in the API stand-in, and the inputs of the resource that edits it."""

import base64
import gzip
import io
from pathlib import Path

import routing
from components.live.provider import Props
from routing.inline_password import PLACE, whole_with_password, with_password
from tests.live.api_server import Api
from tests.live.shapes import ALERTMANAGER

NAME, KEY = "alertmanager-main", "alertmanager.yaml"
PATH = f"/api/v1/namespaces/monitoring/secrets/{NAME}"
PASSWORD = "pass-of-the-relay"


def hold(api: Api, raw: bytes, key: str = KEY, **more: object) -> None:
    """A Secret with these bytes, and one more key of others."""
    data = {key: base64.b64encode(raw).decode(), "team.tmpl": base64.b64encode(b"{{ 1 }}").decode()}
    api.put(PATH, data=data, **more)


def packed(text: str, level: int = 6, name: str = "") -> bytes:
    """As others pack it: with a file name and a time, at another level than ours."""
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", level, out, mtime=1) as file:
        file.write(text.encode())
    return out.getvalue()


def raw(api: Api, key: str = KEY) -> bytes:
    """The bytes of the key."""
    return base64.b64decode(api.objects[PATH]["data"][key])


def data(api: Api) -> dict[str, str]:
    """All keys, in base64."""
    return dict(api.objects[PATH]["data"])


def props(kubeconfig: str | Path, editor: str = "routing", **more: object) -> Props:
    written = routing.load()
    parts = with_password(written.parts(), PLACE).as_json()
    return {
        **{"kubeconfig": str(kubeconfig), "context": None, "namespace": "monitoring"},
        **{"secret_name": NAME, "key": KEY, "editor": editor, "password": PASSWORD},
        "ours": parts if editor == "routing" else whole_with_password(written, written.smtp, PLACE),
        **more,
    }


# What kube-prometheus and kube-prometheus-stack write by default: the forms in it, not all of it.
KUBE_PROMETHEUS = """\
"global":
  "resolve_timeout": "5m"
"inhibit_rules":
- "equal":
  - "namespace"
  - "alertname"
  "source_matchers":
  - "severity = critical"
  "target_matchers":
  - "severity =~ warning|info"
"receivers":
- "name": "Default"
- "name": "Critical"
- "name": "null"
"route":
  "group_by":
  - "namespace"
  "receiver": "Default"
  "routes":
  - "matchers":
    - "alertname = InfoInhibitor"
    "receiver": "null"
  - "matchers":
    - "severity = critical"
    "receiver": "Critical\""""
KUBE_PROMETHEUS_STACK = """\
global:
  resolve_timeout: 5m
inhibit_rules:
- target_matchers:
  - alertname = InfoInhibitor
receivers:
- name: "null"
route:
  group_by:
  - namespace
  receiver: "null"
  routes:
  - matchers:
    - alertname = "Watchdog"
    receiver: "null"
templates:
- /etc/alertmanager/config/*.tmpl
"""
SHAPES = {**ALERTMANAGER, "kube-prometheus": KUBE_PROMETHEUS, "kube-prometheus-stack": KUBE_PROMETHEUS_STACK}
