"""Annotations on pods with something in the way: `up` goes on. The rest: tests/e2e/test_annotate_pods.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.cluster.pod_annotation import ROLE, WRITTEN, PodAnnotations
from components.live.provider import Props
from tests.live.api_server import Api, serving

PODS = "/api/v1/namespaces/monitoring/pods"
POD = f"{PODS}/prometheus-0"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    """A pod that mounts what was written."""
    with serving(tmp_path) as (api, kubeconfig):
        api.put(POD, spec={"volumes": [{"name": "config", "configMap": {"name": "prometheus-config"}}]})
        where = {"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring"}
        yield api, {**where, "annotated": ["ConfigMap/prometheus-config"]}


def test_a_pod_that_goes_meanwhile_is_no_news(place: tuple[Api, Props], capfd: pytest.CaptureFixture[str]) -> None:
    api, props = place
    asked = []

    def goes() -> None:
        asked.append(api.objects.pop(POD))

    api.before_write = goes
    PodAnnotations(props).write()
    assert len(asked) == 1
    assert capfd.readouterr().out == ""


def test_a_right_that_is_missing_is_said_once_with_its_file(
    place: tuple[Api, Props], capfd: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    api.forbid.add(PODS)
    pods = PodAnnotations(props)
    pods.write()
    api.forbid.clear()
    pods.write()  # it is not tried again
    said = capfd.readouterr().out
    assert said.count("\n") == 1 and f"apply {ROLE}, or set annotatePods to false" in said
    assert WRITTEN not in str(api.objects[POD])


def test_without_an_answer_kubelet_is_waited_for(place: tuple[Api, Props], capfd: pytest.CaptureFixture[str]) -> None:
    _, props = place
    kubeconfig = Path(props["kubeconfig"])
    other = kubeconfig.with_name("nowhere")
    other.write_text(kubeconfig.read_text("utf-8").replace("127.0.0.1", "127.0.0.2"), "utf-8")
    PodAnnotations({**props, "kubeconfig": str(other)}).write()
    assert "warning: pods were not annotated, so kubelet takes its time: " in capfd.readouterr().out


@pytest.mark.parametrize("annotated", [None, []], ids=["not set", "nothing to mount"])
def test_nothing_is_asked_where_no_pod_is_meant(annotated: list[str] | None) -> None:
    PodAnnotations(
        {"kubeconfig": "/nowhere", "context": None, "namespace": "monitoring", "annotated": annotated}
    ).write()
