"""Counts in sentences: one of a thing is not said in the plural."""

from types import SimpleNamespace
from typing import cast

import pytest
from werkzeug import Response

from components.live.running.wanted import wanted_routing
from ops.checks import live_routing, prerequisites
from ops.clients.http import Http
from ops.targets import Target
from ops.words import agree, count_noun, times
from tests.support.our_routes import ROUTING
from tests.support.stand_in import stand_in


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 queries have, never"), (1, "1 query has, once"), (2, "2 queries have, 2 times")]
)
def test_a_noun_and_its_verb_agree_with_the_number(number: int, said: str) -> None:
    assert f"{count_noun(number, 'query', 'queries')} {agree(number, 'has', 'have')}, {times(number)}" == said


@pytest.mark.parametrize("count", [1, 2])
def test_verify_counts_receivers_and_inhibitions(count: int) -> None:
    parts = ROUTING.parts()
    written = wanted_routing(parts)
    route = {"receiver": parts.receivers[0]["name"], "routes": list(parts.routes)}
    inhibitions = list(parts.inhibit_rules)
    running = {"route": route, "receivers": list(parts.receivers), "inhibit_rules": inhibitions}
    written["receivers"] = dict(list(written["receivers"].items())[:count])
    verb = "runs" if count == 1 else "run"
    receivers = live_routing.receivers(running, written)
    assert receivers.detail == f"{count_noun(count, 'receiver')} {verb} as in routing/"
    ours = len(written["inhibitions"])
    verb = "runs" if ours == 1 else "run"
    assert live_routing.inhibitions(running, written).detail == f"{ours} of ours {verb}, {ours} in all"


@pytest.mark.parametrize(("page", "said"), [("up 1\n", "1 series name at "), ("up 1\ndown 1\n", "2 series names at ")])
def test_verify_counts_the_names_of_a_metrics_page(page: str, said: str) -> None:
    with stand_in(lambda _: Response(page, content_type="text/plain")) as url:
        server = SimpleNamespace(application=Http(url, name="the application"), application_url=url)
        assert prerequisites.metrics_endpoint(cast(Target, server)).detail.startswith(said)
