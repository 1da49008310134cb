"""Preview, up, no change, update, drift, destroy: on a stack that others made and go on editing."""

import time

import routing
import rules
from tests.e2e.rig import OURS, ROOT, Rig

LIMIT = "> 1000"


def test_from_preview_to_destroy_nothing_of_theirs_is_touched(rig: Rig) -> None:
    """The whole life in one, as each step needs the one before it."""
    ours = {*rules.alerts(), *rules.recordings()}
    receivers = {receiver["name"] for receiver in routing.load().parts(None).receivers}

    planned = rig.preview()
    assert rig.objects() == rig.before, "a preview writes nothing"

    started = time.monotonic()
    made = rig.up()
    print(f"up, from its start to proved live: {time.monotonic() - started:.1f} s")
    assert made == planned
    assert ours <= rig.rules()
    assert receivers <= rig.receivers()
    assert {"PlatformTargetDown", "StripeWebhooksStopped"} <= rig.rules()
    assert {"default", "billing"} <= rig.receivers()

    for name, key in (("prometheus-config", "prometheus.yml"), ("alertmanager-config", "alertmanager.yml")):
        theirs, now = rig.before[f"configmap/{name}"][key].splitlines(), iter(rig.text(name, key).splitlines())
        assert all(line in now for line in theirs), f"{name}: a line of theirs was lost, moved or altered"
    for name in ("configmap/prometheus-rules", "secret/alertmanager-smtp", "deployment/alertmanager"):
        assert rig.objects()[name] == rig.before[name]
    assert set(rig.objects()) - set(rig.before) <= {f"configmap/{name}" for name in OURS}

    started = time.monotonic()
    assert rig.preview() == {}
    print(f"a preview with nothing to do: {time.monotonic() - started:.1f} s")
    assert rig.preview(refresh=True) == {}, "".join(rig.said)

    rig.destroy()
    assert rig.objects() == rig.before
    assert not ours & rig.rules()
    assert not receivers & rig.receivers()
    assert {"PlatformTargetDown", "StripeWebhooksStopped"} <= rig.rules()


def test_a_changed_limit_is_one_update_and_one_line(rig: Rig) -> None:
    rig.up()
    alert = rules.alerts()["APIP95LatencyHigh"]
    file = f"rules/{alert.file.name}"
    lines = (rig.program / file).read_text("utf-8").splitlines(keepends=True)
    old = lines[alert.limit_line - 1]
    lines[alert.limit_line - 1] = old.replace(alert.limit.text, "> 2000")
    (rig.program / file).write_text("".join(lines), encoding="utf-8")

    planned = rig.preview()
    assert set(planned) == {"update"}
    shown = "".join(rig.said)
    assert f"- {old.strip()}" in shown.replace("  ", " ") or old.strip() in shown
    assert "> 2000" in shown
    rig.up()
    expressions = {rule.name: rule.query for group in rig.box.prometheus.rules() for rule in group.rules}
    assert expressions["APIP95LatencyHigh"].endswith("> 2000")
    assert rig.preview() == {}


def test_drift_is_seen_and_put_right(rig: Rig) -> None:
    rig.up()
    as_it_should_be = rig.objects()
    rig.write("alertmanager-config", rig.before["configmap/alertmanager-config"])
    rig.write("api-performance-alerts", {"watchdog.yml": "groups: []\n"})
    rig.write("dashboard-api-performance-baseline", {"api-performance-baseline.json": "{}"})
    assert rig.preview(refresh=True).get("update", 0) >= 3
    rig.engine.refresh()
    rig.up()
    assert rig.objects() == as_it_should_be
    assert rig.preview(refresh=True) == {}


def test_what_others_edit_survives_updates_and_destroy(rig: Rig) -> None:
    rig.up()
    for name, key, old, new in (
        ("alertmanager-config", "alertmanager.yml", "group_wait: 30s", "group_wait: 45s   # patience"),
        ("prometheus-config", "prometheus.yml", "evaluation_interval: 15s", "evaluation_interval: 20s"),
    ):
        assert rig.text(name, key).count(f"  {old}") >= 1
        rig.write(name, {key: rig.text(name, key).replace(old, new, 1)})
    rig.write("prometheus-rules", {"new.yml": "groups: []\n"})
    assert rig.preview() == {}, "what others do in their own lines is no drift of ours"
    rig.destroy()

    wanted = dict(rig.before)
    for name, key, old, new in (
        ("alertmanager-config", "alertmanager.yml", "group_wait: 30s", "group_wait: 45s   # patience"),
        ("prometheus-config", "prometheus.yml", "evaluation_interval: 15s", "evaluation_interval: 20s"),
    ):
        data = wanted[f"configmap/{name}"]
        wanted[f"configmap/{name}"] = {**data, key: data[key].replace(old, new, 1)}
    wanted["configmap/prometheus-rules"] = {**wanted["configmap/prometheus-rules"], "new.yml": "groups: []\n"}
    assert rig.objects() == wanted


def test_shared_adds_keys_and_restarts_nothing(rig: Rig) -> None:
    rig.configure(rulesMode="shared")
    pid = rig.box.state.processes["prometheus"]["pid"] if rig.box.state else None
    rig.up()
    assert rig.objects()["deployment/prometheus"] == rig.before["deployment/prometheus"]
    assert rig.box.state is not None
    assert rig.box.state.processes["prometheus"]["pid"] == pid
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


def test_the_checkout_is_left_clean(rig: Rig) -> None:
    """No stack file beside the program, in the checkout or in the copy."""
    rig.preview()
    assert not (ROOT / "Pulumi.sandbox.yaml").exists()
    assert not (rig.program / "Pulumi.sandbox.yaml").exists()
