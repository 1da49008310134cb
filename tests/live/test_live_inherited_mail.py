"""Mail settings in the `global` of others that our receivers would inherit are named in a preview."""

import pytest

import routing
from components.live.text.routing_merge import Routing

OURS = routing.load().parts().as_json()
RELAY = routing.load().smtp.smarthost


def warned(settings: str) -> list[str]:
    text = f"global: {{{settings}}}\nroute: {{receiver: a}}\nreceivers: [{{name: a}}]\n"
    return [line for line in Routing().warnings(text, OURS) if "our mails" in line]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("smtp_hello: mail.example.org", "smtp_hello"),
        ("smtp_auth_identity: me", "smtp_auth_identity"),
        ("smtp_auth_secret: hunter2", "smtp_auth_secret"),
        ("smtp_auth_secret_file: /etc/secret", "smtp_auth_secret_file"),
        ("smtp_tls_config: {insecure_skip_verify: true}", "smtp_tls_config"),
        ("smtp_force_implicit_tls: true", "smtp_force_implicit_tls"),
        ("smtp_hello: a, smtp_force_implicit_tls: true", "smtp_hello, smtp_force_implicit_tls"),
    ],
)
def test_one_that_ours_do_not_set(settings: str, named: str) -> None:
    (line,) = warned(settings)
    assert (
        line == f"alertmanager.yml: our mails by {RELAY} also go by its global {named}: is that right for this relay?"
    )
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "smtp_smarthost: 'their.relay:25'",
        "smtp_from: me@example.org",
        "smtp_auth_password: x",
        "smtp_tls_config: {}",
    ],
)
def test_one_that_ours_set_or_that_changes_nothing(settings: str) -> None:
    assert warned(settings) == []
