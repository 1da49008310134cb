"""What `destroy` leaves of ours in a text that a tool has written anew: nothing, or it is named."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import routing
from components.live.provider import NotDone, Props
from components.live.resources import ConfigTextProvider
from components.live.running.servers import AlertmanagerCheck
from components.live.running.wanted import wanted_routing
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.replicas import Replica
from tests.live.api_server import Api, serving
from tests.live.shapes import ALERTMANAGER
from tests.live.test_live_rewritten import written_by_pyyaml
from tests.support.our_routes import receiver_of

PROVIDER = ConfigTextProvider()
THEIRS = ALERTMANAGER["everything there"]
PARTS = routing.load().parts()
OURS = receiver_of("APIP95LatencyCritical")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        write(api, THEIRS)
        yield (
            api,
            {
                "kubeconfig": kubeconfig,
                "context": None,
                "namespace": "monitoring",
                "config_map": "alertmanager-config",
                "key": "alertmanager.yml",
                "editor": "routing",
                "ours": PARTS.as_json(),
            },
        )


def write(api: Api, text: str) -> None:
    api.config_map("alertmanager-config", **{"alertmanager.yml": text})


def live(api: Api) -> str:
    return api.data("alertmanager-config")["alertmanager.yml"]


def sorted_by_pyyaml(text: str) -> str:
    return written_by_pyyaml(text, sort_keys=True, flow=False, indent=2)


def without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))


REWRITES = {
    "keys sorted by PyYAML": sorted_by_pyyaml,
    "in braces, as PyYAML 5 wrote": lambda text: written_by_pyyaml(text, sort_keys=False, flow=None, indent=2),
    "comments dropped": without_comments,
    "as JSON": lambda text: json.dumps(yaml.safe_load(text), indent=2, ensure_ascii=False),
}


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_destroy_takes_ours_out_of_a_text_that_a_tool_wrote_anew(
    place: tuple[Api, Props], rewrite: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    write(api, rewrite(live(api)))
    PROVIDER.delete("", outs)
    assert yaml.safe_load(live(api)) == yaml.safe_load(THEIRS)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_so_it_does_after_an_update_in_which_nothing_of_ours_changed(
    place: tuple[Api, Props], rewrite: Callable[[str], str]
) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    write(api, rewrite(live(api)))
    assert not PROVIDER.diff("", outs, props).changes, "all of ours is there"
    for _ in range(2):
        outs = PROVIDER.update("", outs, {**props, "context": None}).outs or {}
    PROVIDER.delete("", outs)
    assert yaml.safe_load(live(api)) == yaml.safe_load(THEIRS)


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_changed_routing_takes_the_place_of_the_former_in_such_a_text(
    place: tuple[Api, Props], rewrite: Callable[[str], str]
) -> None:
    """A preview without the state would refuse it: there are receivers of the same name."""
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    write(api, rewrite(live(api)))
    news = {**props, "ours": props["ours"].replace("repeat_interval", "group_wait", 1)}
    if live(api).startswith("{"):
        with pytest.raises(NotDone, match="the text is not a mapping with one key a line"):
            PROVIDER.diff("", outs, news)
        return
    assert PROVIDER.check({**props}, news).failures == []
    assert PROVIDER.diff("", outs, news).changes
    outs = PROVIDER.update("", outs, news).outs or {}
    assert "# >>> api-performance/receivers" in live(api)
    PROVIDER.delete("", outs)
    assert yaml.safe_load(live(api)) == yaml.safe_load(THEIRS)


def test_what_was_pasted_by_hand_stays_and_is_named(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    PROVIDER.create(props)
    pasted = sorted_by_pyyaml(live(api))
    write(api, pasted)
    PROVIDER.check({}, props)
    assert "is there already without our marks: we never change or remove it" in capsys.readouterr().out
    outs = PROVIDER.create(props).outs or {}
    PROVIDER.delete("", outs)
    assert live(api) == pasted
    said = capsys.readouterr().out
    for part in ("receivers: ", "route.routes: ", "inhibit_rules: an item without a name"):
        assert f"warning: alertmanager.yml: what looks like ours stays in {part}" in said


def test_where_nothing_is_ours_a_text_that_cannot_be_read_any_more_hinders_no_destroy(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    PROVIDER.create(props)
    write(api, sorted_by_pyyaml(live(api)))
    outs = PROVIDER.create(props).outs or {}
    text = f"{live(api)}---\nroute: {{}}\n"
    write(api, text)
    PROVIDER.delete("", outs)
    assert live(api) == text
    assert "warning: it cannot be said what stays of ours: alertmanager.yml:" in capsys.readouterr().out


def test_a_receiver_of_ours_that_somebody_changed_in_such_a_text_stays_and_is_named(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    data = yaml.safe_load(live(api))
    (changed,) = (receiver for receiver in data["receivers"] if receiver["name"] == OURS)
    changed["email_configs"][0]["to"] = "somebody@example.com"
    data["route"]["routes"] = [route for route in data["route"]["routes"] if route["receiver"] != OURS]
    write(api, yaml.safe_dump(data))
    PROVIDER.delete("", outs)
    assert [receiver["name"] for receiver in yaml.safe_load(live(api))["receivers"]] == [OURS, "default", "pager"]
    said = capsys.readouterr().out
    assert f"what looks like ours stays in receivers: {OURS}; take out what is not meant to stay" in said
    assert "somebody else has taken out or changed 1 of our items in receivers" in said


def test_a_text_from_which_ours_cannot_be_taken_fails_the_destroy(place: tuple[Api, Props]) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    write(api, f"{live(api)}---\nroute: {{}}\n")
    with pytest.raises(NotDone, match="the text holds several documents, so it is not edited"):
        PROVIDER.delete("", outs)


@pytest.mark.parametrize(
    ("text", "named"), [("ours, marked", False), ("ours, unmarked", True), ("theirs", False), ("ours, whole", False)]
)
def test_receivers_that_run_on_are_named_when_all_else_has_gone(
    place: tuple[Api, Props],
    text: str,
    named: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Receivers of our part or of our whole file run for a stack in another mode, which has just been deployed."""
    api, props = place
    if text == "ours, whole":
        PROVIDER.create({**props, "editor": "replace", "ours": routing.load().text})
    elif text != "theirs":
        PROVIDER.create(props)
    running = yaml.safe_load(live(api))
    if text == "ours, unmarked":
        write(api, sorted_by_pyyaml(live(api)))
    monkeypatch.setattr(Alertmanager, "status", lambda _: SimpleNamespace(config=running))
    server = {"config_map": "alertmanager-config", "config_key": "alertmanager.yml", "url": "http://127.0.0.1:9"}
    at = Replica(Http(server["url"], name="Alertmanager"), "Alertmanager")
    check = AlertmanagerCheck({**props, "alertmanager": server, "operated": None}, at)
    assert check.still_running({"rules": {}, "routing": wanted_routing(PARTS)}) == []
    said = f"warning: receiver {OURS} still runs, as the text of Alertmanager has it without our marks"
    assert (said in capsys.readouterr().out) == named
