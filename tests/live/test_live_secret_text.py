"""The resource that edits a text in a Secret: given back to the byte, plain and packed, whatever happens meanwhile."""

import base64
import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.live.cluster import config_map
from components.live.cluster.secret_key import KEPT
from components.live.provider import NotDone, Props, Provider
from components.live.resources import ConfigTextProvider, SecretTextProvider
from tests.live import secret_props
from tests.live.api_server import Api, serving
from tests.live.secret_props import KEY, NAME, PASSWORD, PATH, SHAPES, data, hold, packed, raw
from tests.support.our_routes import receiver_of

PROVIDER = SecretTextProvider()
THEIRS = SHAPES["everything there"]
OURS = receiver_of("APIP95LatencyCritical")
EDITORS = ("routing", "replace")


def text(api: Api, key: str = KEY) -> str:
    found = raw(api, key)
    return (gzip.decompress(found) if found.startswith(b"\x1f\x8b") else found).decode()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        hold(api, THEIRS.encode())
        yield api, secret_props.props(kubeconfig)


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


@pytest.mark.parametrize("secret", [True, False])
@pytest.mark.parametrize("was_packed", [True, False])
def test_somebody_takes_out_what_we_kept_and_the_state_still_knows_it(
    place: tuple[Api, Props], was_packed: bool, secret: bool
) -> None:
    api, props = place
    hold(api, packed(THEIRS) if was_packed else THEIRS.encode())
    props |= {"editor": "replace", "ours": secret_props.props("", "replace")["ours"]}
    provider: Provider = PROVIDER
    api.config_map("alertmanager-config", **{KEY: THEIRS})
    if not secret:
        del props["secret_name"]
        props["config_map"] = "alertmanager-config"
        provider = ConfigTextProvider()
    outs = provider.create(props).outs or {}
    api.objects[PATH]["data"].pop(KEPT + KEY, None)
    api.objects["/api/v1/namespaces/monitoring/configmaps/alertmanager-config"]["metadata"].pop("annotations", None)
    outs = provider.update("", outs, {**props, "ours": f"{props['ours']}# more\n"}).outs or {}
    provider.delete("", outs)
    assert (text(api) if secret else api.data("alertmanager-config")[KEY]) == THEIRS


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
