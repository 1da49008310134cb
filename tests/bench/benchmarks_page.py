"""The page docs/benchmarks.md: a part for each file here that measures, written anew when that is run."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.support.checkout import ROOT

FILE = ROOT / "docs" / "benchmarks.md"

_HEAD = """# Benchmarks

Written by `make bench`; edits are lost. `make bench ONLY=rule_evaluation` measures one part alone. Seconds are those of
one machine, which may have other work to do; what counts are the ratios, as both sides of each were measured in one
run.
"""

# File → title, what is measured and what it must reach.
PARTS = {
    "rule_evaluation": """## What the rules cost Prometheus

An application of ten instances with 10, 100 and 1,000 endpoints: a day of it and the same day a week ago lie in blocks,
with a sample each 15 s. A real Prometheus over them answers each rule's expression, as it does when it evaluates rules;
it says itself how long that ran and how many samples it read. Of several turns the least counts.

The same 15 alerts, in three forms. Each alert has the same values in all of them, which was looked at, but for the two
of the generator, which have a value only while they fire:

- *as in `rules/`*: what is deployed. Recordings read each raw series once; alerts and long windows read what they
  record.
- *naive*: each alert by itself from the raw series, with nothing recorded.
- *by a generator*: the two alerts on the error budget as a generator of burn-rate rules writes them, each window
  recorded from the raw series every minute; the others naively.""",
    "dashboard_load": """## What a look at the dashboard costs Prometheus

Every query of every panel once, over the last 24 hours, a point each two minutes; on the same blocks. A query is not
answered where Prometheus refuses it, or takes longer than fifteen seconds.""",
    "many_rules": """## Many rules

A checkout with rule files of other teams beside ours, a hundred rules in each, in a sandbox of its own: deployed by
`pulumi up`, then `render`, a preview without changes, and `verify`. Seconds are those in which processors worked for a
command and what it starts, the least of three turns. Where a rule more takes as long in each row, growth is linear.""",
    "fault_to_mail": """## From a fault to its mail

The floor is what the settings ask for: until the next scrape, the next evaluation, `for`, and the route's group_wait.
From the moment at which the application goes wrong to the arrival of the mail, on real servers, by a clock that runs
faster. Seconds are those of that clock.""",
    "with_engine": """## A preview and an `up`

On the real engine and a real API server, beside a bare program that declares as many resources and does nothing.""",
    "replay_cost": """## A replay

Seven days of every alert, beside the range queries that it cannot do without.""",
    "routing_edits": """## An edit of `alertmanager.yml`

Our part put into a text of so many characters, and taken out, beside PyYAML's bare reading of that text: linear if the
ratio does not grow.""",
}
_PART = re.compile(r"<!-- (?P<name>\w+) -->\n.*?(?=\n<!-- \w+ -->\n|\Z)", re.DOTALL)


def replace(name: str, lines: Sequence[str]) -> None:
    """Write the page with another table for one part. `lines`: the table, as Markdown."""
    before = FILE.read_text("utf-8") if FILE.exists() else ""
    parts = {found["name"]: found[0].rstrip("\n") for found in _PART.finditer(before)}
    when = f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} processors."
    parts[name] = "\n".join([f"<!-- {name} -->", PARTS[name], "", *lines, "", when])
    FILE.write_text("\n\n".join([_HEAD.rstrip("\n"), *(parts[one] for one in PARTS if one in parts)]) + "\n", "utf-8")
