"""The worked examples of CONTRIBUTING.md: each change is made in a copy of the tree, with its very lines."""

import json
import re

import yaml

import rules
from tests.support.checkout import ROOT
from tests.support.tree_copy import Copy, failures

SECTIONS = dict(
    re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
)
LAWS = [
    f"tests/test_architecture.py::test_{law}"
    for law in ("imports_obey_the_laws", "no_module_imports_itself_by_way_of_others")
]
# What those tests say that is to be done.
TASKS = (
    "write tests/rules/ALERT.test.yml: promtool's scenarios quiet, storm, recovery, no traffic, no data, counter reset",
    "write docs/runbooks/ALERT.md: Meaning, Impact, Diagnosis, Mitigation",
    "write the margin of ALERT in ops/tuning/margins.yml",
    "run python -m dashboards",
)
NEW, MODEL = "WebhookProcessingLatencyCritical", "WebhookProcessingLatencyHigh"


def blocks(section: str) -> list[str]:
    """What a section has for a file, in its order, without commands; in YAML the columns stay."""
    found = re.findall(r"^( *)```(python|yaml)\n(.*?)^ *```$", SECTIONS[section], re.MULTILINE | re.DOTALL)
    return [
        text if not indent else "".join(line[len(indent) :] or "\n" for line in text.splitlines(True))
        for indent, _, text in found
    ]


def scenarios_and_runbook(copy: Copy, rule: str) -> None:
    """Write those of the new alert, as CONTRIBUTING says: copies of the model's, with what the rule says."""
    new = yaml.safe_load(rule)[0]
    old = rules.alerts()[MODEL]
    scenarios = (copy.folder / "tests" / "rules" / f"{MODEL}.test.yml").read_text("utf-8")
    for before, after in (
        (MODEL, NEW),
        ("severity: warning", "severity: critical"),
        (old.annotations["summary"], new["annotations"]["summary"]),
    ):
        assert before in scenarios
        scenarios = scenarios.replace(before, after)
    (copy.folder / "tests" / "rules" / f"{NEW}.test.yml").write_text(scenarios, "utf-8")
    runbook = (copy.folder / "docs" / "runbooks" / f"{MODEL}.md").read_text("utf-8")
    (copy.folder / "docs" / "runbooks" / f"{NEW}.md").write_text(runbook.replace(MODEL, NEW), "utf-8")


def test_an_alert(copy: Copy) -> None:
    section = SECTIONS["How an alert is added"]
    rows = dict(re.findall(r"^\| `([^`]+)` \|.*\| (?:`([^`]+)`|[^|`]+) \|$", section, re.MULTILINE))
    files = {name.replace("ALERT", NEW) for name in rows}
    rule, margin = blocks("How an alert is added")
    alerts = copy.folder / "rules" / "api-performance-alerts.yml"
    alerts.write_text(f"{alerts.read_text('utf-8').rstrip()}\n\n{rule}", "utf-8")
    wanted = {test for test in rows.values() if test}
    done = copy.tests(*wanted)
    assert failures(done) == wanted, done.stdout + done.stderr
    for task in TASKS:
        assert f"{task.replace('ALERT', NEW)}" in done.stdout, done.stdout

    scenarios_and_runbook(copy, rule)
    (margins,) = [name for name in rows if name.endswith("margins.yml")]
    copy.edit(margins, "# Alerts that are not named above.\n", f"{margin}\n# Alerts that are not named above.\n")
    copy.succeeds("dashboards")
    assert copy.changed() == files

    named = set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", section)) - {"tests/test_worked_examples.py::test_an_alert"}
    copy.passes(
        *named, "tests/metrics", "tests/dashboards", "tests/routing/test_routing.py", "tests/rules/test_rules.py"
    )
    copy.passes("tests/rules/test_promtool_scenarios.py", "-k", NEW)
    copy.succeeds("ops", "render", "--target", "prod", "--out", str(copy.folder / "rendered"))
    (config_map,) = (copy.folder / "rendered" / "manifests").glob("configmap-*.yaml")
    assert f"alert: {NEW}" in config_map.read_text("utf-8")


def test_a_verb(copy: Copy) -> None:
    module, line = blocks("How a verb is added")
    (copy.folder / "ops" / "verbs" / "where.py").write_text(module, "utf-8")
    copy.edit("ops/cli.py", '    "sandbox": ', f'{line}    "sandbox": ')
    done = copy.succeeds("ops", "where", "--help")
    assert "Usage: bin/ops where [OPTIONS]" in done
    assert "Print the addresses at which Prometheus and Alertmanager are reached." in done
    assert re.search(r"│ where +Print the addresses", copy.succeeds("ops", "--help"))
    elsewhere = copy.run("ops", "where", "--target", "nowhere")
    assert (elsewhere.returncode, elsewhere.stderr.count("\n")) == (2, 1), "an error is one sentence"

    late = copy.tests("tests/test_reference.py")
    assert late.returncode == 1 and "run make docs" in late.stdout
    copy.succeeds("ops.reference")
    assert copy.changed() == {"ops/cli.py", "ops/verbs/where.py", "docs/commands.md"}
    copy.passes(*LAWS, "tests/test_reference.py", "tests/test_guide.py", "-k", "not top_to_bottom")
    copy.passes("tests/test_cli.py", "-k", "where or help")


def test_a_way_of_delivery(copy: Copy) -> None:
    (module,) = blocks("How a way of delivery is added")
    one_file = "tests/test_program.py::test_each_way_of_delivery_is_one_file"
    (copy.folder / "components" / "alert_rules" / "labelled_rules.py").write_text(module, "utf-8")
    assert failures(copy.tests(one_file)) == {one_file}, "the file alone"
    operator = '"operator" (a PrometheusRule for'
    copy.edit("Pulumi.yaml", operator, f'"labelled" (a ConfigMap with labels), {operator}')
    copy.passes(one_file)
    copy.succeeds("ops.reference")
    assert copy.changed() == {"Pulumi.yaml", "components/alert_rules/labelled_rules.py", "docs/settings.md"}
    copy.passes(*LAWS, "tests/test_program.py", "tests/test_reference.py", "tests/test_settings.py")

    copy.edit("Pulumi.prod.yaml", "rulesMode: dedicated", "rulesMode: labelled")
    copy.succeeds("ops", "render", "--target", "prod", "--out", str(copy.folder / "rendered"))
    (written,) = (copy.folder / "rendered" / "manifests").glob("configmap-*.yaml")
    manifest = yaml.safe_load(written.read_text("utf-8"))
    assert manifest["metadata"]["labels"] == {"release": "kube-prometheus-stack"}
    assert set(manifest["data"]) == {path.name for path in (ROOT / "rules").glob("*.yml")}
    assert not list((copy.folder / "rendered" / "manifests").glob("deployment-*")), "no mount, so no restart"

    asked = json.dumps({"config": {"rulesMode": "labelled", "grafanaMode": "off"}, "stack": "prod"})
    declared = json.loads(copy.succeeds("ops.stack.declared", given=asked).rpartition("\n")[2])["resources"]
    proofs = {
        one["type"].rpartition(":")[2]: one["inputs"]
        for one in declared
        if one["type"].endswith((":Withdrawn", ":Live"))
    }
    name = manifest["metadata"]["name"]
    assert proofs["Withdrawn"]["own"] == [f"/api/v1/namespaces/monitoring/configmaps/{name}"]
    assert proofs["Live"]["folder"] == ""
