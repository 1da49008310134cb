"""Preview, up, no change, update, drift, destroy: on a stack that others made and go on editing."""

import time

import pytest

import routing
import rules
from tests.e2e.rig import OURS, Rig
from tests.support.checkout import ROOT
from tests.support.limits import changed, other

pytestmark = pytest.mark.core


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
    text = (rig.program / file).read_text("utf-8")
    (rig.program / file).write_text(changed(alert, other(alert))(text), encoding="utf-8")

    planned = rig.preview()
    assert set(planned) == {"update"}
    shown = "".join(rig.said)
    assert alert.limit.text in shown
    assert other(alert) in shown
    rig.up()
    expressions = {rule.name: rule.query for group in rig.sandbox.prometheus.rules() for rule in group.rules}
    assert expressions[alert.name].endswith(other(alert))
    assert rig.preview() == {}


def test_the_checkout_is_left_clean(rig: Rig) -> None:
    """No stack file beside the program, in the checkout or in the copy."""
    rig.preview()
    assert not (ROOT / "Pulumi.sandbox.yaml").exists()
    assert not (rig.program / "Pulumi.sandbox.yaml").exists()
