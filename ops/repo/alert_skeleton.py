"""The texts of a new alert, complete and valid, in which a person replaces what is marked TODO.

The rule counts Stripe's webhooks by the second, against a limit that they never reach: deployed by mistake, it never
fires.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass

from formats.json_types import JsonObject, JsonValue
from ops.errors import Misconfigured

MARK = "TODO:"
SIGNAL = "sum(rate(rsolv_billing_stripe_webhook_received_total[5m]))"
_LIMITS = {
    "warning": 1000,
    "critical": 2000,
}  # webhooks a second; two, as a critical limit is the higher one
_COLUMNS = 24  # of Grafana's grid
# Each minute's increase of the counter, for a rate far below the limit and one far above it.
_SERIES = 'rsolv_billing_stripe_webhook_received_total{event_type="invoice.paid",status="success"}'
_LOW, _HIGH = 6_000, 300_000


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What is known of a new alert: its name, and what follows from the name and from the alerts that there are."""

    name: str
    severity: str  # warning or critical
    component: str
    components: tuple[str, ...]  # those that have a route, by the alerts that there are
    team: str  # who owns the others
    runbook_url: str
    dashboard_url: str

    @property
    def _signal(self) -> str:
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", self.name).lower()

    @property
    def _labels(self) -> str:
        return f"{{severity: {self.severity}, component: {self.component}, signal: {self._signal}, team: {self.team}}}"

    def rule(self) -> str:
        """The rule, indented as an entry of a group."""
        return f"""\
      - alert: {self.name}
        expr: |  # {MARK} the quantity, then its guards (enough traffic); the last line is the limit, and only the limit
          {SIGNAL}
          > {_LIMITS[self.severity]}
        for: 10m  # {MARK} how long the limit must be crossed
        labels:
          severity: {self.severity}  # {MARK} warning or critical
          component: {self.component}  # {MARK} {", ".join(self.components)}; another one needs a route and a receiver
          signal: {self._signal}  # {MARK} that of the alert which this one mutes, or is muted by; else one of its own
          team: {self.team}  # {MARK} who owns it: a team that .github/CODEOWNERS names
        annotations:
          summary: '{MARK} what is wrong, in one sentence.'
          description: '{MARK} what was measured: {{{{ printf "%.0f" $value }}}} webhooks a second.'
          runbook_url: {self.runbook_url}
          dashboard_url: {self.dashboard_url}
"""

    def margin(self) -> str:
        """The entry of margins.yml."""
        return f"""\
{self.name}:
  buffer: 0.25
  because: '{MARK} why this distance and no other; or, instead of both lines, `keep:` and why it is not tuned'
"""

    def runbook(self, rule_file: str) -> str:
        """The runbook; `rule_file` is the name of the rules' file."""
        return f"""\
# {self.name}

## Meaning

{MARK} say what is measured, over which time, and when the alert does not fire although something is wrong.

The limit, and how long it must be crossed, stand in [the rule](../../rules/{rule_file}); \
the series is drawn with its limit on the [dashboard]({self.dashboard_url}).

## Impact

{MARK} say what customers notice, and what becomes worse the longer it lasts. \
No limit stands here as a number: it would not follow the rule.

## Diagnosis

1. {MARK} ask one question for each step, the most likely cause first, and give the query that answers it.

   ```promql
   {SIGNAL.replace("sum(", "sum by (event_type) (", 1)}
   ```

## Mitigation

- {MARK} for each cause that Diagnosis can find, say what to do first, and how one sees that it helped.
"""

    def scenarios(self, rule_file: str) -> str:
        """promtool's six scenarios; `rule_file` is the name of the rules' file."""
        before, after = f"0+{_LOW}x20", 20 * _LOW + _HIGH
        recovered = after + 24 * _HIGH + _LOW
        cases = (
            ("quiet  # far below the limit", f"0+{_LOW}x60", {20: False, 60: False}),
            ("storm  # from 20m on far above the limit", f"{before} {after}+{_HIGH}x39", {20: False, 60: True}),
            (
                "recovery  # above the limit from 20m to 45m",
                f"{before} {after}+{_HIGH}x24 {recovered}+{_LOW}x44",
                {45: True, 90: False},
            ),
            ("no traffic  # the series is there, nothing happens", "500x60", {20: False, 60: False}),
            ("no data", None, {20: False, 60: False}),
            ("counter reset  # a restart sets it back to 0", f"9000000+{_LOW}x29 0+{_LOW}x30", {31: False, 60: False}),
        )
        head = f"""\
# {MARK} the series that the rule asks for, their values, and when it fires. The six names stay.
rule_files: [../../rules/{rule_file}]
evaluation_interval: 1m
fuzzy_compare: true

tests:
"""
        return head + "\n".join(self._scenario(*case) for case in cases)

    def _scenario(self, name: str, values: str | None, fires: Mapping[int, bool]) -> str:
        series = f"\n      - series: '{_SERIES}'\n        values: '{values}'" if values else " []"
        checks = "".join(
            f"\n      - eval_time: {minute}m\n        alertname: {self.name}\n        exp_alerts:"
            + (self._fired if fired else " []")
            for minute, fired in fires.items()
        )
        return f"  - name: {name}\n    interval: 1m\n    input_series:{series}\n    alert_rule_test:{checks}\n"

    @property
    def _fired(self) -> str:
        return f"""
          - exp_labels: {self._labels}
            exp_annotations:
              summary: '{MARK} what is wrong, in one sentence.'
              description: '{MARK} what was measured: {_HIGH // 60} webhooks a second.'
              runbook_url: '{self.runbook_url}'
              dashboard_url: '{self.dashboard_url}'"""

    def panel(self, panels: list[JsonValue]) -> JsonObject:
        """A panel in the style of the last one with a time axis, after all `panels`. Raises Misconfigured for none."""
        model = next((found for found in reversed(panels) if found["type"] == "timeseries"), None)
        if model is None:
            raise Misconfigured("the dashboard has no panel with a time axis to begin from; add one in Grafana first")
        panel: JsonObject = copy.deepcopy(model)
        last, size = panels[-1]["gridPos"], panel["gridPos"]
        bottom = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in panels)
        beside = last["x"] + last["w"]
        fits = beside + size["w"] <= _COLUMNS and last["y"] + last["h"] == bottom and size["h"] == last["h"]
        place = {"x": beside, "y": last["y"]} if fits else {"x": 0, "y": bottom}
        defaults = panel["fieldConfig"]["defaults"]
        for key in ("decimals", "max"):
            defaults.pop(key, None)
        defaults["unit"] = "cps"
        panel["fieldConfig"]["overrides"] = []
        target = {**panel["targets"][0], "expr": SIGNAL, "legendFormat": "webhooks", "refId": "A"}
        return {
            **panel,
            "description": (
                f"{MARK} say what is drawn, and correct query, unit and title; "
                "or delete this panel, where another one draws the quantity of the alert."
            ),
            "gridPos": {**size, **place},
            "id": max(one["id"] for one in panels) + 1,
            "links": [],
            "targets": [target],
            "title": self.name,
        }
