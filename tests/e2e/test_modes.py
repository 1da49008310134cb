"""Every way in which rules and routing get there, and from one to another."""

import rules
from tests.e2e.rig import Rig


def test_shared_adds_keys_and_restarts_nothing(rig: Rig) -> None:
    rig.configure(rulesMode="shared")
    pid = rig.sandbox.state.processes["prometheus"]["pid"] if rig.sandbox.state else None
    rig.up()
    assert rig.objects()["deployment/prometheus"] == rig.before["deployment/prometheus"]
    assert rig.sandbox.state is not None
    assert rig.sandbox.state.processes["prometheus"]["pid"] == pid
    assert set(rules.alerts()) <= rig.rules()
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert rig.objects() == rig.before


def test_from_one_mode_to_another_nothing_is_left_behind(rig: Rig) -> None:
    rig.up()
    rig.configure(rulesMode="shared")
    rig.up()
    assert rig.objects()["deployment/prometheus"] == rig.before["deployment/prometheus"]
    assert rig.objects()["configmap/prometheus-config"] == rig.before["configmap/prometheus-config"]
    assert "configmap/api-performance-alerts" not in rig.objects()
    assert set(rules.alerts()) <= rig.rules()
    rig.destroy()
    assert rig.objects() == rig.before


def test_a_whole_configuration_of_ours_gives_the_old_one_back(rig: Rig) -> None:
    rig.configure(alertmanagerReplace=True)
    rig.up()
    assert "billing" not in rig.receivers()
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert rig.objects() == rig.before
    assert "billing" in rig.receivers()


def test_a_large_one_that_kubectl_has_applied_is_given_back_too(rig: Rig) -> None:
    """kubectl keeps the whole text in an annotation of its own, and all annotations together hold 256 KiB."""
    rig.configure(alertmanagerReplace=True)
    text = rig.text("alertmanager-config", "alertmanager.yml")
    large = text + "".join(f"# {number} of the lines that others wrote\n" for number in range(3900))
    assert len(large) > 140 * 1024
    rig.write("alertmanager-config", {"alertmanager.yml": large})
    rig.annotate("alertmanager-config", "kubectl.kubernetes.io/last-applied-configuration", large)
    before = rig.objects()
    assert rig.preview()
    rig.up()
    assert "billing" not in rig.receivers()
    rig.destroy()
    assert rig.objects() == before


def test_in_shared_mode_a_key_of_somebody_elses_is_named_in_preview(rig: Rig) -> None:
    """The guide's simpler alternative, done by hand before."""
    rig.configure(rulesMode="shared")
    rig.write("prometheus-rules", {"watchdog.yml": "groups: []\n"})
    before = rig.objects()
    for act in (rig.preview, rig.up):
        assert "prometheus-rules has a key watchdog.yml already, and it is not ours" in rig.refused(act)
    assert rig.objects() == before


def test_in_shared_mode_a_missing_config_map_is_named_and_not_made(rig: Rig) -> None:
    rig.configure(rulesMode="shared")
    rig.delete("configmaps", "prometheus-rules")
    for act in (rig.preview, rig.up):
        assert "ConfigMap monitoring/prometheus-rules is not there" in rig.refused(act)
    assert "configmap/prometheus-rules" not in rig.objects()


def test_the_mail_password_becomes_a_secret_that_alertmanager_mounts(rig: Rig) -> None:
    rig.configure(smtpPassword="hunter2", smtpPasswordFile="/etc/api-monitoring/password")
    rig.up()
    assert "hunter2" not in "".join(rig.said)
    held = rig.sandbox.home / "mnt" / "alertmanager"
    (file,) = [path for path in held.rglob("password") if "api-monitoring" in str(path)]
    assert file.read_text("utf-8") == "hunter2"
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert rig.objects() == rig.before


def test_a_path_where_others_mount_something_is_named_in_preview(rig: Rig) -> None:
    rig.configure(smtpPassword="hunter2", smtpPasswordFile="/etc/alertmanager/smtp/password")
    words = rig.refused(rig.preview)
    assert "Deployment monitoring/alertmanager mounts volume smtp at /etc/alertmanager/smtp already" in words
    assert rig.objects() == rig.before


def test_rule_files_beyond_a_config_map_are_spread_and_brought_together_again(rig: Rig) -> None:
    filler = "# " + "x" * 97 + "\n"
    big = rig.program / "rules" / "big.yml"
    text = "groups:\n  - name: big\n    interval: 30s\n    rules:\n      - record: big:one\n        expr: vector(1)\n"
    big.write_text(text + filler * 9_900, encoding="utf-8")
    rig.up()
    assert {"configmap/api-performance-alerts", "configmap/api-performance-alerts-2"} <= set(rig.objects())
    assert {*rules.alerts(), "big:one"} <= rig.rules()
    assert rig.preview(refresh=True) == {}
    big.unlink()
    rig.up()
    assert "configmap/api-performance-alerts-2" not in rig.objects()
    assert set(rules.alerts()) <= rig.rules()
    assert "big:one" not in rig.rules()
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert rig.objects() == rig.before


def test_without_a_prometheus_operator_its_modes_are_refused_in_preview(rig: Rig) -> None:
    """One sentence that says what to install, or what to set instead."""
    for settings, kind, instead in (
        ({"rulesMode": "operator"}, "PrometheusRule (monitoring.coreos.com/v1)", "rulesMode to dedicated or shared"),
        (
            {"alertmanagerMode": "operator", "smtpPassword": "hunter2"},
            "AlertmanagerConfig (monitoring.coreos.com/v1alpha1)",
            "alertmanagerMode to configmap",
        ),
    ):
        rig.configure(**settings)
        for act in (rig.preview, rig.up):
            words = rig.refused(act)
            assert f"the cluster knows no {kind}: install the Prometheus Operator with its Custom" in words
            assert f"or set {instead}" in words
        assert rig.objects() == rig.before
