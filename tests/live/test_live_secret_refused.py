"""Of a text in a Secret: bad input, and who else writes the Secret, each in one sentence before anything is written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.provider import NotDone, Props
from components.live.resources import SecretTextProvider
from formats.json_types import JsonObject
from tests.live import secret_props
from tests.live.api_server import Api, serving
from tests.live.secret_props import KEY, PATH, SHAPES, hold, packed
from tests.live.shapes import MARKS

PROVIDER = SecretTextProvider()
THEIRS = SHAPES["everything there"]
EDITORS = ("routing", "replace")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        hold(api, THEIRS.encode())
        yield api, secret_props.props(kubeconfig)


def refusal(props: Props, olds: Props | None = None) -> str:
    (failure,) = PROVIDER.check(olds or {}, props).failures
    assert failure.property == "" and "\n" not in failure.reason
    return str(failure.reason)


def test_a_preview_that_may_not_read_secrets_warns_and_an_up_fails(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    api.forbid = {PATH}
    assert PROVIDER.check({}, props).failures == []
    assert not PROVIDER.diff("", outs, props).changes
    assert PROVIDER.diff("", outs, {**props, "password": "another"}).changes
    assert PROVIDER.read("x", outs).outs == outs
    assert "warning: what stands in the Secret was not looked at" in capsys.readouterr().out
    with pytest.raises(NotDone, match="403"):
        PROVIDER.create(props)


@pytest.mark.parametrize(
    ("stored", "key", "said"),
    [
        (None, KEY, "Secret monitoring/alertmanager-main is not there: is alertmanagerSecret in the stack file right?"),
        (b"x", "other", "has no key alertmanager.yaml; it holds other, team.tmpl"),
        (b"\x1f\x8bbroken", KEY, "begins as gzip does, and cannot be unpacked"),
        (packed(THEIRS)[:-9], KEY, "begins as gzip does, and cannot be unpacked"),
        (b"\xff\xfe", KEY, "is no text (UTF-8); is alertmanagerSecretKey right?"),
        (b"groups: []\n", KEY, "the text is no Alertmanager configuration"),
        (b"route: {receiver: x}\n", KEY, "has no receivers, so it is no Alertmanager configuration"),
        (b"", KEY, "the text is no Alertmanager configuration"),
        (b"a: [\n", KEY, "line 2: the text cannot be edited, as it is not one plain YAML document"),
    ],
)
@pytest.mark.parametrize("editor", EDITORS)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    place: tuple[Api, Props], stored: bytes | None, key: str, said: str, editor: str
) -> None:
    api, props = place
    if stored is None:
        del api.objects[PATH]
    else:
        hold(api, stored, key)
    before = json.dumps(api.objects)
    props |= {"editor": editor, "ours": secret_props.props("", editor)["ours"]}
    assert said in refusal(props)
    with pytest.raises(NotDone) as refused:
        PROVIDER.create(props)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert json.dumps(api.objects) == before


def test_what_is_not_packed_and_named_so_and_what_is_not_base64(place: tuple[Api, Props]) -> None:
    api, props = place
    hold(api, THEIRS.encode(), f"{KEY}.gz")
    assert "is not gzip, as its name says" in refusal({**props, "key": f"{KEY}.gz"})
    api.put(PATH, data={KEY: "%%%"})
    assert "is not base64, so it is no Secret's data" in refusal(props)


def test_an_immutable_secret_is_refused(place: tuple[Api, Props]) -> None:
    api, props = place
    hold(api, THEIRS.encode(), immutable=True)
    assert refusal(props).startswith("Secret monitoring/alertmanager-main has `immutable: true`")


@pytest.mark.parametrize("who", [name for name in MARKS if name != "by hand"])
def test_a_tool_that_would_undo_it_is_named(
    place: tuple[Api, Props], who: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    api.objects[PATH]["metadata"] |= MARKS[who]
    assert PROVIDER.check({}, props).failures == []
    said = capsys.readouterr().out
    assert "Secret monitoring/alertmanager-main" in said and "ConfigMap" not in said.replace("docs/", "")


def test_a_controller_that_makes_the_secret_is_named(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    owner: JsonObject = {"kind": "ExternalSecret", "name": "alerting", "controller": True}
    api.objects[PATH]["metadata"]["ownerReferences"] = [owner]
    assert PROVIDER.check({}, props).failures == []
    assert "Secret monitoring/alertmanager-main is made by ExternalSecret alerting, which" in capsys.readouterr().out
