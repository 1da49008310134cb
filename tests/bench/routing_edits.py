"""An edit of an alertmanager.yml of 10 KB, 100 KB and 1 MB, beside PyYAML's bare reading of it: linear if the ratio
does not grow.
"""

import statistics
from collections.abc import Callable, Iterator

import yaml

import routing
from components.live.text.routing_merge import Routing
from components.live.text.yaml_tree import PARSER, parse
from tests.bench.bench_words import TURNS, beside, seconds

SIZES = (10_000, 100_000, 1_000_000)  # characters


def run() -> list[str]:
    """The section of the page, as Markdown."""
    return beside(_measured())


def alertmanager_of(size: int) -> str:
    """An alertmanager.yml of at least that many characters, of teams that each have a route, a receiver and a rule."""
    routes = receivers = inhibitions = ""
    team_number = 0
    while len(routes) + len(receivers) + len(inhibitions) < size:
        team_number += 1
        team = f"team-{team_number}"
        routes += (
            f"    # {team}\n    - match:\n        team: {team}\n        severity: critical\n      receiver: {team}\n"
            '      continue: true\n      routes:\n        - matchers: [severity="warning"]\n'
            "          receiver: default\n"
        )
        receivers += (
            f"  - name: {team}\n    webhook_configs:\n      - url: 'http://hooks.example/{team}'  # theirs\n"
            f"    slack_configs:\n      - channel: '#{team}'\n        api_url_file: /etc/slack/url\n"
            "        text: '{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}'\n"
        )
        inhibitions += (
            f"  - source_match: {{severity: critical, team: {team}}}\n    target_match:\n      severity: warning\n"
            "    equal: ['cluster', namespace]\n"
        )
    head = "global:\n  resolve_timeout: 5m\n\nroute:\n  receiver: default\n  routes:\n"
    tail = "receivers:\n  - name: default\n"
    return head + routes + tail + receivers + "inhibit_rules:\n" + inhibitions


def _measured() -> Iterator[tuple[str, float, str, float]]:
    ours, edit = routing.load().parts().as_json(), Routing()

    def anew(act: Callable[[], object]) -> float:
        """The median of some turns, each without what the turn before has read."""

        def turn() -> float:
            parse.cache_clear()
            return seconds(act)

        return statistics.median(turn() for _ in range(TURNS))

    for size in SIZES:
        text = alertmanager_of(size)
        new = edit.insert(text, ours)
        assert edit.remove(new) == text
        bare = anew(lambda text=text: yaml.load(text, Loader=PARSER))  # type: ignore[misc]
        for what, act in (
            ("insert", lambda text=text: edit.insert(text, ours)),
            ("remove", lambda new=new: edit.remove(new)),
        ):
            yield f"{what}, {len(text) // 1000} KB of alertmanager.yml", anew(act), "PyYAML reads it", bare
