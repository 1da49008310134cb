"""Durations, held to Prometheus' own reader."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from formats.durations import humanize, seconds
from ops import build_tools
from tests.support.waiting import PATIENCE

NUMBERS = ("0", "1", "59", "007", "292", "293", "", "-1", "1.5", "٣")
UNITS = ("y", "w", "d", "h", "m", "s", "ms", "", "mm", "sm", "M", " ")
parts = st.builds("{}{}".format, st.sampled_from(NUMBERS), st.sampled_from(UNITS))
texts = st.lists(parts, max_size=3).map("".join)


@seed(20261125)
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(texts, min_size=80, max_size=80, unique=True))
@example(["0", "", "00", "1h1h", "1m1h", "1y2w3d4h5m6s7ms", "292y", "293y", "9" * 30 + "ms", "1m1ms", "1ms1m", "5m\n"])
def test_durations_are_read_as_prometheus_reads_them(tmp_path: Path, texts: list[str]) -> None:
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.yml")
        rule = {"alert": "A", "expr": "up", "for": text}
        files[-1].write_text(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}), "utf-8")
    done = subprocess.run(
        [build_tools.path("promtool"), "check", "rules", *files], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout.count("Checking ") == len(texts), done.stderr
    refused = {texts[int(number)] for number in re.findall(r"/(\d+)\.yml: ", done.stderr)}
    assert {text for text in texts if not is_duration(text)} == refused


def is_duration(text: str) -> bool:
    try:
        return seconds(text) >= 0
    except ValueError as error:
        assert str(error).startswith(repr(text)[:10])
        return False


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1h30m", 5400), ("1y2w3d4h5m6s7ms", 365 * 86400 + 17 * 86400 + 14706.007), ("500ms", 0.5), ("90s", 90)],
)
def test_a_duration_is_seconds(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        *((0, "0 s"), (45, "45 s"), (90, "1 min 30 s"), (11520, "3 h 12 min"), (86400, "24 h"), (604800, "7 d")),
        *((6 * 3600 + 20, "6 h"), (3600.4, "1 h"), (2.5 * 86400, "2 d 12 h"), (-1, "0 s")),
    ],
)
def test_a_duration_is_said_in_two_units(length: float, words: str) -> None:
    assert humanize(length) == words
