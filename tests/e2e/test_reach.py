"""Ways to the servers besides their URLs: the API server's service proxy, and a signal to their processes."""

import re

import pytest

import rules
from tests.e2e import kubelet, own_network
from tests.e2e.rig import Rig


def test_a_signal_reloads_both_where_nothing_else_does(rig: Rig) -> None:
    pids = kubelet.server_pids(rig)
    rig.configure(rulesMode="shared", prometheusReload="signal", alertmanagerReload="signal")
    with kubelet.node(rig, pids) as node:
        for name in pids:
            node.run(name, name, name, kubelet.READY)
        rig.up()
        assert set(rules.alerts()) <= rig.rules()
        assert ["kill", "-HUP", "1"] in node.commands
        rig.destroy()
        assert not set(rules.alerts()) & rig.rules()
    assert rig.objects() == rig.before


def test_where_neither_server_is_a_preview_warns_and_an_update_writes_nothing(rig: Rig) -> None:
    """No Service of theirs; then, with the stack deployed, no Service any more."""
    rig.configure(prometheusUrl="", alertmanagerUrl="")
    assert rig.preview()["create"] > 0
    warned = [line for text in rig.said for line in text.splitlines() if "has no Service" in line]
    assert [line.strip() for line in warned] == [
        "warning: Prometheus has no Service prometheus; `up` needs it",
        "warning: Alertmanager has no Service alertmanager; `up` needs it",
    ]
    words = rig.refused(rig.up)
    assert "nothing was written: " in words
    for server in ("prometheus", "alertmanager"):
        assert f"is Service {server} in namespace monitoring there" in words
    # Pulumi's own words on what an earlier test has killed have "waiting for" in them too.
    assert not [line for line in rig.said if re.search("waiting for (Prometheus|Alertmanager)", line)]
    assert rig.objects() == rig.before
    rig.configure()
    rig.up()
    rig.configure(prometheusUrl="", alertmanagerUrl="")
    assert "nothing was written: " in rig.refused(rig.up)
    rig.destroy()
    assert rig.objects() == rig.before


@pytest.mark.usefixtures("whole")
def test_the_proxy_to_services_and_pods_takes_the_place_of_urls() -> None:
    """In a network of its own: the API server proxies to no loopback address, and there is to be no other traffic."""
    own_network.passes("tests/e2e/inside_own_network.py", 2)
