"""Routes of others that match our alerts, by the labels with which Prometheus sends these."""

import json
from pathlib import Path

import pytest
from werkzeug import Request, Response

import routing
import rules
from components.live.resources import ConfigTextProvider
from formats.json_types import JsonObject
from tests.live.api_server import serving
from tests.support.stand_in import json_answer, stand_in

THEIRS = """\
route:
  receiver: theirs
  routes:
    - matchers: [tier="gold"]
      receiver: gold
receivers:
  - name: theirs
  - name: gold
"""


@pytest.mark.parametrize(
    ("prometheus", "refused"),
    [
        ({"global": {"external_labels": {"tier": "gold"}}}, True),
        ({"alerting": {"alert_relabel_configs": [{"target_label": "tier", "replacement": "gold"}]}}, True),
        ({"global": {"external_labels": {"tier": "silver"}}}, False),
        ({"alerting": {"alert_relabel_configs": [{"action": "drop"}]}}, False),
        (None, False),
    ],
    ids=["an external label", "a relabeling", "another value", "all dropped", "no Prometheus"],
)
def test_one_that_takes_ours_as_they_are_sent_needs_a_decision(
    tmp_path: Path, prometheus: JsonObject | None, refused: bool
) -> None:
    def answer(_: Request) -> Response:
        return json_answer({"status": "success", "data": {"yaml": json.dumps(prometheus)}})

    with serving(tmp_path) as (api, kubeconfig), stand_in(answer) as url:
        api.config_map("alertmanager-config", **{"alertmanager.yml": THEIRS})
        checked = ConfigTextProvider().check(
            {},
            {
                "kubeconfig": kubeconfig,
                "context": None,
                "namespace": "monitoring",
                "config_map": "alertmanager-config",
                "key": "alertmanager.yml",
                "editor": "routing",
                "ours": routing.load().parts().as_json(),
                "alerts": [alert.label_set for alert in rules.alerts().values()],
                "prometheus": {"url": "http://127.0.0.1:1" if prometheus is None else url},
                "ask": True,
            },
        )
    reasons = [failure.reason for failure in checked.failures]
    assert bool(reasons) == refused, reasons
    assert all('route {tier="gold"} → gold no longer gets ' in reason for reason in reasons)
    assert all("set alertmanagerOtherRoutes to skip" in reason for reason in reasons)
