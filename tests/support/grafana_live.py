"""A live Grafana for the tests, in the place of the stand-in: an empty one, of which nothing is needed afterwards.

Named by the environment: GRAFANA_E2E_URL, and GRAFANA_E2E_AUTH (`user:password` or a token, of an editor at least).
Clients reach it through a server of the test's, which can withhold answers and give faults as the stand-in does.
"""

import json
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from formats.json_types import JsonObject
from ops.clients import grafana as client
from ops.clients.http import Http
from ops.errors import NotFound, Refused
from tests.support.grafana_organisation import Answer, Board, Folder
from tests.support.grafana_stand_in import LOGIN, TOKEN, Grafana, running, serving

# What the tests of Grafana are run with.
WAYS = ("stand-in", "live") if os.environ.get("GRAFANA_E2E_URL") else ("stand-in",)


@contextmanager
def grafana_of(way: str) -> Iterator[Grafana]:
    """The stand-in, or the live one; the test is skipped where the environment names none."""
    if way == "stand-in":
        with running() as grafana:
            yield grafana
        return
    url, auth = os.environ.get("GRAFANA_E2E_URL"), os.environ.get("GRAFANA_E2E_AUTH")
    if not (url and auth):
        pytest.skip("no live Grafana: GRAFANA_E2E_URL and GRAFANA_E2E_AUTH name none")
    with serving(LiveGrafana(url, auth)) as grafana:
        if left := [*grafana.boards, *grafana.folders]:
            pytest.fail(f"{url} has {', '.join(left)}: the tests need a Grafana without dashboards", pytrace=False)
        try:
            yield grafana
        finally:
            for uid in [*grafana.boards]:
                del grafana.boards[uid]
            for uid in [*grafana.folders]:
                del grafana.folders[uid]


class LiveGrafana(Grafana):
    """What a person does and sees goes to the live one directly, what clients ask is handed on to it."""

    def __init__(self, url: str, auth: str) -> None:
        super().__init__()
        self.real = client.Grafana(client.http(url, auth))
        self.auth = auth
        self.version = self.real.version()

    @property
    def boards(self) -> MutableMapping[str, Board]:
        """Its dashboards, as they are now."""
        return _Boards(self.real)

    @property
    def folders(self) -> MutableMapping[str, Folder]:
        """Its folders, as they are now."""
        return _Folders(self.real)

    def save(self, model: JsonObject, folder: str = "", by: str = "somebody", *, provisioned: bool = False) -> None:  # noqa: ARG002
        """Somebody saves a dashboard; none can be provisioned from here."""
        if provisioned:
            pytest.skip("nobody can provision a file in a live Grafana from outside")
        self.real.save_dashboard(model, folder_uid=folder)

    def make_folder(self, uid: str, title: str, rules: int = 0) -> None:  # noqa: ARG002
        """Without the alert rules, which take a data source."""
        self.real.make_folder(uid, title)

    def shown(self) -> JsonObject:
        """All that it has; the order in which it lists it says nothing."""
        return {
            "folders": {uid: (folder.title, 0) for uid, folder in sorted(self.folders.items())},
            "boards": {
                uid: (json.dumps(board.model, sort_keys=True), board.folder)
                for uid, board in sorted(self.boards.items())
            },
        }

    def done(self, method: str, url: str, body: JsonObject, authorization: str, wanted: int) -> Answer:
        """What the live one answers; the credentials of the tests become those that it knows."""
        known = (f"Bearer {TOKEN}", client.credentials(LOGIN)["Authorization"])
        headers = client.credentials(self.auth) if authorization in known else {"Authorization": authorization}
        if wanted:
            headers["X-Grafana-Org-Id"] = str(wanted)
        bare = Http(self.real.url, name="Grafana", headers=headers)
        parts = urlsplit(url)
        try:
            answer = bare.request(
                method, f"{parts.path}?{parts.query}" if parts.query else parts.path, json=body or None
            )
        except Refused as refused:
            return refused.status, {"message": refused.words}
        finally:
            bare.close()
        return answer.status_code, answer.json()


class _Boards(MutableMapping[str, Board]):
    def __init__(self, real: client.Grafana) -> None:
        self.real = real

    def __getitem__(self, uid: str) -> Board:
        try:
            model, meta = self.real.dashboard(uid)
        except NotFound:
            raise KeyError(uid) from None
        if meta.get("isFolder"):
            raise KeyError(uid)
        bare = {key: value for key, value in model.items() if key not in ("id", "version")}
        by = str(meta.get("updatedBy") or "")
        return Board(bare, str(meta.get("folderUid") or ""), int(model["id"]), int(model["version"]), by)

    def __iter__(self) -> Iterator[str]:
        return iter([str(row["uid"]) for row in self.real.search(type="dash-db")])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, uid: str, board: Board) -> None:
        self.real.save_dashboard(board.model, folder_uid=board.folder)

    def __delitem__(self, uid: str) -> None:
        try:
            self.real.delete_dashboard(uid)
        except NotFound:
            return  # it has gone with its folder


class _Folders(MutableMapping[str, Folder]):
    def __init__(self, real: client.Grafana) -> None:
        self.real = real

    def __getitem__(self, uid: str) -> Folder:
        try:
            return _LiveFolder(self.real, uid, self.real.folder(uid))
        except NotFound:
            raise KeyError(uid) from None

    def __iter__(self) -> Iterator[str]:
        return iter([str(row["uid"]) for row in self.real.search(type="dash-folder")])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, uid: str, folder: Folder) -> None:
        self.real.make_folder(uid, folder.title)

    def __delitem__(self, uid: str) -> None:
        self.real.delete_folder(uid)


class _LiveFolder(Folder):
    """A folder that is given another title in Grafana where a test gives it one."""

    def __init__(self, real: client.Grafana, uid: str, found: JsonObject) -> None:
        super().__init__(str(found["title"]), int(found["id"]))
        self._real, self._uid = real, uid

    def __setattr__(self, name: str, value: object) -> None:
        if "_uid" in vars(self):
            if name != "title":
                pytest.skip(f"nobody sets {name} of a folder in a live Grafana from outside")
            self._real.rename_folder(self._uid, str(value))
        super().__setattr__(name, value)
