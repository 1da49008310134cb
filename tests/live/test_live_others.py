"""Nothing of somebody else's that stands under a name of ours is taken over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.live.others import refuse_others
from components.live.proof import WithdrawnProvider
from components.live.refused import Refused
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import Api, serving

PATH = "/api/v1/namespaces/monitoring/configmaps/api-performance-alerts"
OURS = "api-monitoring/prod"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Api, Kubernetes, str]]:
    with serving(tmp_path) as (api, kubeconfig):
        yield api, Kubernetes(kubeconfig), kubeconfig


def applied_by(api: Api, *managers: str) -> None:
    api.put(PATH)
    api.objects[PATH]["metadata"]["managedFields"] = [{"manager": manager} for manager in managers]


@pytest.mark.parametrize("managers", [("kubectl-create",), ("api-monitoring/staging",), ()])
def test_an_object_of_somebody_elses_is_refused(
    cluster: tuple[Api, Kubernetes, str], managers: tuple[str, ...]
) -> None:
    api, kubernetes, _ = cluster
    applied_by(api, *managers)
    with pytest.raises(Refused, match=r"^configmaps/api-performance-alerts is in namespace monitoring already") as no:
        refuse_others(kubernetes, [PATH], OURS)
    assert all(manager in str(no.value) for manager in managers)


@pytest.mark.parametrize("managers", [(OURS,), ("kubectl-edit", OURS), None])
def test_ours_and_nothing_pass(cluster: tuple[Api, Kubernetes, str], managers: tuple[str, ...] | None) -> None:
    api, kubernetes, _ = cluster
    if managers:
        applied_by(api, *managers)
    refuse_others(kubernetes, [PATH], OURS)


def test_what_is_known_already_is_not_looked_at_again(cluster: tuple[Api, Kubernetes, str]) -> None:
    """Somebody may have made ours anew from a backup: a later `up` puts it right instead of refusing it."""
    api, _, kubeconfig = cluster
    applied_by(api, "kubectl-create")
    news: dict[str, Any] = {"kubeconfig": kubeconfig, "context": None, "own": [PATH], "manager": OURS}
    assert WithdrawnProvider().check({}, news).failures
    assert not WithdrawnProvider().check({"own": [PATH]}, news).failures


def test_an_account_that_may_not_look_is_told_so(
    cluster: tuple[Api, Kubernetes, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api, _, kubeconfig = cluster
    api.forbid.add(PATH)
    news: dict[str, Any] = {"kubeconfig": kubeconfig, "context": None, "own": [PATH], "manager": OURS}
    assert not WithdrawnProvider().check({}, news).failures
    assert "warning: whether somebody else uses a name of ours cannot be said" in capsys.readouterr().out
