"""What the program declares, without an engine and without any change: it runs with Pulumi's mocks.

The program runs in a process of its own, as Pulumi's runtime can be set only once in a process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from formats.json_types import JsonObject, JsonValue
from ops.errors import Misconfigured
from ops.repo.files import ROOT

SECRET = "(secret)"
LIMIT = 300.0  # seconds; ends a hang only: ten thousand rules take ten seconds of processor time


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource as the program declares it.

    `custom`: a real resource, not a component. `after`: names of the resources that are created first.
    """

    type: str
    name: str
    inputs: Mapping[str, JsonValue]
    custom: bool
    after: tuple[str, ...] = ()


def collect(config: Mapping[str, object], *, stack: str = "prod") -> list[Declared]:
    """Every resource that `__main__.py` declares with these settings, in the order of their registration.

    `config` maps keys without the project's prefix to values; the secrets among them count as encrypted. Secret
    inputs are "(secret)", and dynamic resources are without their code. Raises Misconfigured, with the program's own
    message, where it fails.
    """
    question = json.dumps({"config": {key: _text(value) for key, value in config.items()}, "stack": stack})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRAFANA_AUTH": os.environ.get("GRAFANA_AUTH") or SECRET}
    child = subprocess.Popen(
        [sys.executable, "-m", "ops.stack.declared"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = child.communicate(question, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise Misconfigured(
            f"__main__.py did not end within {LIMIT:g} s with Pulumi's mocks; look for what it waits for"
        ) from None
    try:
        answer = json.loads(out.rpartition("\n")[2])
    except ValueError:
        last = (err.strip().splitlines() or ["no message"])[-1]
        raise Misconfigured(f"__main__.py cannot be run with Pulumi's mocks: {last}") from None
    if "refused" in answer:
        raise Misconfigured(answer["refused"])
    return [Declared(**resource | {"after": tuple(resource["after"])}) for resource in answer["resources"]]


def _text(value: object) -> str:
    """A setting as Pulumi passes it to a program."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _run_program(config: Mapping[str, str], stack: str) -> list[JsonObject]:
    """Run the program in this process. The mocks return every input as output, so that dependents have values."""
    import asyncio
    import runpy

    from pulumi.dynamic.dynamic import PROVIDER_KEY
    from pulumi.runtime import mocks, rpc, set_all_config, set_mocks
    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
    from pulumi.runtime.stack import run_pulumi_func

    from components.settings import SECRETS, project

    found: list[JsonObject] = []

    def shown(value: JsonValue) -> JsonValue:
        if rpc.is_rpc_secret(value):
            return SECRET
        if isinstance(value, dict):
            return {key: shown(item) for key, item in value.items() if key != PROVIDER_KEY}
        if isinstance(value, list):
            return [shown(item) for item in value]
        return value if isinstance(value, str | int | float | bool | None) else str(value)

    class Echo(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, JsonObject]:
            found.append(
                {"type": args.typ, "name": args.name, "inputs": shown(args.inputs), "custom": bool(args.custom)}
            )
            return args.resource_id or f"{args.name}-id", args.inputs

        def call(self, args: mocks.MockCallArgs) -> tuple[JsonObject, list[tuple[str, str]] | None]:
            return args.args, None

    needs: dict[tuple[str, str], list[str]] = {}

    class NotingMonitor(mocks.MockMonitor):
        def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
            needs[request.type, request.name] = sorted({urn.rpartition("::")[2] for urn in request.dependencies})
            answer: RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]
            return answer

    loop = asyncio.new_event_loop()  # one loop for the mocks' stack and the program, as futures belong to a loop
    asyncio.set_event_loop(loop)
    name = project()
    values = {f"{name}:{key}": value for key, value in config.items()}
    hidden = [f"{name}:{key}" for key in SECRETS]
    set_all_config(values, hidden)
    # Pulumi's mock of the engine lacks this method; there is no CLI here whose version matters.
    mocks.MockEngine.RequirePulumiVersion = lambda *_: None  # type: ignore[attr-defined]
    set_mocks(Echo(), project=name, stack=stack, preview=False, monitor=NotingMonitor(Echo()))

    def program() -> None:
        set_all_config(values, hidden)
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    loop.run_until_complete(run_pulumi_func(program))
    return [resource | {"after": needs[resource["type"], resource["name"]]} for resource in found]


def _main() -> None:
    import pulumi

    question = json.load(sys.stdin)
    try:
        answer: JsonObject = {"resources": _run_program(question["config"], question["stack"])}
    except pulumi.RunError as refused:
        answer = {"refused": str(refused)}
    sys.stdout.write("\n" + json.dumps(answer))


if __name__ == "__main__":
    _main()
