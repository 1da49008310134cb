"""Reads signals.yml, and makes promtool's tests of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from formats.json_types import JsonObject
from rules import Alert

FILE = Path(__file__).with_name("signals.yml")


def cases() -> Mapping[str, list[JsonObject]]:
    """Alert → its cases."""
    found: Mapping[str, list[JsonObject]] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def text(alerts: Iterable[Alert]) -> str:
    """A file of promtool's tests that ask for the signals of these alerts; "" where none of them has a case."""
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
    return yaml.safe_dump({"rule_files": [], "tests": tests}) if tests else ""
