"""Argo CD, Flux and Helm on the same objects: a preview says what each would undo, and what to add there.

The marks are those that each tool writes (docs/stacks/gitops.md names the sources).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.live.cluster import other_hands
from components.live.cluster.ownership_checks import refuse_taken_keys
from components.live.provider import Props
from components.live.resources import ConfigTextProvider, MountProvider
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import Api, serving
from tests.live.shapes import MARKS, WORKLOADS, server_props
from tests.support.checkout import ROOT

TEXT = "rule_files: []\n"
PATH = "/api/v1/namespaces/monitoring/configmaps/prometheus-config"
ALERTMANAGER = "/apis/apps/v1/namespaces/monitoring/statefulsets/kube-alertmanager"
REPLACED = {"annotations": {"argocd.argoproj.io/sync-options": "Prune=false, Replace=true"}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        api.config_map("prometheus-config", **{"prometheus.yml": TEXT})
        props = {
            **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring"},
            **{"config_map": "prometheus-config", "key": "prometheus.yml", "editor": "rule-files", "ours": "/x/*.yml"},
        }
        yield api, props


def edit_warning(metadata: JsonObject) -> str:
    return other_hands.warning_of_edit(metadata, "monitoring", "prometheus-config", "prometheus.yml")


def pasted(warning: str) -> JsonObject:
    """The lines of a warning that are to be added, as YAML."""
    found: JsonObject = yaml.safe_load("\n".join(warning.splitlines()[1:]))
    return found


@pytest.mark.parametrize("mark", ["Argo CD, by annotation", "Argo CD, by label", "Argo CD, by manager"])
def test_argo_cd_is_told_to_leave_the_key_alone(mark: str) -> None:
    words = edit_warning(MARKS[mark])
    named = "Argo CD" if "manager" in mark else "Argo CD (Application monitoring-stack)"
    assert words.startswith(
        f"{named} keeps ConfigMap monitoring/prometheus-config as its source has it, and takes our part out of "
        "prometheus.yml when it next syncs; add to that Application (docs/stacks/gitops.md):\n"
    )
    where = {"kind": "ConfigMap", "namespace": "monitoring", "name": "prometheus-config"}
    assert pasted(words) == {
        "spec": {
            "ignoreDifferences": [{**where, "jsonPointers": ["/data/prometheus.yml"]}],
            "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]},
        }
    }


@pytest.mark.parametrize("mark", ["Flux", "Flux, by manager"])
def test_flux_is_told_to_leave_the_key_alone(mark: str) -> None:
    words = edit_warning(MARKS[mark])
    assert words.startswith("Flux" if "manager" in mark else "Flux (Kustomization monitoring) keeps ConfigMap")
    target = {"kind": "ConfigMap", "namespace": "monitoring", "name": "prometheus-config"}
    assert pasted(words) == {
        "spec": {"ignore": [{"paths": ["/data/prometheus.yml"], "target": target}]},
        "metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}},
    }


@pytest.mark.parametrize("mark", ["reconcile: disabled", "ssa: IfNotPresent", "ssa: Ignore"])
def test_what_flux_leaves_alone_already_needs_no_warning(mark: str) -> None:
    name, _, value = mark.partition(": ")
    said = {f"kustomize.toolkit.fluxcd.io/{name}": value}
    assert edit_warning({**MARKS["Flux"], "annotations": said}) == ""


def test_merge_does_not_save_a_text_from_flux() -> None:
    """It saves fields that Git does not have; a text is a field that Git has."""
    assert edit_warning({**MARKS["Flux"], "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "Merge"}})


def test_a_helm_release_of_flux_gets_its_own_lines() -> None:
    words = edit_warning(MARKS["Flux, HelmRelease"])
    assert "Flux (HelmRelease kube) keeps" in words and "run `pulumi up` after an upgrade" in words
    ignored = {"paths": ["/data/prometheus.yml"], "target": {"kind": "ConfigMap", "name": "prometheus-config"}}
    assert pasted(words) == {"spec": {"driftDetection": {"ignore": [ignored]}}}


@pytest.mark.parametrize("mark", ["Helm", "Helm, by label"])
def test_helm_undoes_it_at_each_upgrade(mark: str) -> None:
    words = edit_warning(MARKS[mark])
    assert words.startswith(
        "Helm" if "label" in mark else "Helm (release kube) wrote ConfigMap monitoring/prometheus-c"
    )
    assert "each `helm upgrade` writes prometheus.yml as the chart has it" in words and "\n" not in words


def test_who_works_by_hand_is_no_such_tool() -> None:
    assert edit_warning(MARKS["by hand"]) == ""


def test_every_warning_names_a_page_that_is_there_and_has_its_lines() -> None:
    page = (ROOT / other_hands.PAGE).read_text("utf-8")
    for mark in MARKS:
        for line in edit_warning(MARKS[mark]).splitlines()[1:]:
            assert line.strip() in page, line


def test_a_preview_warns_once_and_only_where_something_is_written(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    api.objects[PATH]["metadata"] |= MARKS["Argo CD, by annotation"]
    provider = ConfigTextProvider()
    assert not provider.check({}, props).failures
    assert not provider.check({}, props).failures
    said = capsys.readouterr().out
    assert said.count("warning: Argo CD (Application monitoring-stack) keeps") == 1
    assert "      ignoreDifferences:\n" in said
    made = provider.create(props).outs or {}
    capsys.readouterr()
    assert not provider.diff("id", made, props).changes
    assert "Argo CD" not in capsys.readouterr().out


def test_an_immutable_config_map_is_refused_where_something_would_be_written(place: tuple[Api, Props]) -> None:
    api, props = place
    provider = ConfigTextProvider()
    made = provider.create(props).outs or {}
    api.objects[PATH]["immutable"] = True
    assert not provider.diff("id", made, props).changes
    api.config_map("prometheus-config", **{"prometheus.yml": TEXT})
    api.objects[PATH]["immutable"] = True
    (failure,) = provider.check({}, props).failures
    assert failure.reason == (
        "ConfigMap monitoring/prometheus-config has `immutable: true`, so nobody can change it: delete it and make it "
        "again without that line, then restart the pods that mount it, as kubelet does not look at it again"
    )


SHARED = {"config_map": "prometheus-config", "keys": ["ours.yml"]}


def test_an_immutable_shared_config_map_takes_no_key(place: tuple[Api, Props]) -> None:
    api, props = place
    api.objects[PATH]["immutable"] = True
    cluster = Kubernetes(props["kubeconfig"])
    with pytest.raises(EditRefused, match=r"^ConfigMap monitoring/prometheus-config has `immutable: true`"):
        refuse_taken_keys(cluster, SHARED, "monitoring", "us")
    refuse_taken_keys(cluster, {**SHARED, "keys": []}, "monitoring", "us")  # ours stand there already


@pytest.mark.parametrize("mark", MARKS)
def test_a_key_or_a_mount_that_we_add_is_left_alone(
    place: tuple[Api, Props], mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """None of the tools knows these fields, and each leaves alone what it does not know."""
    api, props = place
    api.objects[PATH]["metadata"] |= MARKS[mark]
    refuse_taken_keys(Kubernetes(props["kubeconfig"]), SHARED, "monitoring", "us")
    mount_in(api, props, MARKS[mark])
    assert "docs/stacks/gitops.md" not in capsys.readouterr().out


def test_unless_argo_cd_replaces_the_object(place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]) -> None:
    api, props = place
    marks = {**MARKS["Argo CD, by label"], **REPLACED}
    api.objects[PATH]["metadata"] |= marks
    refuse_taken_keys(Kubernetes(props["kubeconfig"]), SHARED, "monitoring", "us")
    mount_in(api, props, marks)
    said = capsys.readouterr().out
    who = "Argo CD (Application monitoring-stack) replaces"
    assert f"{who} ConfigMap monitoring/prometheus-config as a whole when it next syncs, and each key of ours" in said
    assert (
        f"{who} StatefulSet monitoring/kube-alertmanager as a whole when it next syncs, and our mount is gone" in said
    )


def mount_in(api: Api, props: Props, marks: JsonObject) -> None:
    """The preview of a mount in a workload with these marks."""
    api.put(ALERTMANAGER, spec=WORKLOADS["chart alertmanager"][1])
    api.objects[ALERTMANAGER]["metadata"] |= marks
    mount = {
        **{name: props[name] for name in ("kubeconfig", "context", "namespace")},
        **{"server": server_props("alertmanager", workload="StatefulSet/kube-alertmanager"), "manager": "us"},
        **{"workload": "StatefulSet/kube-alertmanager", "container": "alertmanager", "volume": "ours"},
        **{"source": {"secret": {"secretName": "ours"}}, "path": "/etc/ours"},
    }
    assert not MountProvider().check({}, mount).failures
