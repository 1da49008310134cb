"""What the program declares for a text in a Secret, under Pulumi's mocks; and what `render` makes of it."""

import json

import yaml

from ops.stack.declared import SECRET
from ops.stack.manifests import rendered
from routing.inline_password import PLACE, filled
from tests.test_program import declared, one, reaches

MODE: dict[str, object] = {"alertmanagerMode": "secret", "rulesMode": "operator", "grafanaMode": "off"}
FILE = {"smtpPasswordFile": "/etc/alertmanager/secrets/mail/password", "slackWebhookFile": "/etc/slack/url"}


def test_the_password_goes_into_the_text_and_stands_nowhere_else() -> None:
    found = declared(**MODE, smtpPassword="hunter2", slackWebhookFile="/etc/slack/url")
    text = one(found, ":SecretText")
    assert (text.inputs["secret_name"], text.inputs["key"]) == ("alertmanager-main", "alertmanager.yaml")
    assert text.inputs["password"] == SECRET and PLACE in text.inputs["ours"]
    assert "/etc/slack/url" in text.inputs["ours"]
    assert "auth_password_file" not in text.inputs["ours"]
    assert one(found, ":Live").inputs["inlined"] == SECRET
    assert text.name in reaches(found, "live") and "withdrawn-operator-secret" in reaches(found, text.name)
    assert "hunter2" not in str(found)
    assert {entry.type for entry in found if entry.type.startswith("kubernetes:core")} == set()


def test_without_a_password_its_file_is_named_and_nothing_is_a_secret() -> None:
    found = declared(**MODE, **FILE, alertmanagerSecret="alerts", alertmanagerSecretKey="alertmanager.yaml.gz")
    text = one(found, ":SecretText")
    assert (text.inputs["secret_name"], text.inputs["key"]) == ("alerts", "alertmanager.yaml.gz")
    assert not text.inputs.get("password") and PLACE not in text.inputs["ours"]
    (mail, *_) = [
        mail
        for receiver in json.loads(text.inputs["ours"])["receivers"]
        for mail in receiver.get("email_configs") or ()
    ]
    assert mail["auth_password_file"] == FILE["smtpPasswordFile"]
    assert not one(found, ":Live").inputs.get("inlined")


def test_all_of_it_has_the_password_too() -> None:
    found = declared(**MODE, smtpPassword="hunter2", alertmanagerReplace=True)
    text = one(found, ":SecretText")
    assert text.inputs["editor"] == "replace" and "hunter2" not in str(found)
    config = yaml.safe_load(filled(text.inputs["ours"], 'a "word" 🔥\n\\'))
    assert config["global"]["smtp_auth_password"] == 'a "word" 🔥\n\\'
    assert "smtp_auth_password_file" not in config["global"]


def test_render_writes_what_is_put_in_with_a_place_for_the_password() -> None:
    for whole in (False, True):
        written = rendered(declared(**MODE, smtpPassword="hunter2", alertmanagerReplace=whole))
        text = written["snippets/alertmanager-main-alertmanager.yaml"]
        assert text.startswith("# Secret alertmanager-main, key alertmanager.yaml: this ")
        assert f"# {PLACE} stands for the mail relay's password." in text
        assert "hunter2" not in str(written)
