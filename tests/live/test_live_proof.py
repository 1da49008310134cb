"""Nothing counts as deployed before a real Prometheus and a real Alertmanager run it, nor as gone while they do."""

import dataclasses
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import routing
import rules
from components.live.provider import NotDone, Props
from components.live.resources import LiveProvider, WithdrawnProvider
from components.live.running import wait
from components.live.running.wanted import wanted_routing, wanted_rules
from components.live.text.edit_errors import EditRefused
from components.live.text.editors import editor
from formats.json_types import JsonObject
from ops import build_tools
from ops.sandbox.parts import answers
from routing import tree
from rules import RuleFile
from tests.live.shapes import server_props
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(
    not (build_tools.find("prometheus") and build_tools.find("alertmanager")), reason="run `make tools` first"
)

PARTS = routing.load().parts()
FILES = rules.load()
ALERTING = "route:\n  receiver: default\nreceivers:\n- name: default\n"


class Stack:
    """Both servers on files of a folder, as a projected ConfigMap would be."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.rules = home / "rules"
        self.rules.mkdir()
        self.prometheus_yml, self.alertmanager_yml = home / "prometheus.yml", home / "alertmanager.yml"
        self.prometheus_yml.write_text(f"rule_files: ['{self.rules}/*.yml']\n")
        self.alertmanager_yml.write_text(ALERTING)
        self.urls: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, tool: str, *arguments: str) -> None:
        if tool not in self.urls:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.urls[tool] = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.processes[tool] = subprocess.Popen(
            [
                str(build_tools.path(tool)),
                f"--config.file={self.home / tool}.yml",
                f"--storage.{'tsdb.' if tool == 'prometheus' else ''}path={self.home / 'data' / tool}",
                f"--web.listen-address={self.urls[tool].removeprefix('http://')}",
                *arguments,
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self.home / f"{tool}.log").open("wb"),
        )

    def wait(self) -> None:
        for tool, url in self.urls.items():
            until(partial(answers, url, "/-/ready"), f"{tool} did not get ready")

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def write(self, files: tuple[RuleFile, ...] = FILES, alerting: str | None = None) -> None:
        for file in files:
            (self.rules / file.name).write_text(file.text)
        text = editor("routing").insert(ALERTING, PARTS.as_json()) if alerting is None else alerting
        self.alertmanager_yml.write_text(text)

    def take_back(self) -> None:
        for path in self.rules.iterdir():
            path.unlink()
        self.alertmanager_yml.write_text(ALERTING)

    def props(self, **changes: object) -> Props:
        def server(tool: str) -> JsonObject:
            return server_props(tool, service=f"{tool}:80", url=self.urls[tool])

        return {
            "kubeconfig": "/nowhere",
            "context": None,
            "namespace": "monitoring",
            "prometheus": server("prometheus"),
            "alertmanager": server("alertmanager"),
            "rules": wanted_rules(FILES),
            "routing": wanted_routing(PARTS),
            "timeout": PATIENCE,
            **changes,
        }


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("servers"))
    try:
        stack.start("prometheus", "--web.enable-lifecycle")
        stack.start("alertmanager", "--cluster.listen-address=")
        stack.wait()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(servers: Stack) -> Iterator[Stack]:
    yield servers
    servers.take_back()
    wait.until_gone(servers.props())


def soon(*steps: Callable[[], object], after: float = 1.0) -> threading.Timer:
    """What kubelet does later."""
    timer = threading.Timer(after, lambda: [step() for step in steps])
    timer.start()
    return timer


def test_proved_and_withdrawn(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.write()
    assert LiveProvider().create(stack.props()).id == "live"
    said = capsys.readouterr().out
    assert "Prometheus runs what was written" in said and "Alertmanager runs what was written" in said
    assert wait.not_running(stack.props()) == []
    assert not LiveProvider().diff("live", stack.props(), stack.props()).changes
    stack.take_back()
    WithdrawnProvider().delete("withdrawn", stack.props())
    assert "Prometheus runs without what was taken back" in capsys.readouterr().out
    assert len(wait.not_running(stack.props())) >= sum(len(file.alerts) for file in FILES)


def test_files_that_arrive_late_are_waited_for(stack: Stack) -> None:
    there = threading.Event()
    timer = soon(there.set, stack.write)
    wait.until_running(stack.props())
    assert there.is_set(), "it was called done before the files were there"
    timer.join()
    later = soon(stack.take_back)
    wait.until_gone(stack.props())
    later.join()


def test_a_rule_that_prometheus_refuses_is_named_in_its_words(stack: Stack) -> None:
    file = next(
        file for file in FILES if any(getattr(rule, "for_", 0) for group in file.groups for rule in group.rules)
    )
    group = file.groups[0]
    rule = dataclasses.replace(group.rules[0], expr="limitk(1, up) > 1\n")  # an experimental function, switched off
    broken = dataclasses.replace(
        file,
        text="groups: [{name: g, rules: [{alert: X, expr: 'limitk(1, up) > 1'}]}]\n",
        groups=(dataclasses.replace(group, rules=(rule, *group.rules[1:])),),
    )
    stack.write((broken,))
    wanted = wanted_rules([broken])
    with pytest.raises(EditRefused, match=r"after 1 s not all servers run what was written\. Prometheus: ") as refusal:
        wait.until_running(stack.props(rules=wanted, timeout=1))
    words = str(refusal.value)
    assert f"rules/{file.name}: {group.name}/{rule.name}: " in words and "experimental" in words


def test_what_differs_is_named(stack: Stack) -> None:
    stack.write()
    wait.until_running(stack.props())
    wanted = wanted_rules(FILES)
    name = "api_performance/APIP95LatencyHigh"
    wanted[name] = {**wanted[name], "for": "1s", "labels": "-"}
    wanted["api_performance/New"] = wanted[name]
    routing_ = wanted_routing(PARTS)
    receiver = next(iter(routing_["receivers"]))
    routing_["receivers"][receiver]["email_configs"][0]["to"] = "-"
    routing_["receivers"]["new"] = {}
    routing_["routes"]['{x="y"}'] = "new"
    assert wait.not_running(stack.props(rules=wanted, routing=routing_)) == [
        f"rules/{wanted[name]['file']}: {name} runs with another for and labels",
        f"rules/{wanted[name]['file']}: api_performance/New is not loaded",
        'route {x="y"} does not run',
        f"receiver {receiver} runs with another to",
        "receiver new does not run",
    ]
    assert LiveProvider().diff("live", stack.props(rules=wanted), stack.props(rules=wanted)).changes


def test_a_rule_taken_from_the_repository_has_to_go_from_prometheus_too(stack: Stack) -> None:
    stack.write()
    olds = stack.props()
    wait.until_running(olds)
    kept = tuple(file for file in FILES if "watchdog" not in file.name)
    assert len(kept) < len(FILES)
    gone = soon(lambda: (stack.rules / "watchdog.yml").unlink())
    news = stack.props(rules=wanted_rules(kept))
    wait.until_running(news, olds)
    gone.join()
    assert any("not loaded" in fault for fault in wait.not_running(olds))


def test_a_replaced_configuration_is_proved_from_its_first_route_on(stack: Stack) -> None:
    whole = routing.load()
    stack.write(alerting=whole.text.replace("group_wait: 30s", "group_wait: 31s", 1))
    wanted = wanted_routing(PARTS, whole.config)
    with pytest.raises(EditRefused, match="route the first route runs with other settings"):
        wait.until_running(stack.props(routing=wanted, timeout=1))
    stack.write(alerting=whole.text.replace("smtp_from: monitoring@", "smtp_from: other@"))
    with pytest.raises(EditRefused, match="Alertmanager: smtp_from runs with another value"):
        wait.until_running(stack.props(routing=wanted, timeout=1))
    stack.write(alerting=whole.text)
    wait.until_running(stack.props(routing=wanted))


def test_a_replaced_configuration_may_have_an_empty_setting(stack: Stack) -> None:
    text = re.sub(r"smtp_auth_username: .*", 'smtp_auth_username: ""', routing.load().text)
    stack.write(alerting=text)
    wait.until_running(stack.props(routing=wanted_routing(PARTS, tree.parse(text))))


def test_a_server_that_restarts_meanwhile_is_waited_for(stack: Stack) -> None:
    stack.write()
    stack.processes["alertmanager"].kill()
    stack.processes["alertmanager"].wait()
    timer = soon(lambda: stack.start("alertmanager", "--cluster.listen-address="))
    wait.until_running(stack.props())
    timer.join()


def test_a_server_that_is_down_is_named(stack: Stack) -> None:
    stack.write()
    nobody = {**stack.props()["prometheus"], "url": "http://127.0.0.1:9"}
    with pytest.raises(NotDone, match=r"Prometheus at http://127\.0\.0\.1:9 cannot be reached"):
        LiveProvider().create(stack.props(prometheus=nobody, timeout=1))


def test_whether_it_runs_cannot_be_said_is_no_change(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = {**stack.props()["prometheus"], "url": "http://127.0.0.1:9"}
    props = stack.props(prometheus=nobody, alertmanager=None)
    assert not LiveProvider().diff("live", props, props).changes
    assert capsys.readouterr().out == "warning: Prometheus cannot be reached (Connection refused); `up` needs it\n"


def test_a_server_that_is_away_once_something_was_written_has_to_be_proved(stack: Stack) -> None:
    """As where our mount was put back, and strategy Recreate leaves no pod until the new one is ready."""
    nobody = {**stack.props()["prometheus"], "url": "http://127.0.0.1:9"}
    props = stack.props(prometheus=nobody, alertmanager=None)
    assert not LiveProvider().diff("live", props, props).changes
    stack.write()
    LiveProvider().update("live", stack.props(), stack.props())
    assert LiveProvider().diff("live", props, props).changes


def test_without_the_lifecycle_endpoint_it_says_what_to_do(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    try:
        stack.start("prometheus")
        stack.wait()
        stack.urls["alertmanager"] = ""
        with pytest.raises(EditRefused, match=r"start it with --web\.enable-lifecycle, or set prometheusReload to"):
            wait.until_running(stack.props(alertmanager=None))
        stack.write()
        sidecar = {**stack.props()["prometheus"], "reload": "sidecar"}
        timer = soon(lambda: stack.processes["prometheus"].send_signal(1))
        wait.until_running(stack.props(alertmanager=None, prometheus=sidecar))
        timer.join()
    finally:
        stack.stop()


def test_a_change_of_the_way_is_proved_by_the_new_files_and_closed_when_the_old_ones_are_gone(stack: Stack) -> None:
    """Rules that run from the former place prove nothing; those in the new one do not keep the former from going."""
    stack.write()
    old = {"folder": str(stack.rules), "apart": False}
    new = {"folder": str(stack.rules), "apart": True}
    wait.until_running(stack.props(**old))
    with pytest.raises(EditRefused, match="is not loaded"):
        wait.until_running(stack.props(**new, timeout=1))
    with pytest.raises(EditRefused, match="still runs"):
        wait.until_gone(stack.props(**old, alertmanager=None, timeout=1))
    wait.until_gone(stack.props(**new, alertmanager=None))
