"""Reads signals.yml, and makes promtool's tests of it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from formats.json_types import JsonObject
from rules import Alert

FILE = Path(__file__).with_name("signals.yml")


def cases() -> Mapping[str, list[JsonObject]]:
    """Alert → its cases."""
    found: Mapping[str, list[JsonObject]] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def text(alerts: Iterable[Alert], rule_file: str, groups: Sequence[str]) -> str:
    """A file of promtool's tests that ask for the signals of these alerts; "" where none of them has a case.

    `rule_file`: a file with the recordings that they read; `groups`: its groups, in the order of their evaluation.
    """
    tests = [
        {
            "name": f"{alert.name}: {case['name']}",
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
            "promql_expr_test": [
                {
                    "expr": alert.quantity,
                    "eval_time": case["at"],
                    "exp_samples": [] if case["value"] is None else [{"labels": "{}", "value": case["value"]}],
                }
            ],
        }
        for alert in alerts
        for case in cases().get(alert.name, [])
    ]
    order = {"rule_files": [rule_file], "group_eval_order": [*groups]}
    return yaml.safe_dump({**order, "evaluation_interval": "1m", "tests": tests}) if tests else ""
