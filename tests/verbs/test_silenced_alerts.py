"""What verify says of silences."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import routing
import rules
from ops import targets
from ops.checks import Check, live_routing

LATENCY = "APIP95LatencyHigh"


@contextmanager
def silence(target: targets.Target, comment: str = "maintenance", **labels: str) -> Iterator[None]:
    """One for an hour, expired afterwards."""
    now = datetime.now(UTC)
    wanted = {
        "matchers": [{"name": name, "value": text, "isRegex": False, "isEqual": True} for name, text in labels.items()],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "eve",
        "comment": comment,
    }
    with httpx.Client(base_url=target.alertmanager.url, trust_env=False) as http:
        made = http.post("/api/v2/silences", json=wanted).raise_for_status().json()["silenceID"]
        try:
            yield
        finally:
            http.delete(f"/api/v2/silence/{made}").raise_for_status()


def said(target: targets.Target) -> Check:
    found = live_routing.live(target, routing.load(), rules.alerts().values())
    return next(check for check in found if check.name == "routing/silences")


def test_one_of_ours_is_named_with_its_end_and_its_author(target: targets.Target) -> None:
    assert said(target).status == "pass"
    with silence(target, alertname=LATENCY):
        check = said(target)
    assert check.status == "skip"
    assert check.detail.startswith(f"silenced: {LATENCY} until 20")
    assert check.detail.endswith(" UTC by eve (maintenance); nobody is told of them meanwhile")
    assert said(target).status == "pass"


def test_one_for_several_and_one_beside_it(target: targets.Target) -> None:
    count = sum(alert.labels.get("component") == "webhook" for alert in rules.alerts().values())
    with silence(target, component="webhook"), silence(target, "later", alertname=LATENCY):
        check = said(target)
    assert check.detail.count("by eve") == 2 and "(later)" in check.detail
    assert sum(name in check.detail for name in rules.alerts()) >= min(count, 3)


@pytest.mark.parametrize("labels", [{"alertname": "Theirs"}, {"component": "web"}])
def test_one_of_others_is_not_mentioned(target: targets.Target, labels: dict[str, str]) -> None:
    with silence(target, **labels):
        assert said(target).status == "pass"
