"""`make bench`: figures, each measured side by side with its yardstick in one run.

1. A preview without changes, against that of a bare program with as many resources of a provider.
2. `pulumi up` from start to proved live, against that of the bare program; and on two Prometheus and three
   Alertmanagers, against one of each.
3. A replay of seven days of every alert, against the bare range queries that it cannot do without.
4. An edit of an alertmanager.yml of 10 KB, 100 KB and 1 MB, against PyYAML's bare reading of it: linear if the ratio
   does not grow.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import yaml

import routing
import rules
from components.live.text.routing_merge import Routing
from components.live.text.yaml_tree import PARSER, parse
from ops import replay
from ops.build_tools import pulumi as built_engine
from ops.errors import OpsError
from ops.sandbox import pulumi_stack
from ops.sandbox.cluster import NAMESPACE, Cluster
from ops.sandbox.lifecycle import Sandbox
from ops.stack.declared import collect
from ops.stack.engine import Engine, StackAccess
from tests.support.checkout import ROOT
from tests.support.replicated import replicated

TURNS = 5
DAYS = 7
SIZES = (10_000, 100_000, 1_000_000)  # characters

# As many resources of a provider as we have: ConfigMaps, and dynamic ones that do nothing.
BARE = """\
import pulumi, pulumi_kubernetes as k8s
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
class Nothing(ResourceProvider):
    serialize_as_secret_always = False
    def create(self, props): return CreateResult("nothing", props)
class Idle(Resource): pass
for number in range({dynamic}):
    Idle(Nothing(), f"nothing-{{number}}", {{"a": "b"}})
provider = k8s.Provider("cluster", kubeconfig={kubeconfig!r}, enable_config_map_mutable=True)
for number in range({count}):
    k8s.core.v1.ConfigMap(
        f"{name}-{{number}}",
        metadata={{"name": f"{name}-{{number}}", "namespace": {namespace!r}, "annotations": {{
            "pulumi.com/deletionPropagationPolicy": "background"}}}},
        data={{"a": "b"}},
        opts=pulumi.ResourceOptions(provider=provider),
    )
"""


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def show(what: str, ours: float, yardstick: str, theirs: float) -> None:
    print(f"{what:<34} {ours:7.3f} s   {yardstick:<34} {theirs:7.3f} s   ratio {ours / theirs:.2f}", flush=True)


def bare(folder: Path, home: Path, env: dict[str, str], count: int, dynamic: int) -> Engine:
    # In a checkout of this repository, as any program is in one: Pulumi reads git, and takes 0.1 s for it.
    subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", ROOT, folder], check=True)
    kubeconfig = str(Cluster(home).kubeconfig)
    program = BARE.format(kubeconfig=kubeconfig, count=count, dynamic=dynamic, namespace=NAMESPACE, name=folder.name)
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    options = f"{{virtualenv: {ROOT / '.venv'}}}"
    (folder / "Pulumi.yaml").write_text(
        f"name: bare\nruntime: {{name: python, options: {options}}}\n", encoding="utf-8"
    )
    made = Engine(StackAccess(folder.name, env=env), folder)
    made.create()
    return made


def up_again(stack: Engine) -> float:
    """Seconds of an `up` that makes everything anew."""
    stack.destroy()  # nothing, the first time
    return seconds(stack.up)


def medians(turns: list[list[float]]) -> tuple[float, ...]:
    """The median of each program's times; `turns`: the times of each turn, by program."""
    return tuple(statistics.median(side) for side in zip(*turns, strict=True))


def with_engine(folder: Path) -> None:
    sandbox = Sandbox(folder / "home")
    try:
        state = sandbox.up(say, past=0, with_engine=True, deployed=False)
        assert state.pulumi is not None
        ours = pulumi_stack.create(sandbox.home, state.pulumi, pulumi_stack.settings(sandbox.home, state))
        found = [
            entry
            for entry in collect(pulumi_stack.settings(sandbox.home, state), stack=pulumi_stack.STACK)
            if entry.custom
        ]
        found = [entry for entry in found if not entry.type.startswith("pulumi:providers")]
        dynamic = sum(entry.type.startswith("pulumi-python:dynamic") for entry in found)
        env = dict(state.pulumi["env"])
        mixed = bare(folder / "mixed", sandbox.home, env, len(found) - dynamic, dynamic)
        alike = bare(folder / "alike", sandbox.home, env, len(found), 0)
        programs = (ours, mixed, alike)
        ups = medians([[up_again(one) for one in programs] for _ in range(TURNS)])
        previews = medians([[seconds(one.preview) for one in programs] for _ in range(TURNS)])
        for what, (own, with_dynamic, without) in (("up, proved live", ups), ("preview without changes", previews)):
            show(what, own, f"of a bare {len(found) - dynamic} + {dynamic} dynamic", with_dynamic)
            show(what, own, f"of a bare {len(found)}, none dynamic", without)
        ours.destroy()
        with replicated(sandbox.home, folder / "replicas") as servers:
            usual = pulumi_stack.settings(sandbox.home, state)

            def up_on(settings: dict[str, object]) -> float:
                pulumi_stack.configure(ours, settings)
                return up_again(ours)

            turns = [[up_on({**usual, **servers.settings}), up_on({**usual})] for _ in range(TURNS)]
            many, one = medians(turns)
            show("up, 3 + 2 replicas", many, "up, 1 + 1 replicas", one)
            ours.destroy()
    finally:
        sandbox.down()


def without_engine(folder: Path) -> None:
    sandbox = Sandbox(folder / "home-history")
    try:
        sandbox.up(say, past=timedelta(days=DAYS).total_seconds())
        end = time.time()
        start = end - timedelta(days=DAYS).total_seconds()
        written = replay.Rules("ours", rules.alerts(), rules.recordings())
        names = [alert.name for alert in written.alerts.values() if alert.group == "api_performance"]
        config = routing.load().config
        queries = list(dict.fromkeys(written.alerts[name].signal for name in names))

        def ask() -> None:
            for query in queries:
                for part in range(DAYS):
                    day = start + part * 86400
                    sandbox.prometheus.query_range(query, day, day + 86400, 30)

        def replayed() -> None:
            replay.run(sandbox.prometheus, [written], names, start, end, config)

        show(f"replay of {len(names)} alerts, {DAYS} days", seconds(replayed), "their bare range queries", seconds(ask))
    finally:
        sandbox.down()


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


def edits() -> None:
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
            show(f"{what}, {len(text) // 1000} KB of alertmanager.yml", anew(act), "PyYAML reads it", bare)


def main() -> None:
    edits()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if built_engine.find():
            with_engine(Path(folder))
        else:
            say("there is no Pulumi engine here (`make tools` builds one): what needs it is left out.")
        without_engine(Path(folder))


if __name__ == "__main__":
    try:
        main()
    except OpsError as error:
        sys.exit(str(error))
