"""Reads kinds.yml: each rule with one thing changed, one change at a time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

import metrics
import rules
from formats import durations
from rules import Alert, Recording
from tests.mutants.rule_texts import Place, RuleText

KINDS = Path(__file__).with_name("kinds.yml")

_HIDDEN = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|\{[^{}\n]*\}")
_SECONDS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class Change:
    """An entry of kinds.yml."""

    kind: str
    place: Place
    find: re.Pattern[str]
    to: tuple[str, ...] = ()
    times: tuple[float, ...] = ()
    plus: tuple[float, ...] = ()
    by: str = ""


@dataclass(frozen=True, eq=False)
class Mutant:
    """A rule with one change.

    `what` tells it from the others of its kind and rule, and names no limit. `lines`: the first line that differs,
    before and after; "" for one that is gone. `text`: the whole rule.
    """

    rule: Alert | Recording
    kind: str
    what: str
    lines: tuple[str, str]
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.rule.name, self.kind, self.what)


def changes(path: Path = KINDS) -> tuple[Change, ...]:
    """Every entry, in the order of the file. Raises ValueError for one that cannot be used."""
    found = []
    for kind, entries in yaml.safe_load(path.read_text("utf-8")).items():
        for entry in entries:
            wrong = entry.keys() - {"in", "find", "to", "times", "plus", "by"}
            if wrong or len(entry) != 3 or entry["in"] not in [*Place] or entry.get("by", "") not in ("", *_MAKERS):
                raise ValueError(f"{path.name} has an entry of {kind} that cannot be used: {entry}")
            many = {key: tuple(entry[key]) for key in ("to", "times", "plus") if key in entry}
            found.append(
                Change(kind, Place(entry["in"]), re.compile(entry["find"]), **many, by=entry.get("by", "")),
            )
    return tuple(found)


def mutants(text: RuleText, every: Sequence[Change]) -> list[Mutant]:
    """Every change of a rule that leaves it a rule, in the order of `every`, each once."""
    found: dict[str, Mutant] = {}
    for change in every:
        for mutant in _changed(text, change):
            if mutant.text not in found and text.can_be(mutant.text):
                found[mutant.text] = mutant
    return [*found.values()]


def _changed(rule: RuleText, change: Change) -> Iterator[Mutant]:
    start, end = rule.span(change.place)
    seen = rule.text if change.place in (Place.matchers, Place.keys) else _HIDDEN.sub(_blank, rule.text)
    matches = [found for found in change.find.finditer(seen, 0, end) if found.start() >= start]
    for match in matches:
        old = rule.text[match.start() : match.end()]
        same = [one.start() for one in matches if rule.text[one.start() : one.end()] == old]
        which = f", {same.index(match.start()) + 1} of {len(same)}" if len(same) > 1 else ""
        limit = "limit " if change.place is Place.limit else ""
        for new in _becomes(old, match, change, rule):
            text = f"{rule.text[: match.start()]}{new}{rule.text[match.end() :]}"
            what = f"{limit}{_words(old) or 'nothing'} → {_words(new) or 'nothing'}{which}"
            if text != rule.text:
                yield Mutant(rule.rule, change.kind, what, _difference(rule.text, text), text)


def _becomes(written: str, match: re.Match[str], change: Change, rule: RuleText) -> Iterator[str]:
    """What is written instead of `written`, which is what was matched, with nothing hidden."""
    yield from (text.replace("{}", written) for text in change.to)
    for name in ("time", "number"):
        if name not in match.re.groupindex:
            continue
        old = durations.seconds(match[name]) if name == "time" else float(match[name])
        for new in (*(old * factor for factor in change.times), *(old + one for one in change.plus)):
            value = _duration(new) if name == "time" else f"{new:g}"
            start, end = (at - match.start() for at in match.span(name))
            yield f"{written[:start]}{value}{written[end:]}"
    if change.by:
        yield from _MAKERS[change.by](written, rule)


def _another_metric(name: str, rule: RuleText) -> Iterator[str]:
    """The next one of the same form: buckets, what is counted, gauges, and the recordings."""
    for form in (*_metrics().values(), tuple(rules.recordings())):
        if name in form and name != rule.rule.name:
            others = [one for one in form[form.index(name) + 1 :] + form[: form.index(name)] if one != rule.rule.name]
            yield from others[:1]


@cache
def _metrics() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, metric in metrics.load().series.items():
        form = "gauge" if metric.type == "gauge" else "bucket" if name.endswith("_bucket") else "count"
        if not name.endswith("_sum"):
            found.setdefault(form, []).append(name)
    return {form: tuple(names) for form, names in found.items()}


def _another_component(name: str, _: RuleText) -> Iterator[str]:
    every = sorted({alert.component for alert in rules.alerts().values()})
    yield every[(every.index(name) + 1) % len(every)]


_MAKERS = {"another metric": _another_metric, "another component": _another_component}


def _blank(found: re.Match[str]) -> str:
    """What hides a text: as long as it, and no word."""
    return "·" * len(found[0])


def _duration(seconds: float) -> str:
    unit, size = next((unit, size) for unit, size in _SECONDS if seconds >= size and seconds % size == 0)
    return f"{seconds / size:.0f}{unit}"


def _words(text: str) -> str:
    return " ".join(text.split())


def _difference(before: str, after: str) -> tuple[str, str]:
    old, new = before.splitlines(), after.splitlines()
    at = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(new))
    return old[at].strip(), "" if len(new) < len(old) else new[at].strip()
