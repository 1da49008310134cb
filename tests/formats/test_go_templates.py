"""Go templates, held to Go's own parser, by way of promtool; and to what Alertmanager can execute, by way of amtool."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from formats.go_templates import TemplateError
from ops import build_tools
from rules import _annotation_templates as of_prometheus
from tests.support.waiting import PATIENCE

WORDS = r"""$value $labels.a $labels $x $y $ $.Value .Value .Labels.a.b . .. .a..b "a" "a\"}}" `}}` `a 'a' 'ab' '\n'
'\'' "\q" "\x41" "\400" "\u00e9" "\ud800" "\101" "\'" '\"' '' "a é ٣ a$ a- $x.a.b $value.b now now.a (now)
(now).Year (1).a ((now)) () ( ) (now|humanize) humanize tmpl nothing nil nil.a true true.a false = == := : , | | |
"a".b end else if with range template break define ! % } { /* */ - -}} {{ print print printf len"""
NUMBERS = r"""1 -1 +1 1.5 1. .5 1.a 5x -.5e-3 1e3 1e 1e999 1e-999 0 -0 00 007 08 089 08.5 089i 0x1F 0x 0x_1 0x1p4
0x1.8p1 0x1.8 0x1p 0x1p9999 0b12 0b1 0b1.0 0o7 0o8 0O7 0o7.5 1_000 1__0 _1 1_ 1_0.5 1_0e1 0x1_0p1 1i 1.5i 0x1i 0x1p1i
1+2i 1+2 1-i 1+2i3 -1-2i 1e_3 1_e3 0x_ 0_7 0b_1 0x1p_1 0x1_p1 1._5 1_.5 -0x_1 0x.8p1 0x.p1 1_0i 0x_1p1i
18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809 +9223372036854775808 9e99"""
GOOD = ["now", "$value | humanize", '"a"', ".Value", "(query `up`)", "print 1 $labels.a", "$x := 1", "$x = 2", "$x"]
OPENINGS = [
    *("if", "with", "range", "range $x :=", "range $x, $y :=", "range $x, $y =", "range $x,", "range $x, $x"),
    *("with $x :=", "if $x, $y :=", 'define "t"', "define `t`", 'define "u"', "define t", 'block "b"', 'block "t"'),
    *("else if", "else with", "else", "range $x =", "if $x =", "if ($x := 1)", 'template "t"'),
]
SINGLE = ["end", "else", "break", "continue", 'template "t" .', 'template "t"', "template", "end 1", 'template "t" $x']
TEXTS = [
    *("", "text", " }} ", "{", "{{/* a }} */}}", "{{- /* a */ -}}", "{{ /* a */ }}", "{{/* a */ }}", "{{/* a }}", "\n"),
    *("{{/**/}}", "{{-/* a */}}", "{{}}", "{{ }}", "{{- -}}", "{{-}}", "{{-3}}", "{{- 3 -}}", "{{3-}}", "{{ 3 - }}"),
]


def template(random: Random, depth: int = 3) -> str:
    """A template, valid or broken."""
    match random.randrange(10) if depth else random.randrange(5):
        case 0:
            return random.choice(TEXTS)
        case 1 | 2:
            return action(random, random.choice(GOOD))
        case 3:
            words = random.choice((WORDS, NUMBERS, WORDS + NUMBERS)).split()
            spaces = [" ", " ", "", "\n", "\t"]
            return action(
                random, "".join(random.choice(words) + random.choice(spaces) for _ in range(random.randrange(5)))
            )
        case 4:
            return action(random, random.choice(SINGLE))
        case 5 | 6 | 7:
            value = random.choice([*GOOD, *GOOD, ""])
            middle = random.choice(["", "", "{{ else }}", action(random, f"{random.choice(OPENINGS)} now")])
            end = random.choice(["{{ end }}", "{{end}}", "{{- end -}}", "{{ end }}", "{{ end }}{{ end }}", ""])
            opening = action(random, f"{random.choice(OPENINGS)} {value}")
            return opening + template(random, depth - 1) + middle + template(random, depth - 1) + end
        case _:
            return template(random, depth - 1) + template(random, depth - 1)


def action(random: Random, inside: str) -> str:
    left, right = ("{{", "{{ ", "{{- ", "{{-"), ("}}", " }}", " -}}", "-}}")
    weights = (5, 5, 2, 1)
    return random.choices(left, weights)[0] + inside + random.choices(right, weights)[0]


def refused_by_go(folder: Path, texts: Sequence[str]) -> set[str]:
    """Those that Prometheus does not parse."""
    rules = [{"alert": f"A{number}", "expr": "up", "annotations": {"a": text}} for number, text in enumerate(texts)]
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}), "utf-8")
    command = [str(build_tools.path("promtool")), "check", "rules", str(folder / "rules.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "Checking" in done.stdout
    found = {texts[int(number)] for number in re.findall(r"template: __alert_A(\d+):", done.stderr)}
    assert bool(found) == bool(done.returncode), done.stderr
    return found


def refused_by_us(text: str) -> bool:
    """By the grammar and the functions; templates that are not there and fields fail only when it is executed."""
    try:
        of_prometheus.check(text)
    except TemplateError as error:
        assert 0 <= error.row <= text.count("\n")
        return not re.search("there is no template|has no field|is no function, so no|nil alone|go through", str(error))
    return False


@seed(20261125)
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # it would show no more to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, 2**32))
@example(-1)
def test_templates_are_read_as_go_reads_them(tmp_path: Path, number: int) -> None:
    random = Random(number)
    texts = [template(random) for _ in range(300)]
    if number < 0:
        texts = [*TEXTS, *(f"{{{{ {word} }}}}" for word in (WORDS + NUMBERS).split() + GOOD + OPENINGS + SINGLE)]
    theirs = refused_by_go(tmp_path, texts)
    ours = {text for text in texts if refused_by_us(text)}
    assert (sorted(ours - theirs), sorted(theirs - ours)) == ([], [])
