"""The settings for those on call: read, refused in one sentence, and in what the program declares."""

import pytest

from components.alert_routing import alertmanager_config
from components.settings import SettingsError, WorkingHours, read
from ops.errors import Misconfigured
from ops.stack.declared import collect
from routing.on_call import INTERVAL, with_on_call
from tests.routing.our_routing import LABELS
from tests.support.our_routes import ROUTING, receiver_of

# ── settings ──


def test_settings_are_read() -> None:
    found = read(
        {
            **{"slackWebhookFile": "/a/b", "slackChannel": "#x", "pagerdutyKeyFile": "/c", "webhookUrlFile": "/d"},
            "workingHours": "sat-mon,Wed 08:00-12:00,13:00-24:00 Europe/Berlin",
        },
        where="x",
    ).on_call
    assert (found.slack_file, found.slack_channel, found.pagerduty_file, found.webhook_file) == (
        "/a/b",
        "#x",
        "/c",
        "/d",
    )
    assert found.working_hours == WorkingHours(
        ("monday", "wednesday", "saturday", "sunday"), (("08:00", "12:00"), ("13:00", "24:00")), "Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"slackWebhookFile": "slack"},
            "slackWebhookFile is no path (it is not shown, as it may be the secret itself); ",
        ),
        ({"slackChannel": "#x"}, "slackChannel is '#x'; give slackWebhookFile too: it has no effect without"),
        ({"workingHours": "always"}, "give days, hours and a time zone, such as Mon-Fri 08:00-18:00 Europe/Berlin"),
        ({"workingHours": "Mo-Fr 08:00-18:00 UTC"}, "give days as Mon-Fri or Mon,Wed,Fri"),
        ({"workingHours": "Mon-Fri 8-18 UTC"}, "give hours of one day as 08:00-18:00, the later last"),
        ({"workingHours": "Mon-Fri 22:00-06:00 UTC"}, "give hours of one day as 08:00-18:00, the later last"),
        ({"workingHours": "Mon-Fri 08:00-18:00 Europe/Berln"}, "give a time zone such as Europe/Berlin"),
        (
            {"alertmanagerMode": "operator", "pagerdutyKeyFile": "/etc/am/key"},
            "give /etc/alertmanager/secrets/SECRET/KEY, for the operator takes a Secret and no other file",
        ),
        (
            {"alertmanagerMode": "operator", "workingHours": "Mon 08:00-18:00 Europe/Berlin"},
            "give the hours in UTC, for the operator's AlertmanagerConfig has no time zones",
        ),
    ],
)
def test_a_bad_setting_gets_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(values, where="Pulumi.x.yaml")
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("Pulumi.x.yaml: ")
    assert "\n" not in str(refused.value)


def test_the_operators_object_names_secrets() -> None:
    on_call = read(
        {
            **{"alertmanagerMode": "operator", "workingHours": "Mon-Tue 08:00-18:00 UTC"},
            **{
                key: f"/etc/alertmanager/secrets/on-call/{key}"
                for key in ("slackWebhookFile", "pagerdutyKeyFile", "webhookUrlFile")
            },
        },
        where="x",
    ).on_call
    parts = with_on_call(ROUTING, on_call).parts()
    spec = alertmanager_config.spec(alertmanager_config.below_one_route(parts, LABELS.values()), "mail")
    critical = next(
        receiver for receiver in spec["receivers"] if receiver["name"] == receiver_of("APIP95LatencyCritical")
    )
    assert critical["slackConfigs"][0]["apiURL"] == {"name": "on-call", "key": "slackWebhookFile"}
    assert critical["pagerdutyConfigs"][0]["routingKey"] == {"name": "on-call", "key": "pagerdutyKeyFile"}
    assert critical["webhookConfigs"] == [
        {"sendResolved": True, "urlSecret": {"name": "on-call", "key": "webhookUrlFile"}}
    ]
    assert {*critical["slackConfigs"][0]} == {
        *("apiURL", "sendResolved", "color", "title", "titleLink", "fallback", "text")
    }
    page = critical["pagerdutyConfigs"][0]
    assert {*page} == {
        *("routingKey", "sendResolved", "severity", "description", "class", "component", "client", "clientURL"),
        *("details", "pagerDutyLinkConfigs"),
    }
    assert {detail["key"] for detail in page["details"]} == {"firing", "resolved", "num_firing", "num_resolved"}
    assert [link["alt"] for link in page["pagerDutyLinkConfigs"]] == ["Runbook", "Dashboard"]
    assert spec["muteTimeIntervals"] == [
        {
            "name": INTERVAL,
            "timeIntervals": [
                {"weekdays": ["monday", "tuesday"], "times": [{"startTime": "08:00", "endTime": "18:00"}]}
            ],
        }
    ]
    waiting = {route["receiver"] for route in spec["route"]["routes"] if "activeTimeIntervals" in route}
    assert waiting == {receiver_of(name) for name, labels in LABELS.items() if labels["severity"] == "warning"}


# ── what the program declares ──

SETTINGS: dict[str, object] = {
    **{"slackWebhookFile": "/etc/am/slack", "pagerdutyKeyFile": "/etc/am/key", "webhookUrlFile": "/etc/am/url"},
    "workingHours": "Mon-Fri 08:00-18:00 Europe/Berlin",
}


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "merged"])
def test_the_program_deploys_it(whole: bool) -> None:
    wanted = with_on_call(ROUTING, read(SETTINGS, where="x").on_call)
    declared = collect({**SETTINGS, "alertmanagerReplace": whole})
    (edit,) = (
        resource.inputs for resource in declared if resource.inputs.get("editor") == ("replace" if whole else "routing")
    )
    assert edit["ours"] == (wanted.text if whole else wanted.parts().as_json())


def test_the_program_refuses_in_one_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"^Pulumi\.prod\.yaml: slackChannel is '#x'; give slackWebhookFile too"):
        collect({"slackChannel": "#x"})
