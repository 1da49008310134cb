"""The policy pack on the real engine: the program passes, and each edit that it is there for is refused."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.build_tools import pulumi
from ops.errors import NotFound
from ops.stack import engine_events
from tests.e2e.rig import Rig
from tests.support.checkout import ROOT

PACK = ROOT / "policy"

# What is added to the end of __main__.py, where `opts` has the provider → the policy that refuses it, its sentence.
ELSEWHERE = (
    'k8s.core.v1.ConfigMap("api-performance-x", metadata={"name": "api-performance-x", "namespace": "default"}, data={}'
)
EDITS = {
    ELSEWHERE: (
        "one-namespace",
        "ConfigMap api-performance-x is in namespace default, and this program may write to monitoring only: give it "
        "the namespace monitoring",
    ),
    (
        'k8s.apps.v1.Deployment("api-performance-x", metadata={"name": "api-performance-x", "namespace": '
        '"monitoring"}, spec={"selector": {"match_labels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": '
        '"b"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}}'
    ): (
        "only-our-kinds",
        "Deployment api-performance-x is of a kind that this program may not make (kubernetes:apps/v1:Deployment): "
        "take it out of the program, or ask the owners of the stack to allow it by alsoKinds",
    ),
    'k8s.core.v1.ConfigMap("x", metadata={"name": "billing-alerts", "namespace": "monitoring"}, data={}': (
        "our-names",
        "ConfigMap x has the name billing-alerts, and a name of this program begins with api-performance, "
        "api-monitoring or dashboard-api-performance: give it such a name",
    ),
    (
        'k8s.core.v1.ConfigMap("y", metadata={"name": "api-performance-y", "namespace": "monitoring"}, '
        'data={"a": "smtp_auth_password: hunter2"}'
    ): (
        "no-plain-secrets",
        "ConfigMap y would write smtp_auth_password in plain text into a ConfigMap, which everybody who may read "
        "ConfigMaps can read: use smtp_auth_password_file and a Secret",
    ),
    (
        'k8s.core.v1.ConfigMapPatch("prometheus-rules", metadata={"name": "prometheus-rules", "namespace": '
        '"monitoring", "annotations": {"pulumi.com/patchForce": "true"}}, data={"a.yml": ""}'
    ): (
        "others-work-stays",
        "ConfigMapPatch prometheus-rules has the annotation pulumi.com/patchForce, with which it overwrites what "
        "others wrote into prometheus-rules: take the annotation out",
    ),
}


def pack() -> Path:
    """The pack as this engine takes it."""
    if not (PACK / ".venv" / "bin" / "python").exists():
        pytest.fail("the pack has no environment yet: `make policy` makes it", pytrace=False)
    built = (engine := pulumi.find()) is not None and engine.root is not None
    return PACK / "serve" if built else PACK


def run(rig: Rig, *arguments: str, **settings: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    """`pulumi` with the pack, as a person calls it. A built engine's Python host is too old for the folder."""
    access = rig.engine.access
    command = ["pulumi", *arguments, "--stack", access.stack, "--non-interactive", "--color", "never"]
    command += ["--policy-pack", str(pack())]
    if arguments[0] != "policy":
        command += ["--config-file", str(access.config_file)]
    if settings:
        file = rig.program.parent / "policy.json"
        file.write_text(json.dumps({name.replace("_", "-"): given for name, given in settings.items()}), "utf-8")
        command += ["--policy-pack-config", str(file)]
    return subprocess.run(command, cwd=rig.program, env=rig.env, capture_output=True, text=True, check=False)


def refusals(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    """Each violation: (the policy, its sentence). The engine prints the policy, its description and the sentence."""
    found = re.findall(r"^ +- \[mandatory\] +(\S+) .*\n.*\n +(.+)$", done.stdout, re.MULTILINE)
    assert (done.returncode != 0) == bool(found), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr and "hunter2" not in done.stdout + done.stderr
    return found


def add(rig: Rig, *resources: str) -> None:
    """More resources at the end of the program."""
    lines = ["import pulumi_kubernetes as k8s", *(f"{resource}, opts=opts)" for resource in resources)]
    with (rig.program / "__main__.py").open("a", encoding="utf-8") as file:
        file.writelines(f"    {line}\n" for line in lines)


@pytest.mark.core
def test_the_program_passes(rig: Rig) -> None:
    done = run(rig, "up", "--yes")
    assert refusals(done) == []
    assert re.search(r"^ +✅ api-monitoring@v\S+ ", done.stdout, re.MULTILINE), done.stdout
    assert "can't run policy" not in done.stdout
    assert refusals(run(rig, "preview", "--expect-no-changes")) == []


def test_each_edit_is_refused_with_one_sentence(rig: Rig) -> None:
    add(rig, *EDITS)
    rig.edit(
        "components/program.py",
        'kubeconfig=pulumi.Output.secret(of.kubeconfig) if of.kubeconfig else "",',
        'kubeconfig=of.kubeconfig or "",',
    )
    assert sorted(refusals(run(rig, "preview"))) == sorted(
        [
            *EDITS.values(),
            (
                "no-plain-secrets",
                "kubernetes provider cluster has kubeconfig in plain text: set it by `pulumi config set --secret`, and "
                "pass it on with pulumi.Output.secret",
            ),
        ]
    )


def test_an_update_is_refused_before_the_object_is_written(rig: Rig) -> None:
    add(rig, ELSEWHERE)
    assert refusals(run(rig, "up", "--yes")) == [EDITS[ELSEWHERE]]
    assert rig.objects() == rig.before
    assert refusals(run(rig, "up", "--yes", "--skip-preview")) == [EDITS[ELSEWHERE]]
    with pytest.raises(NotFound):
        rig.cluster.http.request("GET", "/api/v1/namespaces/default/configmaps/api-performance-x")


def test_a_review_is_refused_with_the_policy_and_its_sentence(rig: Rig) -> None:
    add(rig, ELSEWHERE)
    policy, sentence = EDITS[ELSEWHERE]
    found = engine_events.of_engine(rig.engine, [pack()])
    assert found.refused
    (violation,) = found.violations
    assert sentence in violation
    assert violation.endswith(f"({policy}, mandatory)")


def test_the_settings_of_the_pack_decide(rig: Rig) -> None:
    done = run(rig, "preview", one_namespace={"namespace": "elsewhere"}, our_names={"prefixes": ["team-a"]})
    found = refusals(done)
    assert {policy for policy, _ in found} == {"one-namespace", "our-names"}
    assert any("may write to elsewhere only" in sentence for _, sentence in found)
    mistyped = refusals(run(rig, "preview", one_namespace={"namspace": "x"}))
    assert mistyped == [("one-namespace", "policy one-namespace has no setting namspace: it has namespace")]


def test_secrets_that_cannot_be_seen_are_not_taken_for_hidden(rig: Rig) -> None:
    ((policy, sentence),) = refusals(run(rig, "preview", no_plain_secrets={"enforcementLevel": "mandatory"}))
    assert policy == "no-plain-secrets"
    assert sentence.startswith("Pulumi shows only at the enforcement level remediate which inputs are secrets: ")


def test_what_stands_in_the_state_is_looked_at_before_a_destroy(rig: Rig) -> None:
    rig.up()
    assert refusals(run(rig, "policy", "analyze")) == []
    # As the program's own objects are: the default waits for a garbage collector, which this API server has not.
    background = '"annotations": {"pulumi.com/deletionPropagationPolicy": "background"}, "namespace": "default"'
    add(rig, ELSEWHERE.replace('"namespace": "default"', background))
    rig.up()  # by somebody who left the pack out
    assert refusals(run(rig, "policy", "analyze")) == [EDITS[ELSEWHERE]]
