"""The dashboard is one by Grafana's own schema: read and written again by its SDK, it loses nothing."""

import copy
import json
from collections.abc import Iterator

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

import dashboards
import rules
from formats.json_types import JsonObject, JsonValue

# Of an annotation, what the Prometheus data source alone reads: the SDK has only what all data sources have.
OF_PROMETHEUS = ("step", "tagKeys", "titleFormat")

register_default_plugins()


def ours() -> JsonObject:
    model: JsonObject = json.loads(dashboards.FILE.read_text("utf-8"))
    return model


def deployed() -> JsonObject:
    """With the limits of the rules drawn, as it is sent to Grafana."""
    model: JsonObject = json.loads(dashboards.text(dashboards.deployed(dashboards.load(), rules.alerts())))
    return model


def through(model: JsonObject) -> JsonObject:
    """Read and written again by the SDK."""
    found: JsonObject = json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(model))))
    return found


def lost(before: JsonValue, after: JsonValue, at: str = "") -> Iterator[str]:
    """Where something of `before` is not in `after`; what the SDK adds, its defaults, is no loss."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from lost(value, after[key], f"{at}/{key}")
            else:
                yield f"{at}/{key}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{at}/{place}")
    elif before != after:
        yield at


@pytest.mark.parametrize("model", [ours(), deployed()], ids=["as in the repository", "with its limits"])
def test_all_of_the_dashboard_is_known_to_grafana(model: JsonObject) -> None:
    assert sorted(lost(model, through(model))) == [f"/annotations/list/1/{key}" for key in OF_PROMETHEUS]


def test_it_is_written_the_same_the_second_time() -> None:
    once = through(ours())
    assert through(once) == once


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ((), "grafTooltip"),
        (("panels", 1), "fieldConfiguration"),
        (("panels", 1, "fieldConfig", "defaults"), "units"),
        (("panels", 1, "targets", 0), "expression"),
        (("templating", "list", 0), "querry"),
    ],
)
def test_a_mistyped_key_would_be_lost(place: tuple[str | int, ...], key: str) -> None:
    """So the test above can fail."""
    model = ours()
    inside = model
    for step in place:
        inside = inside[step]  # type: ignore[index]
    inside[key] = "x"
    assert "/".join(["", *map(str, place), key]) in [*lost(model, through(model))]


def test_every_panel_keeps_its_queries_and_its_thresholds() -> None:
    before, after = ours(), through(ours())
    assert [panel["title"] for panel in after["panels"]] == [panel["title"] for panel in before["panels"]]
    for one, other in zip(before["panels"], after["panels"], strict=True):
        expressions = [target["expr"] for target in one.get("targets", ())]
        assert [target["expr"] for target in other.get("targets", ())] == expressions
        assert (other.get("fieldConfig") or {}).get("defaults", {}).get("thresholds") == (
            one.get("fieldConfig") or {}
        ).get("defaults", {}).get("thresholds")
