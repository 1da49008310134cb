"""Matchers and regular expressions, held against Alertmanager's own parser."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from ops import build_tools
from routing._matchers import Matcher, MatcherError, compile_regex, parse
from tests.support.waiting import PATIENCE

WORDS = r"""a b_1 c:d é 1 x.* * ( [a-z] a|b " \ = != =~ !~ { } , ' ` ! ~ \" \n
a="b" a=b a=~"x.*" b_1!=x "q" "é" "\n" "\u00e9" "\x41" "\101" "\q" """
PIECES = [*WORDS.split(), " ", "\n", "\t", '"é b"']
PHASES = (Phase.explicit, Phase.generate)  # shrinking forty texts would take minutes and show no more
SUPPRESSED = (HealthCheck.function_scoped_fixture,)


@seed(20261123)
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), min_size=40, max_size=40, unique=True))
@example(['{a="b",}', "a=", "{}", "", ",", 'a=b"', 'a="b', "a=b}}", "{a=b", 'a="\\', "a=\\", '"a"=b', "a=\\d"])
def test_matchers_are_read_as_alertmanager_reads_them(tmp_path: Path, texts: list[str]) -> None:
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.yml")
        config = {"route": {"receiver": "r", "routes": [{"matchers": [text]}]}, "receivers": [{"name": "r"}]}
        files[-1].write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    said = _amtool("check-config", *files)
    verdicts = re.findall(r"Checking '[^']*/(\d+)\.yml'.*?  (SUCCESS|FAILED)", said, re.S)  # with warnings between
    assert [int(number) for number, _ in verdicts] == list(range(len(texts)))
    ours: dict[str, tuple[Matcher, ...] | None] = {}
    for text in texts:
        try:
            ours[text] = parse(text)
        except MatcherError:
            ours[text] = None

    theirs = {text: verdict == "SUCCESS" for text, (_, verdict) in zip(texts, verdicts, strict=True)}
    assert {text: found is not None for text, found in ours.items()} == theirs

    # And where both accept a text, both read the same out of it.
    good = {text: found for text, found in ours.items() if found}
    routes = [{"matchers": [text], "continue": True} for text in good]
    whole = {"route": {"receiver": "r", "routes": routes}, "receivers": [{"name": "r"}]}
    files[0].write_text(yaml.safe_dump(whole, allow_unicode=True), "utf-8")
    shown = _amtool("config", "routes", "show", f"--config.file={files[0]}")
    read = ["{" + ",".join(str(matcher) for matcher in sorted(found)) + "}" for found in good.values()]
    assert re.findall(r"^[ │]*[├└]── (\{.*\})  continue: true", shown, re.M) == read


def _amtool(*arguments: str | Path) -> str:
    done = subprocess.run([build_tools.path("amtool"), *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("api", "api", True),
        ("api", "xapi", False),  # anchored at both ends
        ("api", "api\n", False),
        ("a|b", "ab", False),  # as a whole: not ^a|b$
        ("(?i)api", "API", True),
        (r"\d", "٣", False),  # ASCII, as in Go
        (r"a\z", "a", True),
        (r"\Qa.b\E", "axb", False),
        (r"[[:alpha:]]+", "abc", True),
        (r"(?<n>a)(?P<m>b)", "ab", True),
        (r"[(?<n>]", "P", False),
        (r"a\\+", "a\\\\", True),  # an escaped backslash, repeated: not possessive
        ("[+]+", "++", True),
        (r"\p{L}+", "äé", True),
        (r"\PL", "é", False),
        ("(?U)a+", "aaa", True),
        ("a(?i)b", "aB", True),
        ("a(?i)b", "AB", False),
        (r"\x{41}", "A", True),
        ("a.b", "a\nb", False),  # in Prometheus from 3.0 a dot is also a line's end, in Alertmanager it is not
        ("(?s)a.b", "a\nb", True),
        ("a)|(b", "b", True),  # anchored in parentheses, so it closes these
        ("", "", True),
    ],
)
def test_regular_expressions_are_gos(pattern: str, value: str, matches: bool) -> None:
    assert Matcher("n", pattern, "=~").matches({"n": value}) is matches
    assert Matcher("n", pattern, "!~").matches({"n": value}) is not matches
    assert compile_regex(pattern).matches(value) is matches


NOT_GO = (
    *("*", "(", "a{2}{3}", "(?=a)", "(?<!a)b", r"(a)\1", "a++", "(?>a)", r"a\Z", "a**"),
    *(r"\C", "a{1001}", r"\p{Klingon}", "[b-a]", r"\é", "(?x)a"),
)


@pytest.mark.parametrize("pattern", NOT_GO)
def test_what_go_does_not_have_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(MatcherError, match=re.escape(repr(pattern))):
        compile_regex(pattern)
    config = {"route": {"receiver": "r", "routes": [{"match_re": {"a": pattern}}]}, "receivers": [{"name": "r"}]}
    (tmp_path / "a.yml").write_text(yaml.safe_dump(config), "utf-8")
    assert "FAILED" in _amtool("check-config", tmp_path / "a.yml")
