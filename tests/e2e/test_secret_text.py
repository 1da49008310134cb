"""alertmanagerMode secret: Alertmanager's text in a Secret, plain and packed, mounted by hand or the operator's."""

import base64
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

import routing
import rules
from components.settings import SECRETS
from formats.json_types import JsonObject
from ops import targets
from ops.checks.every_check import run_checks
from ops.sandbox.cluster import NAMESPACE
from tests.e2e import operated
from tests.e2e.operated import Operated
from tests.e2e.rig import Rig
from tests.e2e.test_killed import killed
from tests.support.waiting import until

NAME = "alertmanager-main"
MARKER = "m4rk3r-0f-a-secret"
RECEIVERS = {str(receiver["name"]) for receiver in routing.load().parts(None).receivers}
THEIRS = {"default", "billing", "chat"}
CHAT = f"""\
receivers:
  - name: 'chat'   # {MARKER}
    webhook_configs:
      - url: 'http://team:{MARKER}@127.0.0.1:9/'
"""


class Kept:
    """A Secret of others with Alertmanager's text under `key`, in a cluster."""

    def __init__(self, rig: Rig, name: str, key: str) -> None:
        self.rig, self.name, self.key = rig, name, key
        self._path = f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}"

    def data(self) -> dict[str, str]:
        found: dict[str, str] = self.rig.cluster.http.get_json(self._path)["data"]
        return found

    def text(self) -> str:
        raw = base64.b64decode(self.data()[self.key])
        return (gzip.decompress(raw) if self.key.endswith(".gz") else raw).decode()

    def write(self, text: str) -> None:
        """Somebody else writes it, packed in another way than we do."""
        raw = gzip.compress(text.encode(), 3, mtime=7) if self.key.endswith(".gz") else text.encode()
        headers = {"Content-Type": "application/merge-patch+json"}
        body = {"data": {self.key: base64.b64encode(raw).decode()}}
        self.rig.cluster.http.request("PATCH", self._path, json=body, headers=headers)

    def nothing_is_seen(self) -> None:
        """In what the engine printed, previews with their differences included, and in the state."""
        password = str(self.rig.sandbox.mounts.smtp_password.read_text("utf-8"))
        kept = [path.read_text("utf-8", errors="replace") for path in self.rig.state_files()]
        assert kept
        for secret in (MARKER, password, base64.b64encode(MARKER.encode()).decode()):
            assert not [text for text in ("".join(self.rig.said), *kept) if secret in text]


@pytest.fixture(params=["alertmanager.yaml", "alertmanager.yaml.gz"], ids=["plain", "packed"])
def kept(rig: Rig, request: pytest.FixtureRequest) -> Kept:
    return mounted(rig, request.param)


def mounted(rig: Rig, key: str) -> Kept:
    """The hand-made stack, whose Alertmanager reads a Secret in the place of the ConfigMap."""
    found = Kept(rig, NAME, key)
    metadata = {"name": NAME, "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    others = {"team.tmpl": base64.b64encode(b'{{ define "team" }}{{ end }}').decode()}
    rig.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": others})
    found.write(theirs(rig))

    def mounts(pod: JsonObject) -> None:
        file = found.key.replace(".yaml", ".yml")
        for volume in pod["volumes"]:
            if volume["name"] == "config":
                del volume["configMap"]
                volume["secret"] = {"secretName": NAME, "items": [{"key": found.key, "path": file}]}

    rig.alter("alertmanager", mounts)
    rig.settle()
    until(lambda: rig.receivers() == THEIRS)
    configure(found)
    return found


def theirs(rig: Rig) -> str:
    text = rig.text("alertmanager-config", "alertmanager.yml")
    assert "receivers:\n" in text
    return text.replace("receivers:\n", CHAT, 1)


def settings(kept: Kept, **more: object) -> dict[str, object]:
    return {
        **{"alertmanagerMode": "secret", "alertmanagerSecret": kept.name, "alertmanagerSecretKey": kept.key},
        "smtpPassword": kept.rig.sandbox.mounts.smtp_password.read_text("utf-8"),
        **more,
    }


def configure(kept: Kept, **more: object) -> None:
    kept.rig.configure(**settings(kept, **more))


def test_from_preview_to_destroy_byte_for_byte(kept: Kept) -> None:
    rig = kept.rig
    before = rig.objects()
    planned = rig.preview()
    assert rig.objects() == before, "a preview writes nothing"
    assert f"Helm wrote Secret monitoring/{NAME}" in "".join(rig.said)
    kept.nothing_is_seen()

    assert rig.up() == planned
    kept.nothing_is_seen()
    assert rig.receivers() == RECEIVERS | THEIRS
    assert {*rules.alerts(), *rules.recordings()} <= rig.rules()
    now = iter(kept.text().splitlines())
    assert all(line in now for line in theirs(rig).splitlines()), "a line of theirs was lost, moved or altered"
    assert rig.preview() == {}
    assert rig.preview(refresh=True) == {}, "".join(rig.said)
    kept.nothing_is_seen()

    rig.destroy()
    assert rig.objects() == before
    assert rig.receivers() == THEIRS
    kept.nothing_is_seen()


def test_what_others_write_meanwhile_stays_and_ours_is_put_back(kept: Kept) -> None:
    rig = kept.rig
    rig.up()
    kept.write("# edited\n" + kept.text().replace("name: 'chat'", "name: 'late'"))
    until(lambda: "late" in edited(rig))
    assert rig.preview() == {}, "what they write beside ours is theirs"

    anew = "# edited\n" + theirs(rig).replace("name: 'chat'", "name: 'late'")
    kept.write(anew)  # as a tool does that keeps it in Git
    last = kept.data()[kept.key]
    assert rig.preview() == {"update": 1}
    assert f"our part of monitoring/{NAME}/{kept.key} is gone or was changed" in "".join(rig.said)
    rig.up()
    assert RECEIVERS | {"late"} <= rig.receivers()
    kept.nothing_is_seen()
    rig.destroy()
    assert kept.data()[kept.key] == last, "packed as they packed it"
    assert kept.text() == anew and kept.data().keys() == {kept.key, "team.tmpl"}


def edited(rig: Rig) -> set[str]:
    rig.sandbox.alertmanager.reload()
    return rig.receivers()


def test_all_of_it_is_ours_killed_and_then_a_part_of_it_again(kept: Kept) -> None:
    rig = kept.rig
    before, first = rig.objects(), kept.data()
    configure(kept, alertmanagerReplace=True)
    killed(rig, lambda: kept.data() != first)
    rig.up()
    assert rig.receivers() & THEIRS <= RECEIVERS | {"default"} and "chat" not in rig.receivers()
    assert rig.preview(refresh=True) == {}
    kept.nothing_is_seen()
    configure(kept)
    rig.up()
    assert rig.receivers() == RECEIVERS | THEIRS
    kept.nothing_is_seen()
    rig.destroy()
    assert rig.objects() == before


def test_killed_after_the_write_the_bytes_come_back_all_the_same(kept: Kept) -> None:
    before, first = kept.rig.objects(), kept.data()
    killed(kept.rig, lambda: kept.data() != first)
    kept.rig.up()
    assert kept.rig.preview() == {}
    kept.rig.destroy()
    assert kept.rig.objects() == before


def test_verify_finds_it_in_order(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.rig.up()
    given = {**kept.rig.usual, **settings(kept)}
    plain = {f"api-monitoring:{key}": value for key, value in given.items() if key not in SECRETS}
    (tmp_path / "Pulumi.held.yaml").write_text(yaml.safe_dump({"config": plain}), "utf-8")
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    found = {check.name: check for check in run_checks(targets.load("held")).checks}
    for name in ("alertmanager", "routing/reload", "routing/receivers", "routing/inhibitions", "routing/paths"):
        assert found[name].status == "pass", found[name]
    assert MARKER not in str(found)


def test_bad_input_is_one_sentence_and_nothing_is_written(kept: Kept) -> None:
    rig = kept.rig
    whole = theirs(rig)
    for text, words in (
        (f'{whole}key: "{MARKER}\n', "the text cannot be edited, as it is not one plain YAML document"),
        (f"{whole}key: *{MARKER}\n", "the text is no Alertmanager configuration that can be read"),
        (f"route: {{receiver: {MARKER}}}\n", "has no receivers, so it is no Alertmanager configuration"),
    ):
        kept.write(text)
        before = rig.objects()
        said = rig.refused(rig.preview)
        assert words in said and MARKER not in said
        assert rig.objects() == before
        kept.nothing_is_seen()
    kept.write(whole)
    for more, words in (
        ({"alertmanagerSecret": "nobodys"}, "Secret monitoring/nobodys is not there: is alertmanagerSecret in the"),
        ({"alertmanagerSecretKey": "none.yaml"}, f"has no key none.yaml; it holds {kept.key}, team.tmpl"),
    ):
        configure(kept, **more)
        assert words in rig.refused(rig.preview)


# ── the real operator, whose Alertmanager object reads the Secret ─────────────────────────────────────────────────


@pytest.fixture
def read(operator: Operated) -> Iterator[Kept]:
    with read_by(operator) as found:
        yield found


@contextmanager
def read_by(operator: Operated) -> Iterator[Kept]:
    """The Secret that the operator's Alertmanager object names, with a secret of others in it."""
    found = Kept(operator.rig, str(operated.ALERTING["configSecret"]), "alertmanager.yaml")
    found.write(theirs(operator.rig))
    until(lambda: operator.rig.receivers() == THEIRS)
    reload: dict[str, object] = {"alertmanagerReload": "sidecar"}
    operated.configure(operator.rig, **settings(found), **reload)
    yield found
    operator.rig.destroy()
    found.write(operator.rig.text("alertmanager-config", "alertmanager.yml"))
    until(lambda: operator.rig.receivers() == THEIRS - {"chat"})


def test_the_operator_makes_it_what_runs(operator: Operated, read: Kept) -> None:
    rig = operator.rig
    before = rig.objects()
    planned = rig.preview()
    assert rig.objects() == before
    assert rig.up() == planned
    assert rig.receivers() == RECEIVERS | THEIRS
    assert not operator.names("alertmanagerconfigs"), "rules by the operator, routing by the Secret"
    assert rig.preview() == {}
    assert rig.preview(refresh=True) == {}, "".join(rig.said)
    read.nothing_is_seen()

    last = "# edited\n" + read.text()
    read.write(last)
    assert rig.preview() == {}
    rig.destroy()
    assert read.text() == "# edited\n" + theirs(rig)
    assert rig.receivers() == THEIRS
    read.write(theirs(rig))
    assert rig.objects() == before


def test_an_alertmanager_config_beside_it_stays_as_it_is(operator: Operated, read: Kept) -> None:
    """One of others: the operator puts its routes before ours, and neither is in the way of the other."""
    rig = read.rig
    spec = {"route": {"receiver": "theirs"}, "receivers": [{"name": "theirs"}]}
    beside = {**operated.manifest(spec), "metadata": {"name": "beside", "labels": operated.SELECTED}}
    operator.make("alertmanagerconfigs", beside)
    try:
        until(lambda: "monitoring/beside/theirs" in rig.receivers())
        before = operator.get("alertmanagerconfigs", "beside")["spec"]
        rig.up()
        assert rig.receivers() == RECEIVERS | THEIRS | {"monitoring/beside/theirs"}
        assert rig.preview() == {}
        rig.destroy()
        assert operator.get("alertmanagerconfigs", "beside")["spec"] == before
        assert rig.receivers() == THEIRS | {"monitoring/beside/theirs"}
    finally:
        operator.delete("alertmanagerconfigs", "beside")


def test_the_generated_secret_is_refused_with_the_name_of_the_right_one(operator: Operated, read: Kept) -> None:
    rig = operator.rig
    generated = f"alertmanager-{operated.ALERTMANAGER}-generated"
    wrong = {**settings(read), "alertmanagerSecret": generated, "alertmanagerSecretKey": "alertmanager.yaml.gz"}
    operated.configure(rig, **wrong, alertmanagerReload="sidecar")
    said = rig.refused(rig.preview)
    assert f"Secret monitoring/{generated} is made by the Prometheus Operator" in said
    assert f"set alertmanagerSecret to {read.name}" in said
    operated.configure(rig, **{**wrong, "alertmanagerSecret": "alertmanager-smtp"}, alertmanagerReload="sidecar")
    assert "has no key alertmanager.yaml.gz; it holds password" in rig.refused(rig.preview)
