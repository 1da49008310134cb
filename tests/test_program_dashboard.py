"""The dashboard's resources under Pulumi's mocks: in which order they are made, and in which organisation."""

import pytest

import dashboards
from ops.clients.grafana import credentials
from tests.test_program import declared, of_type, one


@pytest.mark.parametrize(
    ("settings", "organisation"),
    [
        ({"grafanaAuth": "token"}, None),
        ({"grafanaAuth": "token", "grafanaOrgId": "2"}, "2"),
        ({"grafanaAuth": "admin:password"}, "1"),
        ({"grafanaAuth": "admin:password", "grafanaOrgId": 3}, "3"),
    ],
)
def test_the_provider_names_the_organisation_that_our_looks_name(
    settings: dict[str, object], organisation: str | None
) -> None:
    found = declared(**settings)
    assert one(found, "oss/dashboard:Dashboard").inputs.get("orgId") == organisation
    for kind in (":DashboardFolder", ":PreviousDashboard"):
        chosen = one(found, kind).inputs["organisation"]
        assert credentials(str(settings["grafanaAuth"]), int(chosen)).get("X-Grafana-Org-Id") == organisation


def test_the_config_map_for_the_sidecar_is_made_after_what_the_api_made_has_gone() -> None:
    found = declared(grafanaMode="sidecar", grafanaAuth="token")
    before = one(found, ":PreviousDashboard")
    assert (before.inputs["mode"], before.inputs.get("auth")) == ("sidecar", None)
    (board,) = [m for m in of_type(found, ":ConfigMap") if m.name == dashboards.UID]
    assert before.name in board.after
    assert board.inputs["metadata"]["name"] == before.inputs["config_map"], "which a change back to api deletes"
    assert before.name == one(declared(grafanaAuth="token"), ":PreviousDashboard").name, "so that it is an update"
