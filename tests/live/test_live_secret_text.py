"""The resource that edits a text in a Secret: given back to the byte, plain and packed, whatever happens meanwhile."""

import base64
import gzip
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.live.cluster import config_map
from components.live.cluster.secret_key import KEPT
from components.live.provider import NotDone, Props
from components.live.resources import SecretTextProvider
from formats.json_types import JsonObject
from tests.live import secret_props
from tests.live.api_server import Api, serving
from tests.live.secret_props import KEY, NAME, PASSWORD, PATH, SHAPES, data, hold, raw
from tests.live.shapes import MARKS
from tests.support.our_routes import receiver_of

PROVIDER = SecretTextProvider()
THEIRS = SHAPES["everything there"]
OURS = receiver_of("APIP95LatencyCritical")
EDITORS = ("routing", "replace")


def packed(text: str, level: int = 6, name: str = "") -> bytes:
    """As others pack it: with a file name and a time, at another level than ours."""
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", level, out, mtime=1) as file:
        file.write(text.encode())
    return out.getvalue()


def text(api: Api, key: str = KEY) -> str:
    found = raw(api, key)
    return (gzip.decompress(found) if found.startswith(b"\x1f\x8b") else found).decode()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        hold(api, THEIRS.encode())
        yield api, secret_props.props(kubeconfig)


def refusal(props: Props, olds: Props | None = None) -> str:
    (failure,) = PROVIDER.check(olds or {}, props).failures
    assert failure.property == "" and "\n" not in failure.reason
    return str(failure.reason)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    editor=st.sampled_from(EDITORS),
    level=st.sampled_from([None, 0, 1, 6, 9]),
    killed=st.booleans(),
)
def test_what_is_created_is_there_and_what_was_there_comes_back_to_the_byte(
    shape: str, editor: str, level: int | None, killed: bool
) -> None:
    theirs = SHAPES[shape]
    stored = theirs.encode() if level is None else packed(theirs, level, "alertmanager.yaml")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (api, kubeconfig):
        hold(api, stored)
        before, props = data(api), secret_props.props(kubeconfig, editor)
        assert PROVIDER.check({}, props).failures == [] and data(api) == before
        outs = PROVIDER.create(props).outs or {}
        if killed:  # the write arrived, the state did not
            outs = PROVIDER.create(props).outs or {}
        assert OURS in text(api) and PASSWORD in text(api)
        assert raw(api).startswith(b"\x1f\x8b") == (level is not None)
        assert outs["before"] == theirs
        assert not PROVIDER.diff("", outs, props).changes
        PROVIDER.delete("", outs)
        assert data(api) == before
        assert api.objects[PATH]["metadata"].get("annotations") is None


@settings(max_examples=25, deadline=None)
@given(shape=st.sampled_from(sorted(SHAPES)), level=st.sampled_from([None, 1, 9]))
def test_what_others_write_meanwhile_survives(shape: str, level: int | None) -> None:
    theirs = SHAPES[shape]

    def stored(text: str) -> bytes:
        return text.encode() if level is None else packed(text, level)

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (api, kubeconfig):
        hold(api, stored(theirs))
        props = secret_props.props(kubeconfig)
        outs = PROVIDER.create(props).outs or {}
        data = api.objects[PATH]["data"]
        data[KEY] = base64.b64encode(stored("# edited\n" + text(api))).decode()
        assert not PROVIDER.diff("", outs, props).changes
        PROVIDER.delete("", outs)
        assert text(api) == "# edited\n" + theirs
        assert KEPT + KEY not in data


def test_a_packed_text_that_others_wrote_anew_is_given_back_as_they_wrote_it(place: tuple[Api, Props]) -> None:
    """GitOps takes our part out, with a text of its own: that is what stands there from then on."""
    api, props = place
    hold(api, packed(THEIRS))
    outs = PROVIDER.create(props).outs or {}
    anew = packed(f"# anew\n{THEIRS}", 1)
    api.objects[PATH]["data"][KEY] = base64.b64encode(anew).decode()
    assert PROVIDER.diff("", outs, props).changes
    outs = PROVIDER.update("", outs, props).outs or {}
    assert OURS in text(api)
    PROVIDER.delete("", outs)
    assert raw(api) == anew


def test_a_key_that_is_named_as_packed_is_edited_too(place: tuple[Api, Props]) -> None:
    api, props = place
    key = f"{KEY}.gz"
    hold(api, packed(THEIRS), key)
    before, props = data(api), {**props, "key": key}
    assert PROVIDER.check({}, props).failures == []
    done = PROVIDER.create(props)
    assert done.id == f"monitoring/{NAME}/{key}"
    assert OURS in text(api, key) and KEPT + key in data(api)
    PROVIDER.delete("", done.outs or {})
    assert data(api) == before


def test_a_plain_text_needs_nothing_beside_it(place: tuple[Api, Props]) -> None:
    api, props = place
    before = data(api)
    PROVIDER.create(props)
    assert data(api).keys() == before.keys()


def test_another_password_is_an_update_and_what_is_ours_may_change(place: tuple[Api, Props]) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    news = {**props, "password": "ü🔥 another"}
    assert PROVIDER.diff("", outs, news).changes and not PROVIDER.diff("", outs, news).replaces
    outs = PROVIDER.update("", outs, news).outs or {}
    assert "ü🔥 another" in text(api) and PASSWORD not in text(api)
    PROVIDER.delete("", outs)
    assert raw(api) == THEIRS.encode()


def test_from_a_part_of_it_to_all_of_it_and_back(place: tuple[Api, Props]) -> None:
    """The engine deletes the resource of the former editor before it makes the new one."""
    api, props = place
    hold(api, packed(THEIRS))
    before, whole = data(api), {**props, "editor": "replace", "ours": secret_props.props("", "replace")["ours"]}
    outs = PROVIDER.create(props).outs or {}
    assert PROVIDER.check(props, whole).failures == []
    PROVIDER.delete("", outs)
    outs = PROVIDER.create(whole).outs or {}
    assert PROVIDER.check(whole, props).failures == []
    PROVIDER.delete("", outs)
    assert data(api) == before


def test_somebody_faster_is_not_overwritten_and_who_never_lets_us_in_is_named(
    place: tuple[Api, Props], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, props = place
    writes = iter(range(2))

    def meanwhile() -> None:
        if next(writes, None) is not None:
            hold(api, b"# new\n" + raw(api))

    api.before_write = meanwhile
    outs = PROVIDER.create(props).outs or {}
    assert text(api).startswith("# new\n# new\n") and OURS in text(api)
    PROVIDER.delete("", outs)
    assert text(api) == "# new\n# new\n" + THEIRS

    monkeypatch.setattr(config_map, "ATTEMPTS", 2)
    api.before_write = lambda: hold(api, THEIRS.encode())
    with pytest.raises(NotDone, match=r"keeps changing monitoring/alertmanager-main/alertmanager\.yaml"):
        PROVIDER.create(props)


def test_an_answer_that_got_lost_is_no_failure(place: tuple[Api, Props]) -> None:
    api, props = place
    api.cut_answers = 1
    outs = PROVIDER.create(props).outs or {}
    assert OURS in text(api)
    PROVIDER.delete("", outs)
    assert raw(api) == THEIRS.encode()


def test_our_part_gone_is_drift_and_a_secret_gone_needs_no_taking_back(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    hold(api, THEIRS.encode())
    assert PROVIDER.diff("", outs, props).changes
    assert "our part of monitoring/alertmanager-main/alertmanager.yaml is gone" in capsys.readouterr().out
    del api.objects[PATH]
    assert PROVIDER.read("x", outs).id == ""
    PROVIDER.delete("", outs)
    assert PATH not in api.objects


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
