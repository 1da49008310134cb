"""What every test of the dynamic resources needs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live import provider
from tests.live import silenced as silences
from tests.live.api_server import Api, serving
from tests.live.operator_objects import NAMESPACE, OURS, ROOT, STRATEGY, servers
from tests.live.silenced import Silenced


@pytest.fixture(autouse=True)
def tracebacks() -> Iterator[None]:
    """A provider switches tracebacks off in its own process, which this is not."""
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider says each line once in its process, and knows what it wrote there; that ends with the operation."""
    monkeypatch.setattr(provider, "_shown", set())
    monkeypatch.setattr(provider, "_writers", set())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Api, str]]:
    """A cluster in which the Prometheus Operator takes up what is ours."""
    with serving(tmp_path) as (api, kubeconfig):
        api.objects[f"{ROOT}/v1"] = {"resources": [{"kind": "PrometheusRule"}]}
        api.objects[f"{ROOT}/v1alpha1"] = {"resources": [{"kind": "AlertmanagerConfig"}]}
        servers(api, prometheuses={"ruleSelector": {"matchLabels": OURS}})
        servers(api, alertmanagers={"alertmanagerConfigSelector": {}, **STRATEGY})
        api.put(f"{NAMESPACE}/secrets/mail", data={"password": "aHVudGVyMg=="})
        api.put(NAMESPACE, kind="Namespace")
        yield api, kubeconfig


@pytest.fixture(scope="module")
def silence_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silenced]:
    with silences.servers(tmp_path_factory.mktemp("silences")) as found:
        yield found


@pytest.fixture
def silenced(silence_servers: Silenced, monkeypatch: pytest.MonkeyPatch) -> Iterator[Silenced]:
    """Servers without an active silence; each line is printed anew, as in a process of its own."""
    monkeypatch.setattr(provider, "_shown", set())
    silence_servers.reset()
    yield silence_servers
    silence_servers.reset()
