"""The life of the program on a real node: what kubelet, the scheduler and the controllers do is their own here."""

import re
import time

import pytest

import rules
from components.live.cluster.pod_annotation import WRITTEN
from tests.e2e.test_killed import killed
from tests.node.node_rig import OURS, RECEIVERS, NodeRig
from tests.support.limits import changed, other

MOUNT = "api-performance-alerts"


def change_a_limit(rig: NodeRig) -> tuple[str, str]:
    """Another limit in the program's copy: the alert, and how its expression ends then."""
    alert = rules.alerts()["APIP95LatencyHigh"]
    file = rig.program / "rules" / alert.file.name
    file.write_text(changed(alert, other(alert))(file.read_text("utf-8")), "utf-8")
    return alert.name, other(alert)


def proved(rig: NodeRig) -> str:
    """After how many seconds each server ran what the last `up` had written, in its own words."""
    return ", ".join(dict.fromkeys(re.findall(r"\w+ runs what was written \(.+? s\)", "".join(rig.said))))


def test_from_preview_to_destroy(rig: NodeRig) -> None:
    """The whole life in one, as each step needs the one before it."""
    pods = {server: set(rig.pods(server)) for server in ("prometheus", "alertmanager")}
    planned = rig.preview()
    assert rig.objects() == rig.before, "a preview writes nothing"

    started = time.monotonic()
    assert rig.up() == planned
    print(f"up with a rolling restart: {time.monotonic() - started:.1f} s; {proved(rig)}")
    assert rig.runs_ours()
    rig.settle()
    assert not pods["prometheus"] & set(rig.pods("prometheus")), "a new mount is a new pod"
    assert pods["alertmanager"] == set(rig.pods("alertmanager"))
    assert rig.preview() == {}
    assert rig.preview(refresh=True) == {}, "".join(rig.said)

    # By itself kubelet comes within a minute and a half: in this time, as good as always by the annotation alone.
    rig.configure(liveTimeout=20)
    pods = {server: set(rig.pods(server)) for server in pods}
    alert, ending = change_a_limit(rig)
    started = time.monotonic()
    rig.up()
    print(f"up with another limit, annotated: {time.monotonic() - started:.1f} s; {proved(rig)}")
    assert rig.expressions()[alert].endswith(ending)
    assert pods == {server: set(rig.pods(server)) for server in pods}, "no pod was restarted"
    assert all(WRITTEN in pod["metadata"]["annotations"] for pod in rig.pods("prometheus").values())
    assert rig.preview() == {}, "the annotation is no foreign edit"

    # Somebody else edits beside our lines, and takes some of ours out.
    text = rig.text("alertmanager-config", "alertmanager.yml")
    ours = next(line for line in text.splitlines() if "api-performance" in line or "api_performance" in line)
    rig.write("alertmanager-config", {"alertmanager.yml": "# theirs\n" + text.replace(f"{ours}\n", "", 1)})
    assert rig.preview()["update"] >= 1
    rig.up()
    assert rig.runs_ours()
    assert rig.text("alertmanager-config", "alertmanager.yml") == f"# theirs\n{text}"
    rig.write("alertmanager-config", {"alertmanager.yml": text})

    rig.destroy()
    assert rig.objects() == rig.before
    rig.settle()
    assert not OURS & rig.rules() and not RECEIVERS & rig.receivers()
    assert all(WRITTEN not in str(pod["metadata"]) for server in pods for pod in rig.pods(server).values())


def test_kubelet_by_itself_brings_it_too(rig: NodeRig) -> None:
    rig.configure(rulesMode="shared", annotatePods=False)
    started = time.monotonic()
    rig.up()
    print(f"up, as kubelet comes by itself: {time.monotonic() - started:.1f} s; {proved(rig)}")
    assert rig.runs_ours()
    assert all(WRITTEN not in str(pod["metadata"]) for pod in rig.pods("prometheus").values())
    rig.configure(rulesMode="shared")
    rig.up()


@pytest.mark.parametrize("name", [f"configmap/{MOUNT}", "deployment/prometheus", "configmap/alertmanager-config"])
def test_killed_when_it_is_written(rig: NodeRig, name: str) -> None:
    killed(rig, lambda: rig.changed(name))
    rig.converges()
    rig.settle()
