"""A stand-in of Grafana's HTTP API, for Grafana itself cannot be had on every machine.

It keeps folders, dashboards and the number of a folder's alert rules in memory, and answers as Grafana's own code and
documentation say that Grafana does. What it proves is the client's half: what the provider and the program send, and
what they make of the answers. That Grafana answers so is read, not measured.
"""

import copy
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from werkzeug import Request, Response

from formats.json_types import JsonObject, JsonValue
from tests.support.stand_in import json_answer, stand_in, target
from tests.support.waiting import PATIENCE

TOKEN = "a-service-account-token"
LOGIN = "admin:a-password"

Answer = tuple[int, JsonValue]


@dataclass
class Fault:
    """Calls that begin with `call` ("POST /api/folders") are answered with `status` and these words, `times` times."""

    call: str
    status: int
    words: str
    times: int


@dataclass
class Board:
    """A dashboard: the model as it was sent, and what Grafana adds to it."""

    model: JsonObject
    folder: str  # its uid, "" for General
    id: int
    version: int
    by: str
    provisioned: bool = False


@dataclass
class Folder:
    title: str
    id: int
    rules: int = 0  # alert rules that somebody keeps in it


@dataclass
class Grafana:
    """The state of one Grafana; a person changes it directly, clients through `url`."""

    boards: dict[str, Board] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    annotations: list[JsonObject] = field(default_factory=list)  # as they were sent
    calls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # calls that this stand-in does not know
    faults: list[Fault] = field(default_factory=list)
    url: str = ""
    ids: int = 0
    held: str = ""  # a call of which the answer is withheld until `release`
    reached: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    # ── what a person does, and sees ──────────────────────────────────────────────────────────────

    def fail(self, call: str, status: int, words: str = "", times: int = 1000) -> None:
        self.faults.append(Fault(call, status, words, times))

    def hold(self, call: str) -> None:
        """From now on this call is done, but its answer withheld: `reached` tells when, `release` lets it go."""
        self.held = call
        self.reached.clear()
        self.release.clear()

    def save(self, model: JsonObject, folder: str = "", by: str = "somebody", provisioned: bool = False) -> None:
        """Somebody saves a dashboard, in the browser."""
        with self.lock:
            was = self.boards.get(model["uid"])
            self.ids += 1
            number, version = (was.id, was.version + 1) if was else (self.ids, 1)
            self.boards[model["uid"]] = Board(copy.deepcopy(model), folder, number, version, by, provisioned)

    def make_folder(self, uid: str, title: str, rules: int = 0) -> None:
        with self.lock:
            self.ids += 1
            self.folders[uid] = Folder(title, self.ids, rules)

    def shown(self) -> JsonObject:
        """All that is kept, byte for byte; without the ids and versions that Grafana counts on."""
        return {
            "folders": {uid: (folder.title, folder.rules) for uid, folder in self.folders.items()},
            "boards": {uid: (json.dumps(board.model), board.folder) for uid, board in self.boards.items()},
        }

    # ── what its API answers ──────────────────────────────────────────────────────────────────────

    def answer(self, method: str, url: str, body: JsonObject, authorization: str) -> Answer:
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        call = f"{method} {path}"
        with self.lock:
            self.calls.append(call)
            for fault in self.faults:
                if call.startswith(fault.call) and fault.times:
                    fault.times -= 1
                    return fault.status, {"message": fault.words}
            if call == "GET /api/health":
                return 200, {"database": "ok", "version": "12.0.0"}
            if authorization not in (f"Bearer {TOKEN}", "Basic " + b64encode(LOGIN.encode()).decode()):
                return 401, {"message": "Invalid API key"}
            found = self._route(call, query, body)
        if self.held and call.startswith(self.held):
            self.reached.set()
            self.release.wait(PATIENCE)
        return found

    def _route(self, call: str, query: dict[str, list[str]], body: JsonObject) -> Answer:
        match call.split("/"):
            case ["GET ", "api", "org"]:
                return 200, {"id": 1, "name": "Main Org."}
            case ["POST ", "api", "folders"]:
                return self._create_folder(body)
            case [method, "api", "folders", uid]:
                return self._folder(method.strip(), uid, body)
            case ["POST ", "api", "dashboards", "db"]:
                return self._save(body)
            case [method, "api", "dashboards", "uid", uid]:
                return self._board(method.strip(), uid)
            case ["POST ", "api", "annotations"]:
                return self._annotate(body)
            case ["GET ", "api", "search"]:
                inside = [(uid, board) for uid, board in self.boards.items() if board.folder in query["folderUIDs"]]
                return 200, [{"uid": uid, "title": board.model["title"], "type": "dash-db"} for uid, board in inside]
        self.unknown.append(call)
        return 404, {"message": "Not found"}

    def _create_folder(self, body: JsonObject) -> Answer:
        uid = body["uid"]
        if uid in self.folders:
            return 409, {"message": "a folder/dashboard with the same uid already exists"}
        self.make_folder(uid, body["title"])
        return self._folder("GET", uid, {})

    def _folder(self, method: str, uid: str, body: JsonObject) -> Answer:
        if uid not in self.folders:
            return 404, {"status": "not-found", "message": "folder not found"}
        folder = self.folders[uid]
        if method == "DELETE":
            if folder.rules:
                return 400, {"message": "folder cannot be deleted: folder contains alert rules"}
            self.boards = {name: board for name, board in self.boards.items() if board.folder != uid}
            del self.folders[uid]
            return 200, {"message": "Folder deleted", "id": folder.id}
        if method == "PUT":
            if not body.get("overwrite"):
                return 412, {"status": "version-mismatch", "message": "the folder has been changed by someone else"}
            folder.title = body["title"]
        return 200, {"id": folder.id, "uid": uid, "title": folder.title, "url": f"/dashboards/f/{uid}", "version": 1}

    def _save(self, body: JsonObject) -> Answer:
        model, folder = body["dashboard"], body.get("folderUid", "")
        number, version = model.get("id"), model.get("version", 0)
        was = self.boards.get(model["uid"])
        if number and number not in {board.id for board in self.boards.values()}:
            return 404, {"status": "not-found", "message": "Dashboard not found"}
        if folder and folder not in self.folders:
            return 400, {"message": "folder not found"}
        if was and was.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if was and not body.get("overwrite") and version != was.version:
            return 412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
        self.save({key: value for key, value in model.items() if key not in ("id", "version")}, folder, by="us")
        board = self.boards[model["uid"]]
        return 200, {"status": "success", "id": board.id, "uid": model["uid"], "version": board.version, "slug": "x"}

    def _annotate(self, body: JsonObject) -> Answer:
        if not body.get("text"):
            return 400, {"message": "Failed to save annotation"}
        if body.get("dashboardUID") and body["dashboardUID"] not in self.boards:
            return 404, {"message": "Dashboard not found"}
        self.annotations.append(body)
        return 200, {"message": "Annotation added", "id": len(self.annotations)}

    def _board(self, method: str, uid: str) -> Answer:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        board = self.boards[uid]
        if method == "DELETE":
            if board.provisioned:
                return 400, {"message": "provisioned dashboard cannot be deleted"}
            del self.boards[uid]
            return 200, {"title": board.model["title"], "message": "Dashboard deleted", "id": board.id}
        title = self.folders[board.folder].title if board.folder else "General"
        meta = {"folderUid": board.folder, "folderTitle": title, "provisioned": board.provisioned}
        counted = {"id": board.id, "version": board.version}
        meta = {**meta, "version": board.version, "updatedBy": board.by, "url": f"/d/{uid}/x"}
        return 200, {"dashboard": {**board.model, **counted}, "meta": meta}


@contextmanager
def running() -> Iterator[Grafana]:
    """A Grafana that is served on loopback, at its `url`."""
    grafana = Grafana()

    def answer(request: Request) -> Response:
        sent = json.loads(request.get_data() or "{}")
        authorization = request.headers.get("Authorization", "")
        status, said = grafana.answer(request.method, target(request), sent, authorization)
        return json_answer(said, status)

    with stand_in(answer) as grafana.url:
        try:
            yield grafana
        finally:
            grafana.release.set()
