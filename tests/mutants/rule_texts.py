"""Each rule as it is written in its file, a file made of some of them, and scenarios that read no more than that."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import metrics
import rules
from rules import Alert, OtherAlert, Recording, RuleFile
from tests.rules.our_rules import as_scenarios_have_it

FILES = ("api-performance-alerts.yml", "api-performance-recordings.yml")
_RULE_FILES = re.compile(r"^rule_files: .*$", re.MULTILINE)


class Place(StrEnum):
    """Where in a rule something is changed; see kinds.yml."""

    signal = "signal"
    matchers = "matchers"
    limit = "limit"
    keys = "keys"


@dataclass(frozen=True)
class RuleText:
    """A rule and its lines. The expression is a block (`expr: |`)."""

    rule: Alert | Recording
    text: str

    def span(self, place: Place) -> tuple[int, int]:
        """Where that part begins and ends in `text`; an empty one at the end where the rule has no such part."""
        begin = self.text.index("\n", self.text.index(" expr: |")) + 1
        end = begin + len("".join(_deeper(self.text[begin:].splitlines(keepends=True), 9)))
        if place is Place.keys:
            notes = self.text.find(" annotations:", end)
            return end - 1, notes if notes >= 0 else len(self.text)
        if isinstance(self.rule, Recording):
            return (begin, end) if place is not Place.limit else (end, end)
        last = self.text[begin:end].rstrip("\n").rindex("\n") + begin
        return (last, end) if place is Place.limit else (begin, last)

    def can_be(self, text: str) -> bool:
        """Whether it is a rule with `text` instead."""
        try:
            rules.parse(_file([(self.rule, text)]), self.rule.file)
        except rules.RulesError:
            return False
        return True


def load(names: Iterable[str] = FILES, native: Collection[str] = ()) -> dict[str, RuleText]:
    """Every rule of these files by its name, in their order. `native`: as in rules.load()."""
    found = {file.name: as_scenarios_have_it(file) for file in rules.load(native=native)}
    return {text.rule.name: text for name in names for text in texts(found[name])}


def with_what_it_reads(name: str, every: Mapping[str, RuleText], instead: Mapping[str, str] | None = None) -> str:
    """A rule file with that rule and the recordings that it reads; `instead`: other texts of rules, by their names."""
    needed, left = {name}, [name]
    while left:
        for selector in metrics.selectors(every[left.pop()].rule.expr):
            if selector.name in every and selector.name not in needed:
                needed.add(selector.name)
                left.append(selector.name)
    chosen = [(text.rule, (instead or {}).get(one, text.text)) for one, text in every.items() if one in needed]
    return _file(sorted(chosen, key=lambda pair: isinstance(pair[0], Alert)))


def readers(name: str, every: Mapping[str, RuleText]) -> list[str]:
    """The rules that show what a rule does: itself where no rule reads it, else those that read it, at any hand."""
    direct = [
        text.rule.name
        for text in every.values()
        if name != text.rule.name and any(selector.name == name for selector in metrics.selectors(text.rule.expr))
    ]
    return list(dict.fromkeys(last for one in direct for last in readers(one, every))) or [name]


def recordings(every: Mapping[str, RuleText]) -> str:
    """A rule file with all recordings and nothing else."""
    return _file((text.rule, text.text) for text in every.values() if isinstance(text.rule, Recording))


def groups(text: str) -> list[str]:
    """The groups of a rule file, in their order, which is that in which promtool has to evaluate them."""
    return [group.name for group in rules.parse(text, Path("rules.yml")).groups]


def copied(scenarios: Path, text: str, folder: Path) -> Path:
    """A copy of a file of scenarios in `folder`, which reads the rules of `text`, a rule file, and no others."""
    name = scenarios.name.removesuffix(".test.yml")
    (folder / f"{name}.yml").write_text(text, "utf-8")
    copy = folder / scenarios.name
    copy.write_text(_RULE_FILES.sub(f"rule_files: [{name}.yml]", scenarios.read_text("utf-8")), "utf-8")
    return copy


def texts(file: RuleFile) -> Iterable[RuleText]:
    """Every rule of ours in a file, in its order."""
    lines = file.text.splitlines(keepends=True)
    for group in file.groups:
        for rule in group.rules:
            if isinstance(rule, OtherAlert):
                continue  # its scenarios are its team's business
            first = lines[rule.line - 1]
            depth = len(first) - len(first.lstrip())
            text = "".join([first, *_deeper(lines[rule.line :], depth)])
            yield RuleText(rule, f"{text.rstrip()}\n")


def _deeper(lines: Iterable[str], depth: int) -> list[str]:
    """The lines at the beginning that stand more than `depth` columns in, with empty ones between them."""
    found: list[str] = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        found.append(line)
    return found


def _file(chosen: Iterable[tuple[Alert | Recording, str]]) -> str:
    lines, group = ["groups:\n"], ""
    for rule, text in chosen:
        if rule.group != group:
            lines.append(f"  - name: {rule.group}\n    interval: {rule.interval:g}s\n    rules:\n")
            group = rule.group
        lines.append(text)
    return "".join(lines)
