"""Valid PromQL that promql-parser does not take: read here, and as promtool reads it."""

import subprocess

import pytest

from formats.promql import parse
from ops import build_tools

ALIKE = [
    ("up{job=`a\\d`}", 'up{job="a\\\\d"}'),
    ('up{job=~`a"b`}', 'up{job=~"a\\"b"}'),
    ("up offset 0s", "up"),
    ("up OFFSET 0", "up"),
    ("rate(up[5m] offset -0m)", "rate(up[5m])"),
    ("up offset 0h0m > 1", "up > 1"),
    ("1_000_000", "1000000"),
    ("up > 1_000", "up > 1000"),
]
UNTOUCHED = [
    'up{a="offset 0s"}',
    "up{a='`x`'}",
    "up offset 05m",
    "up # `a\\d` offset 0s",
    "a_1_000",
    "a:1_000",
    "sum by (x_1_2) (up)",
]


@pytest.mark.parametrize(("written", "plain"), ALIKE)
def test_it_is_read_as_its_plain_form(written: str, plain: str) -> None:
    assert parse(written).prettify() == parse(plain).prettify()


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_it_stays(text: str) -> None:
    import promql_parser

    assert parse(text).prettify() == promql_parser.parse(text).prettify()


@pytest.mark.parametrize("text", ["up{a=`b}", "up offset", "1__0", "up{a=`b` c}"])
def test_what_is_no_promql_is_still_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@pytest.mark.skipif(not build_tools.find("promtool"), reason="`make tools` brings promtool")
@pytest.mark.parametrize("text", [written for pair in ALIKE for written in pair] + UNTOUCHED)
def test_promtool_takes_it_too(text: str) -> None:
    command = [str(build_tools.path("promtool")), "--experimental", "promql", "format", text]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
