"""Nothing in the sandbox listens or connects beyond loopback, and an address beyond it is refused."""

from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from ops.sandbox import loopback
from ops.sandbox.lifecycle import Sandbox
from ops.sandbox.mounts import ALERTMANAGER, PROMETHEUS, Mounts
from ops.sandbox.sandbox_errors import SandboxError


def test_nothing_listens_or_connects_beyond_loopback(sandbox: Sandbox) -> None:
    state = sandbox.state
    assert state is not None
    ends = [
        end
        for process in state.processes.values()
        for connection in psutil.Process(process["pid"]).net_connections("tcp")
        for end in (connection.laddr, connection.raddr)
        if end
    ]
    assert ends
    assert [end for end in ends if not ip_address(end.ip.removeprefix("::ffff:")).is_loopback] == []


def test_paths_of_the_pod_become_the_folders_that_stand_for_them(tmp_path: Path) -> None:
    mounts = Mounts(tmp_path)
    text = "rule_files: [/etc/prometheus/rules/*.yml, '/etc/prometheus/x']\n# see x/etc/prometheus/y\n"
    written = mounts.translate(PROMETHEUS, text)
    folder = tmp_path / "mnt" / "prometheus" / "etc" / "prometheus"
    assert written == f"rule_files: [{folder}/rules/*.yml, '{folder}/x']\n# see x/etc/prometheus/y\n"
    assert mounts.translate(PROMETHEUS, written) == written
    mounts.write(PROMETHEUS, "rules", {"a.yml": "groups: []\n", "b.yml": "groups: []\n"})
    mounts.write(PROMETHEUS, "rules", {"b.yml": "groups:  []\n"}, only=True)
    assert {file.name: file.read_text() for file in mounts.rules.iterdir()} == {"b.yml": "groups:  []\n"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("global: {smtp_smarthost: 'smtp.postmarkapp.com:587'}", "smtp.postmarkapp.com:587 (global.smtp_smarthost)"),
        ("global: {slack_api_url: 'https://hooks.slack.com/x'}", "https://hooks.slack.com/x (global.slack_api_url)"),
        ("receivers: [{name: a, pagerduty_configs: [{routing_key: k}]}]", "pagerduty_configs (receiver a, pagerduty"),
        ("receivers: [{name: a, webhook_configs: [{url: 'http://10.0.0.1/'}]}]", "http://10.0.0.1/ (receivers.webhook"),
        ("scrape_configs: [{static_configs: [{targets: ['rsolv.dev:443']}]}]", "rsolv.dev:443 (scrape_configs.static"),
        ("scrape_configs: [{job_name: j, dns_sd_configs: [{names: [x]}]}]", "dns_sd_configs (job j, dns_sd_configs)"),
        ("remote_write: [{url: 'https://mimir.example/push'}]", "https://mimir.example/push (remote_write.url)"),
    ],
)
def test_an_address_beyond_loopback_is_refused_before_anything_is_written(
    text: str, where: str, tmp_path: Path
) -> None:
    with pytest.raises(SandboxError, match=r"nothing in the sandbox connects beyond loopback") as error:
        Mounts(tmp_path).write(ALERTMANAGER, "", {"alertmanager.yml": text})
    assert where in str(error.value)
    assert not Mounts(tmp_path).alertmanager_config.exists()


@pytest.mark.parametrize(
    "text",
    [
        "global: {smtp_smarthost: 'localhost:2525'}",
        "receivers: [{name: a, slack_configs: [{api_url: 'http://127.0.0.1:1/'}]}]",
        "scrape_configs: [{static_configs: [{targets: ['127.0.0.1:1', '[::1]:2']}]}]",
        "groups: [{name: g, rules: [{alert: A, annotations: {url: 'https://docs.rsolv.dev'}}]}]",
        "external_labels: {host: rsolv.dev}",
        "not: [yaml",
    ],
)
def test_what_stays_on_loopback_passes(text: str) -> None:
    loopback.refuse_beyond_loopback(ALERTMANAGER, "alertmanager.yml", text)
