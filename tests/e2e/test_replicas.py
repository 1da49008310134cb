"""Several replicas of a server: each is reloaded and looked at, and the one that lags is named.

Real Alertmanagers that are a cluster of three, and two real Prometheus, on the files that the sandbox projects.
"""

from pathlib import Path

import pytest

import routing
import rules
from ops.clients.prometheus import Prometheus
from ops.sandbox import ports
from tests.e2e.rig import Rig
from tests.support.replicated import replicated


def run_rules(prometheus: Prometheus) -> bool:
    return set(rules.alerts()) <= {rule.name for group in prometheus.rules() for rule in group.rules}


def test_every_replica_runs_it_and_none_after_a_destroy(rig: Rig, tmp_path: Path) -> None:
    ours = {str(receiver["name"]) for receiver in routing.load().parts().receivers}
    with replicated(rig.sandbox.home, tmp_path) as servers:
        rig.configure(**servers.settings)
        rig.up()
        said = "".join(rig.said)
        assert "Prometheus runs what was written on 2 replicas" in said
        assert "Alertmanager runs what was written on 3 replicas" in said
        assert all(run_rules(one) for one in servers.prometheus)
        assert all(ours <= set(one.receivers()) for one in servers.alertmanager)
        assert rig.preview(refresh=True) == {}
        rig.destroy()
        assert not any(run_rules(one) for one in servers.prometheus)
        assert not any(ours & set(one.receivers()) for one in servers.alertmanager)
    assert rig.objects() == rig.before


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
def test_one_that_lags_is_named(rig: Rig, tmp_path: Path, server: str) -> None:
    with replicated(rig.sandbox.home, tmp_path) as servers:
        link, last = servers.last[server], getattr(servers, server)[-1]
        target, old = link.readlink(), link.read_text("utf-8")

        def lag() -> None:
            link.unlink()
            link.write_text(old, "utf-8")
            last.reload()

        rig.configure(**servers.settings)
        rig.up()
        lag()
        assert rig.preview() == {"update": 1}
        assert f"{server.capitalize()} at {last.url}: " in "".join(rig.said)
        rig.configure(**servers.settings, liveTimeout=8)
        words = rig.refused(rig.up)
        assert f"{server.capitalize()} at {last.url}: " in words
        assert words.count("http://") == 1, words
        link.unlink()
        link.symlink_to(target)
        rig.configure(**servers.settings)
        rig.up()
        assert rig.preview() == {}
        rig.destroy()
    assert rig.objects() == rig.before


def test_one_that_is_down_is_named_and_nothing_is_written(rig: Rig, tmp_path: Path) -> None:
    with replicated(rig.sandbox.home, tmp_path) as servers:
        nobody = f"http://{ports.HOST}:{next(iter(ports.choose(['nobody'], {}).values()))}"
        urls = servers.settings
        rig.configure(**{**urls, "alertmanagerUrl": f"{urls['alertmanagerUrl']}, {nobody}"})
        words = rig.refused(rig.up)
        assert "nothing was written: " in words and nobody in words
        assert rig.objects() == rig.before
        rig.configure(**urls)
        rig.destroy()
