"""Settings of several concerns in one stack: native histograms, an objective of its own, heartbeat, annotated pods."""

import json
import re
import subprocess
import sys

import pytest

from tests.support.tree_copy import Copy, copy

__all__ = ["copy"]

TOGETHER = {
    **{"histograms": "native", "annotatePods": True, "grafanaMode": "sidecar"},
    **{"heartbeatUrlFile": "/etc/alertmanager/secrets/beat/url", "heartbeatInterval": "2m", "smtpPassword": "hunter2"},
}
TENANT = {"rulesMode": "ruler", "alertmanagerMode": "tenant", "rulerUrl": "https://mimir.example"}
OBJECTIVE = "objective:\n  share: 0.995\n  why: the contract of this region\n"
ASK = """
import json, sys
from ops.errors import Misconfigured
from ops.stack.declared import collect
try:
    print(json.dumps([one.inputs for one in collect(json.loads(sys.argv[1]), stack="staging")]))
except Misconfigured as refused:
    print(json.dumps(str(refused)))
"""


def declared(tree: Copy, **values: object) -> str:
    """What the program declares for a stack with these settings and an objective of its own, as JSON."""
    (tree.folder / "rules" / "limits.staging.yml").write_text(OBJECTIVE, "utf-8")
    command = [sys.executable, "-c", ASK, json.dumps(values)]
    done = subprocess.run(command, cwd=tree.folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("modes", "annotated"),
    [
        ({"rulesMode": "dedicated"}, ["ConfigMap/api-performance-alerts", "ConfigMap/alertmanager-config"]),
        ({"rulesMode": "shared", "alertmanagerMode": "secret"}, ["ConfigMap/prometheus-rules", "Secret/"]),
        ({"rulesMode": "shared", "alertmanagerMode": "operator"}, ["ConfigMap/prometheus-rules"]),
    ],
    ids=["config maps", "shared and secret", "shared and operator"],
)
def test_each_setting_has_its_effect_beside_the_others(
    copy: Copy, modes: dict[str, object], annotated: list[str]
) -> None:
    said = declared(copy, **{**TOGETHER, **modes})
    assert "vector(1 - 0.995)" in said and "vector(1 - 0.99)" not in said
    assert not re.search(r"[a-z_]+_milliseconds_(?:bucket|count|sum)\b", said)
    assert "api-performance-heartbeat" in said and "hunter2" not in said
    proofs = [one["annotated"] for one in json.loads(said) if "annotated" in one]
    assert len(proofs) == 2, "one waits after all else is written, one after all is taken back"
    for proof in proofs:
        assert [each for each in annotated if not any(name.startswith(each) for name in proof)] == []


@pytest.mark.parametrize(
    ("modes", "left_out", "sentence"),
    [
        (
            TENANT,
            "",
            "heartbeatUrlFile is '/etc/alertmanager/secrets/beat/url'; give no file: in alertmanagerMode tenant",
        ),
        (
            TENANT,
            "heartbeat",
            "annotatePods is True; give false: with rulesMode ruler and alertmanagerMode tenant no pod",
        ),
        (
            {"rulesMode": "operator", "alertmanagerMode": "operator"},
            "",
            "annotatePods is True; give false: with rulesMode ",
        ),
    ],
    ids=["tenant", "tenant without heartbeat", "operator"],
)
def test_what_has_no_effect_there_is_refused_in_one_sentence(
    copy: Copy, modes: dict[str, object], left_out: str, sentence: str
) -> None:
    kept = {key: value for key, value in TOGETHER.items() if not left_out or not key.startswith(left_out)}
    said = json.loads(declared(copy, **{**kept, **modes}))
    assert said.startswith(f"Pulumi.staging.yaml: {sentence}") and "hunter2" not in said
