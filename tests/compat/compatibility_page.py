"""`docs/compatibility.md`: what `make compat` found, and what follows from the tables of features. It has no date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import routing
import rules
from components import settings, version_needs
from components.alert_routing import routing_delivery
from components.live.handlers import grafana_obstacles
from formats.versions import Feature, Version, number
from ops.targets import stack_values
from routing import routing_needs as of_routing
from routing.on_call import with_on_call
from rules import rule_needs as of_rules
from tests.compat import layouts_table
from tests.compat.life import STEPS, Step
from tests.support.checkout import ROOT

FILE = ROOT / "docs" / "compatibility.md"
NAMES = {"prometheus": "Prometheus", "alertmanager": "Alertmanager"}

# What a stack can switch on, and by that need more of a server.
OPTIONS: Mapping[str, object] = {
    "slackWebhookFile": "/etc/alertmanager/slack",
    "pagerdutyKeyFile": "/etc/alertmanager/pagerduty",
    "webhookUrlFile": "/etc/alertmanager/hook",
    "workingHours": "Mon-Fri 08:00-18:00 Europe/Berlin",
}

_HEAD = """\
# Versions that it works with

Written by `make compat`, which gives a sandbox each of these servers in turn: its whole life, with a
real `pulumi up`, and each feature of the last two tables, which every version has to take, or to refuse,
as is said there. The other server is the pinned one ({pinned}).

All that were wanted could be had. They are built from the Go modules that tools/compat.yml pins, without
web pages, and of the service discoveries with Kubernetes' and DNS' alone.
"""
_WHAT = """\

## {name}

| version | {steps} | features as said | limited |
|---|{rules}---|---|
"""
_LEGEND = """
- deploy: `pulumi up` onto the hand-made stack, until both servers run all of it.
- nothing to do: the next preview changes nothing.
- test alert: its mail arrives, and the resolved one.
- fault to mail: the application errs, `{alert}` fires, its mail arrives.
- too new: a preview with something that this version does not know is refused; the newest know all of it.
- destroy: every ConfigMap, Secret and Deployment is as before, byte for byte; both servers run without us.
- limited: settings that this version is too old for, and the version that each needs.

Before Prometheus 3.9 a sandbox with a `--history` takes a minute or two longer to start. What a table
below says of versions before the oldest one here was only seen to be taken.
"""
_NEEDS = """
## What our files need

A preview asks the servers that run for their versions and refuses, before anything is written, what they
do not know. What that is follows from the files themselves: as they stand, they need {prometheus} and
{alertmanager}.

In `grafanaMode: api` a preview asks Grafana for its version too (`/api/health`) and refuses one before {grafana},
which cannot save a dashboard into a folder by the folder's uid.
"""
_FEATURES = """
## What {name} knows since when

| since | what | where it is written |
|---|---|---|
"""
_SOURCE = "https://github.com/prometheus/{}/pull/{}"


@dataclass(frozen=True)
class Result:
    """What was found with one version. `samples`: how many features were tried; `wrong`: what was not as said."""

    server: str
    version: str
    steps: tuple[Step, ...]
    samples: int
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return len(self.steps) == len(STEPS) and not self.wrong and not any(step.said for step in self.steps)


def text(results: Sequence[Result], pinned: Mapping[str, str], alert: str) -> str:
    """The whole document."""
    said = ", ".join(f"{NAMES[server]} {version}" for server, version in pinned.items())
    parts = [_HEAD.format(pinned=said)]
    for server, name in NAMES.items():
        steps = " | ".join(STEPS)
        parts.append(_WHAT.format(name=name, steps=steps, rules="---|" * len(STEPS)))
        parts += [_row(result) for result in results if result.server == server]
    parts += [_LEGEND.format(alert=alert), following()]
    return "".join(parts)


def following() -> str:
    """The part that follows from the files, the tables and the end-to-end tests' layouts, without running anything."""
    return layouts_table.section() + features()


def rewritten(kept: str) -> str:
    """The document with that part as it is now, and what `make compat` has measured as it stands."""
    return kept.partition(f"\n{layouts_table.HEADING}")[0].partition(_NEEDS.partition("{")[0])[0] + following()


def features() -> str:
    """The part that follows from the files and the tables alone."""
    least = needed()
    grafana = ".".join(str(part) for part in grafana_obstacles.OLDEST)
    parts = [_NEEDS.format(**{server: f"{name} {least[server]}" for server, name in NAMES.items()}, grafana=grafana)]
    for server, name in NAMES.items():
        parts.append(_FEATURES.format(name=name))
        by_feature: dict[Feature, list[str]] = {}
        for what, feature in _features(server):
            by_feature.setdefault(feature, []).append(_code(what))
        rows = sorted(by_feature.items(), key=lambda row: (_number(row[0].since), row[1][0].lower()))
        parts += [f"| {found.since} | {', '.join(whats)} | {_link(server, found)} |\n" for found, whats in rows]
    return "".join(parts)


def needed(**changes: object) -> dict[str, str]:
    """Server → the oldest version that knows all that our files use, in a stack with these settings."""
    found = settings.read({**stack_values("prod"), **changes}, where="Pulumi.prod.yaml")
    written = with_on_call(routing.load(), found.on_call)
    parts = routing_delivery(written, rules.alerts().values(), found).parts()
    every = version_needs.needed(rules.load(), parts, None, found)
    return {server: max((one.feature.since for one in some), key=_number) for server, some in every.items()}


def _row(result: Result) -> str:
    by_name = {step.name: step for step in result.steps}
    cells = [_cell(by_name.get(name)) for name in STEPS]
    as_said = f"{result.samples - len(result.wrong)} of {result.samples}"
    return f"| {result.version} | {' | '.join(cells)} | {as_said} | {limited(result.server, result.version)} |\n"


def _cell(step: Step | None) -> str:
    if step is None or not step.tried:
        return "–"
    return f"✗ {step.said}".replace("|", "\\|") if step.said else "✓"


def limited(server: str, version: str) -> str:
    """The settings that a version is too old for, each with the one that it needs."""
    found = []
    for key, value in OPTIONS.items():
        since = needed(**{key: value})[server]
        if _number(since) > _number(version):
            found.append(f"`{key}` ({since})")
    return ", ".join(found) or "–"


def _features(server: str) -> Iterable[tuple[str, Feature]]:
    if server == "prometheus":
        groups = {f"{key} of a group": feature for key, feature in of_rules.GROUPS.items()}
        syntax = {what: feature for what, (_, feature) in of_rules.SYNTAX.items()}
        functions = {f"{name}()": feature for name, feature in of_rules.FUNCTIONS.items()}
        templates = {f"{word} in a template": feature for word, feature in of_rules.TEMPLATES.items()}
        return [*groups.items(), *of_rules.ALERTS.items(), *functions.items(), *syntax.items(), *templates.items()]
    rows = [*of_routing.TOP.items(), *((f"{key} in global", feature) for key, feature in of_routing.GLOBAL.items())]
    rows += ((f"{key} of a route", feature) for key, feature in of_routing.ROUTE.items())
    rows += ((f"{key} of an inhibition", feature) for key, feature in of_routing.INHIBITION.items())
    rows += ((f"{key} of a receiver", feature) for key, feature in of_routing.RECEIVER.items())
    for sender, keys in of_routing.SENDERS.items():
        rows += ((f"{key} in {sender}", feature) for key, feature in keys.items())
    rows += ((f"{name} in a template", feature) for name, feature in of_routing.TEMPLATES.items())
    rows += [
        ("location of a time interval", of_routing.LOCATION),
        ("weekdays over the end of a week", of_routing.WRAPPING),
        ("a matcher with UTF-8 or quotes", of_routing.UTF_8),
        ("UTF-8 names of labels in equal", of_routing.UTF_8_EQUAL),
    ]
    return rows


def _number(text: str) -> Version:
    found = number(text)
    assert found is not None, f"{text} is no version"
    return found


def _code(what: str) -> str:
    """The first word as code, unless all of it is in plain words."""
    first, space, rest = what.partition(" ")
    return what if first in ("a", "the", "weekdays", "UTF-8") else f"`{first}`{space}{rest}"


def _link(server: str, feature: Feature) -> str:
    return f"[{feature.source}]({_SOURCE.format(server, feature.source.removeprefix('#'))})"
