"""A preview and an `up` on the real engine, each beside those of a bare program with as many resources of a provider.

And an `up` on two Prometheus and three Alertmanagers, beside that on one of each.
"""

import subprocess
import tempfile
from pathlib import Path

from ops.build_tools import pulumi as built_engine
from ops.sandbox import pulumi_stack
from ops.sandbox.cluster import NAMESPACE, Cluster
from ops.sandbox.lifecycle import Sandbox
from ops.stack.declared import collect
from ops.stack.engine import Engine, StackAccess
from tests.bench.bench_words import TURNS, beside, medians, say, seconds
from tests.support.checkout import ROOT
from tests.support.replicated import replicated

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


def run() -> list[str]:
    """The section of the page, as Markdown."""
    if not built_engine.find():
        return ["There is no Pulumi engine here (`make tools` builds one): this was not measured."]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return beside(_measured(Path(folder)))


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


def _measured(folder: Path) -> list[tuple[str, float, str, float]]:
    rows: list[tuple[str, float, str, float]] = []
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
            rows.append((what, own, f"of a bare {len(found) - dynamic} + {dynamic} dynamic", with_dynamic))
            rows.append((what, own, f"of a bare {len(found)}, none dynamic", without))
        ours.destroy()
        with replicated(sandbox.home, folder / "replicas") as servers:
            usual = pulumi_stack.settings(sandbox.home, state)

            def up_on(settings: dict[str, object]) -> float:
                pulumi_stack.configure(ours, settings)
                return up_again(ours)

            turns = [[up_on({**usual, **servers.settings}), up_on({**usual})] for _ in range(TURNS)]
            many, one = medians(turns)
            rows.append(("up, 3 + 2 replicas", many, "up, 1 + 1 replicas", one))
            ours.destroy()
    finally:
        sandbox.down()
    return rows
