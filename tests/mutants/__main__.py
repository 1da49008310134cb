"""`make mutants`: changes one thing at a time in the rules, and says which changes no scenario sees.

    python -m tests.mutants [RULE …]

kinds.yml says what is changed. A change that no scenario can see stands in equivalent.yml, with the reason. Exit code 1
where another one survives, or where an entry of equivalent.yml is not right any more; 2 where nothing could be tried.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from time import monotonic

from ops.errors import OpsError
from tests.mutants import equivalents, mutate, rule_texts, trials
from tests.mutants.mutate import Mutant


def say(line: str) -> None:
    print(line, flush=True)


def table(tried: Iterable[Mutant], alive: Iterable[Mutant], listed: Iterable[Mutant]) -> list[str]:
    """The score by kind: how many there are, how many no scenario sees, and how many of these are equivalent."""
    kinds = Counter(mutant.kind for mutant in tried)
    survive, equal = Counter(mutant.kind for mutant in alive), Counter(mutant.kind for mutant in listed)
    width = max(map(len, (*kinds, "kind")))
    rows = [f"{'kind':{width}}  mutants  killed  equivalent  survive  score"]
    for kind in (*kinds, "all"):
        all_, left, same = (counted.total() if kind == "all" else counted[kind] for counted in (kinds, survive, equal))
        real = all_ - same
        score = f"{100 * (all_ - left) / real:.0f} %" if real else "–"
        rows.append(f"{kind:{width}}  {all_:7}  {all_ - left:6}  {same:10}  {left - same:7}  {score:>5}")
    return rows


def line(mutant: Mutant) -> str:
    """A survivor in one line: the rule, and its line before and after."""
    before, after = mutant.lines
    return f"{equivalents.said(mutant.key)}: - {before}  + {after or '(nothing)'}"


def main(arguments: Sequence[str]) -> int:
    started = monotonic()
    try:
        every = rule_texts.load()
        if unknown := [name for name in arguments if name not in every]:
            raise OpsError(f"{unknown[0]} is none of {', '.join(every)}; name rules, or none for all")
        entries, changes = equivalents.read(), mutate.changes()
        mutants = {name: mutate.mutants(text, changes) for name, text in every.items()}
        invalid = trials.invalid([mutant for found in mutants.values() for mutant in found], every)
        mutants = {name: [one for one in found if one not in invalid] for name, found in mutants.items()}
        say(f"{sum(map(len, mutants.values()))} changes in {len(every)} rules")
        alive: list[Mutant] = []
        for name in arguments or every:
            trials.must_pass(name, every)
            survive = trials.survivors(mutants[name], every)
            alive += survive
            say(f"{name}: {len(mutants[name]) - len(survive)} of {len(mutants[name])} killed")
    except OpsError as error:
        print(error, file=sys.stderr)
        return 2
    listed = {key for entry in entries for key in entry.keys}
    tried = [mutant for name in arguments or every for mutant in mutants[name]]
    wrong = [f"{line(mutant)}" for mutant in alive if mutant.key not in listed]
    stale = equivalents.dead(entries, (one for found in mutants.values() for one in found))
    stale += equivalents.killed(entries, tried, alive)
    for row in ("", *table(tried, alive, [one for one in alive if one.key in listed]), ""):
        say(row)
    for each in wrong:
        say(f"survives: {each}")
    for each in stale:
        say(each)
    say(f"{len(wrong)} survive, {monotonic() - started:.0f} s")
    return 1 if wrong or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
