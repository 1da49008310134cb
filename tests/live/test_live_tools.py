"""What the splices leave is what promtool and amtool accept, in every shape that these accept at all."""

from collections.abc import Callable

import pytest

import routing
from components.live.text.editors import editor
from ops.clients import promtools
from tests.live.shapes import ALERTMANAGER, PROMETHEUS


def accepted(check: Callable[[str], list[str] | None], text: str) -> bool:
    found = check(text)
    if found is None:
        pytest.skip("neither on PATH nor built: run `make tools`")
    return not found


@pytest.mark.parametrize("text", PROMETHEUS.values(), ids=PROMETHEUS)
def test_promtool_accepts_what_it_accepted(text: str) -> None:
    before = promtools.check_prometheus(text)
    after = promtools.check_prometheus(
        editor("rule-files").insert(text, "/etc/prometheus/api-performance-alerts/*.yml")
    )
    assert promtools.new_faults(before, after) == []


def test_most_shapes_are_real_configurations() -> None:
    """Else the test above would prove nothing."""
    fine = [name for name, text in PROMETHEUS.items() if accepted(promtools.check_prometheus, text)]
    assert len(fine) >= 20 and "tabs that Go accepts" in fine, sorted(PROMETHEUS.keys() - set(fine))
    fine = [name for name, text in ALERTMANAGER.items() if accepted(promtools.check_alertmanager, text)]
    assert len(fine) >= 7, sorted(ALERTMANAGER.keys() - set(fine))


@pytest.mark.parametrize("text", ALERTMANAGER.values(), ids=ALERTMANAGER)
def test_amtool_accepts_what_it_accepted(text: str) -> None:
    before = promtools.check_alertmanager(text)
    assert (
        promtools.new_faults(
            before, promtools.check_alertmanager(editor("routing").insert(text, routing.load().parts().as_json()))
        )
        == []
    )


def test_faults_are_told_apart_from_those_that_were_there() -> None:
    broken = "globl: {}\nroute: {receiver: a}\n"
    found = promtools.check_alertmanager(broken)
    if found is None:
        pytest.skip("amtool is neither on PATH nor built: run `make tools`")
    assert any("globl" in line for line in found)
    assert promtools.new_faults(found, promtools.check_alertmanager("\n\n" + broken)) == []
    assert promtools.new_faults([], found) == found
    assert promtools.new_faults(None, None) == []
