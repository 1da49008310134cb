"""Data may change: in a copy of the tree, each limit, receiver and panel does, and a second stack comes.

The change is made where the table of README.md says, and the tests that read such data pass: none holds what it was.
What the deployment guide itself names stands in one list each (its alerts, its panels), which a renaming leaves out.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import yaml

import dashboards
import metrics
import rules
from ops.errors import Findings
from ops.tuning import margins, propose
from ops.window import Values, Window
from tests.support.our_routes import ROUTING, receiver, receiver_of
from tests.support.tree_copy import Copy

OURS = {name: alert for name, alert in rules.alerts().items() if alert.is_house}
CONTRACT = metrics.load().reading(rules.recordings())
BOARD = f"dashboards/{dashboards.FILE.name}"
ROUTES = "routing/alertmanager.yml"
PROGRAM = "tests/test_program.py"


# ── limits ──


def times(factor: float) -> dict[str, float]:
    """Each limit times the same factor, so that of two limits the same one stays the lower."""
    return {name: float(f"{alert.limit.value * factor:.6g}") for name, alert in OURS.items()}


def possible(limits: Mapping[str, float]) -> bool:
    """Whether each alert can still fire: a limit lies below the last bucket, and that of a share below 1."""
    changed = [replace(OURS[name], limit=propose.limit(OURS[name], value)) for name, value in limits.items()]
    below = [(alert.limit.value, margins.margin(alert).below) for alert in changed]
    return not CONTRACT.limit_problems(changed) and all(top is None or value < top for value, top in below)


def a_fifth_higher() -> dict[str, float]:
    return times(1.2) if possible(times(1.2)) else times(1 / 1.2)


def as_tune_proposes() -> dict[str, float]:
    """What `tune` writes after a day near each limit; an alert for which it refuses to keeps its own."""
    found = {name: alert.limit.value for name, alert in OURS.items()}
    for name, alert in OURS.items():
        margin = margins.margin(alert)
        observed = Values(Window(0, 3000, 30), tuple((30.0 * at, 0.95 * alert.limit.value) for at in range(1, 101)))
        try:
            value = propose.proposed(alert, observed, margin, CONTRACT)
            propose.check(alert, value, OURS, CONTRACT, margin)
        except Findings:
            continue
        found[name] = value
    return found


@pytest.mark.parametrize("limits", [a_fifth_higher, as_tune_proposes])
def test_each_limit(copy: Copy, limits: Callable[[], dict[str, float]]) -> None:
    wanted = limits()
    for name, value in wanted.items():
        alert = rules.alerts(copy.folder / "rules")[name]
        alert.file.write_text(rules.with_limit(alert.file.read_text("utf-8"), alert, value), "utf-8")
    moved = [name for name, value in wanted.items() if value != OURS[name].limit.value]
    assert len(moved) > len(OURS) / 2
    copy.succeeds("dashboards")
    assert copy.changed() == {BOARD, *(f"rules/{OURS[name].file.name}" for name in moved)}
    # What a new alert needs is tried in copies of its own, which takes long: once is enough.
    new_alert = ["tests/repo/test_new_alert.py"] if limits is a_fifth_higher else []
    copy.passes(
        *("tests/rules/test_rules.py", "tests/rules/test_promtool_scenarios.py", "tests/metrics", "tests/dashboards"),
        *(
            *new_alert,
            "tests/repo/test_tracking.py",
            "tests/replay/test_replay.py",
            "tests/verbs/test_backtest.py",
            "tests/verbs/test_tune.py",
        ),
        *("-k", "not test_scenarios[ and not one_sentence"),  # the former stay clear of other limits in another test
    )


# ── the objective ──


def test_another_objective(copy: Copy) -> None:
    """The scenarios are written for one objective, and are held with that."""
    (file,) = (one for one in rules.load() if any(each.name == rules.BUDGET for each in one.recordings))
    (copy.folder / "rules" / file.name).write_text(rules.with_objective(file, 0.995).text, "utf-8")
    assert copy.changed() == {f"rules/{file.name}"}
    copy.succeeds("dashboards")
    assert copy.changed() == {f"rules/{file.name}"}, "the panel reads the objective from what is recorded"
    copy.passes(
        *(
            "tests/rules/test_promtool_scenarios.py",
            "tests/rules/test_stack_limits.py",
            "tests/rules/test_rules_reader.py",
        ),
        *(
            "tests/review/test_review_objective.py",
            "tests/mutants/test_mutants.py",
            "-k",
            "not test_scenarios[ or udget",
        ),
        "tests/replay/test_replay.py::test_recordings_that_were_not_recorded_are_computed",
    )


# ── receivers ──

ROUTE = """\
    - receiver: budget-owners
      matchers: [{matchers}]
      group_by: [alertname, component, severity]
      group_wait: 5s
      group_interval: 5m
      repeat_interval: 1h
"""
RECEIVER = """
  - name: budget-owners
    email_configs:
      - to: owners@example.org
        send_resolved: true
        headers:
          Subject: {subject}
        text: *text
        html: *html
"""


def test_each_receiver_has_another_name_and_one_is_new(copy: Copy) -> None:
    path = copy.folder / ROUTES
    text = path.read_text("utf-8")
    names = [found["name"] for found in ROUTING.config["receivers"]]
    for name in names:
        text = re.sub(rf"((?:receiver|name): ){re.escape(name)}$", rf"\g<1>{name}-renamed", text, flags=re.MULTILINE)
    labels = OURS["APIErrorBudgetBurnFast"].labels
    [usual] = receiver(receiver_of("APIErrorBudgetBurnFast"))["email_configs"]
    matchers = ", ".join(f'{name}="{labels[name]}"' for name in ("component", "severity", "signal"))
    subject = json.dumps(usual["headers"]["Subject"], ensure_ascii=False)
    text = text.replace("    - receiver: ", f"{ROUTE.format(matchers=matchers)}    - receiver: ", 1)
    path.write_text(text + RECEIVER.format(subject=subject), "utf-8")
    found = {one["name"] for one in yaml.safe_load(path.read_text("utf-8"))["receivers"]}
    assert found == {"budget-owners", *(f"{name}-renamed" for name in names)}
    copy.passes(
        *("tests/routing/test_routing.py", "tests/routing/test_mail_texts.py", "tests/routing/test_on_call.py"),
        *("tests/routing/test_on_call_settings.py", "tests/live/test_live_config_text.py"),
        f"{PROGRAM}::test_operator_declares_the_same_rules_and_routes_in_its_words",
        f"{PROGRAM}::test_merged_receivers_carry_their_own_mail_settings",
        *("tests/verbs/test_backtest.py::test_answers_programs", "tests/verbs/test_report.py::test_what_the_facts_say"),
    )
    assert copy.changed() == {ROUTES}


# ── panels ──


def test_each_panel_has_another_title_and_one_is_new(copy: Copy) -> None:
    path = copy.folder / BOARD
    model = json.loads(path.read_text("utf-8"))
    for panel in model["panels"]:
        panel["title"] += ", renamed"
    plain = next(one for one in model["panels"] if one["type"] == "timeseries" and not one.get("links"))
    model["panels"].append(
        {
            **json.loads(json.dumps(plain)),
            **{"id": max(one["id"] for one in model["panels"]) + 1, "title": "API Requests by Method"},
            "gridPos": {"h": 8, "w": 12, "x": 0, "y": max(one["gridPos"]["y"] for one in model["panels"]) + 20},
        }
    )
    (query, *_) = model["panels"][-1]["targets"]
    query["expr"] = "sum by (method) (rate(phoenix_http_request_duration_milliseconds_count[5m]))"
    model["panels"][-1]["targets"] = [query]
    path.write_text(json.dumps(model), "utf-8")
    copy.succeeds("dashboards")
    assert copy.changed() == {BOARD}
    guides = "tests/dashboards/test_dashboards.py::test_the_guides_ten_panels_come_first"
    copy.passes(
        *("tests/dashboards", "tests/metrics", "--deselect", guides),
        f"{PROGRAM}::test_the_dashboard_is_the_file_with_its_limits_drawn",
        "tests/verbs/test_report.py::test_one_page_has_everything_and_needs_nothing_else",
    )


# ── stacks ──


def test_a_second_stack(copy: Copy) -> None:
    text = (copy.folder / "Pulumi.prod.yaml").read_text("utf-8")
    (copy.folder / "Pulumi.staging.yaml").write_text(text.replace("namespace: monitoring", "namespace: staging"))
    copy.succeeds("ops", "render", "--target", "staging", "--out", str(copy.folder / "rendered"))
    manifests = (copy.folder / "rendered" / "manifests").glob("configmap-*.yaml")
    assert {yaml.safe_load(found.read_text("utf-8"))["metadata"]["namespace"] for found in manifests} == {"staging"}
    copy.passes("tests/test_cli.py::test_a_target_that_there_is_not", "tests/test_settings.py", "tests/test_readme.py")
