"""A stand-in of Grafana's HTTP API, for Grafana itself cannot be had on every machine.

It keeps organisations with their folders, dashboards and the number of a folder's alert rules in memory, and answers as
Grafana's own code and documentation say that Grafana does. What it proves is the client's half: what the provider and
the program send, and what they make of the answers. That Grafana answers so is read, not measured, unless the tests run
against a live server (grafana_live.py).
"""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from werkzeug import Request, Response

from formats.json_types import JsonObject
from tests.support.grafana_organisation import Answer, Board, Folder, Organisation
from tests.support.stand_in import json_answer, stand_in, target
from tests.support.waiting import PATIENCE

TOKEN = "a-service-account-token"
VIEWER = "a-token-of-a-viewer"
LOGIN = "admin:a-password"
LOCKED_AFTER = 5  # wrong logins of one user

_WRITES = ("folders:create", "folders:write", "folders:delete", "dashboards:create", "dashboards:write")
_NEEDED = {"POST /api/folders": "folders:create", "POST /api/dashboards": "dashboards:create"}


@dataclass
class Fault:
    """Calls that begin with `call` ("POST /api/folders") are answered with `status` and these words, `times` times."""

    call: str
    status: int
    words: str
    times: int


@dataclass
class Grafana:
    """The state of one Grafana; a person changes it directly, clients through `url`.

    `version`: what it says of itself, and behaves as. `current`: the organisation that the login worked in last, which
    is also the one of the tokens, unless `owner` is another.
    """

    version: str = "12.0.0"
    organisations: dict[int, Organisation] = field(default_factory=lambda: {1: Organisation(1, "Main Org.")})
    current: int = 1
    owner: int = 1
    annotations: list[JsonObject] = field(default_factory=list)  # as they were sent
    calls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # calls that this stand-in does not know
    faults: list[Fault] = field(default_factory=list)
    url: str = ""
    wrong: dict[str, int] = field(default_factory=dict)  # user → logins with a wrong password
    held: str = ""  # a call of which the answer is withheld until `release`
    reached: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    # ── what a person does, and sees ──────────────────────────────────────────────────────────────

    @property
    def boards(self) -> MutableMapping[str, Board]:
        """The dashboards of the first organisation."""
        return self.organisations[1].boards

    @property
    def folders(self) -> MutableMapping[str, Folder]:
        """The folders of the first organisation."""
        return self.organisations[1].folders

    def organisation(self, name: str) -> Organisation:
        """A further organisation, of which the login is a member."""
        number = max(self.organisations) + 1
        self.organisations[number] = Organisation(number, name, ids=self.organisations[1].ids)
        return self.organisations[number]

    def fail(self, call: str, status: int, words: str = "", times: int = 1000) -> None:
        self.faults.append(Fault(call, status, words, times))

    def hold(self, call: str) -> None:
        """From now on this call is done, but its answer withheld: `reached` tells when, `release` lets it go."""
        self.held = call
        self.reached.clear()
        self.release.clear()

    def save(self, model: JsonObject, folder: str = "", by: str = "somebody", *, provisioned: bool = False) -> None:
        """Somebody saves a dashboard, in the browser, or (`provisioned`) by a file called after its uid."""
        with self.lock:
            more = {"provisioned": f"{model['uid']}.json"} if provisioned else {}
            self.organisations[1].save(model, folder, by, **more)

    def make_folder(self, uid: str, title: str, rules: int = 0) -> None:
        with self.lock:
            self.folders[uid] = Folder(title, self.organisations[1].next_id(), rules)

    def shown(self) -> JsonObject:
        """All that is kept, byte for byte; without the ids and versions that Grafana counts on."""
        first, *others = (
            {
                "folders": {uid: (folder.title, folder.rules) for uid, folder in one.folders.items()},
                "boards": {uid: (json.dumps(board.model), board.folder) for uid, board in one.boards.items()},
            }
            for one in self.organisations.values()
        )
        return {**first, **({"others": others} if others else {})}

    # ── what its API answers ──────────────────────────────────────────────────────────────────────

    def answer(self, method: str, url: str, body: JsonObject, authorization: str, wanted: int = 0) -> Answer:
        """`wanted`: the organisation that the client names in its header, 0 for none."""
        call = f"{method} {urlsplit(url).path}"
        with self.lock:
            self.calls.append(call)
            for fault in self.faults:
                if call.startswith(fault.call) and fault.times:
                    fault.times -= 1
                    return fault.status, {"message": fault.words}
            found = self.done(method, url, body, authorization, wanted)
        if self.held and call.startswith(self.held):
            self.reached.set()
            self.release.wait(PATIENCE)
        return found

    def done(self, method: str, url: str, body: JsonObject, authorization: str, wanted: int) -> Answer:
        """What it answers, without a fault."""
        call = f"{method} {urlsplit(url).path}"
        if call == "GET /api/health":
            return 200, {"database": "ok", "version": self.version}
        if not self._knows(authorization):
            return 401, {"message": "Invalid username or password" if "Basic" in authorization else "Invalid API key"}
        login = authorization.startswith("Basic")
        number = wanted or (self.current if login else self.owner)
        if number not in self.organisations or (not login and number != self.owner):
            return 401, {"message": "Unauthorized"}
        viewer = authorization == f"Bearer {VIEWER}"
        if viewer and method != "GET":
            needed = next((name for begin, name in _NEEDED.items() if call.startswith(begin)), "dashboards:write")
            words = f"You'll need additional permissions to perform this action. Permissions needed: {needed}"
            return 403, {"message": words}
        if call == "GET /api/access-control/user/permissions" and self._number() >= (9, 0):
            return 200, {name: ["*"] for name in ("dashboards:read", *(() if viewer else _WRITES))}
        return self._route(self.organisations[number], call, parse_qs(urlsplit(url).query), body)

    def _knows(self, authorization: str) -> bool:
        """Whether the login is right, and the user is not locked; a wrong password is counted."""
        if not authorization.startswith("Basic"):
            return authorization in (f"Bearer {TOKEN}", f"Bearer {VIEWER}")
        right = authorization == "Basic " + b64encode(LOGIN.encode()).decode()
        if self.wrong.get("admin", 0) >= LOCKED_AFTER:
            return False
        if not right:
            self.wrong["admin"] = self.wrong.get("admin", 0) + 1
        return right

    def _number(self) -> tuple[int, int]:
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    def _route(self, here: Organisation, call: str, query: dict[str, list[str]], body: JsonObject) -> Answer:
        unique_titles = self._number() < (11, 2)
        match call.split("/"):
            case ["GET ", "api", "org"]:
                return 200, {"id": here.id, "name": here.name}
            case ["POST ", "api", "folders"]:
                return here.make_folder_asked(body, unique_titles=unique_titles)
            case [method, "api", "folders", uid]:
                return here.folder_asked(method.strip(), uid, body)
            case ["POST ", "api", "dashboards", "db"]:
                return here.save_asked(body, unique_titles=unique_titles)
            case [method, "api", "dashboards", "uid", uid]:
                return here.board_asked(method.strip(), uid)
            case ["GET ", "apis", "dashboard.grafana.app", _, "namespaces", _, "dashboards", uid] if self._number() >= (
                12,
                0,
            ):
                return here.resource_asked(uid)
            case ["POST ", "api", "annotations"]:
                return self._annotate(here, body)
            case ["GET ", "api", "search"]:
                return 200, here.found(query)
            case ["GET ", "apis", *_] | ["GET ", "api", "access-control", "user", "permissions"]:
                return 404, {"message": "Not found"}
        self.unknown.append(call)
        return 404, {"message": "Not found"}

    def _annotate(self, here: Organisation, body: JsonObject) -> Answer:
        if not body.get("text"):
            return 400, {"message": "Failed to save annotation"}
        if body.get("dashboardUID") and body["dashboardUID"] not in here.boards:
            return 404, {"message": "Dashboard not found"}
        self.annotations.append(body)
        return 200, {"message": "Annotation added", "id": len(self.annotations)}


@contextmanager
def running(version: str = "12.0.0") -> Iterator[Grafana]:
    """A Grafana that is served on loopback, at its `url`."""
    with serving(Grafana(version)) as grafana:
        yield grafana


@contextmanager
def serving(grafana: Grafana) -> Iterator[Grafana]:
    """This Grafana on loopback, at its `url`."""

    def answer(request: Request) -> Response:
        sent = json.loads(request.get_data() or "{}")
        authorization = request.headers.get("Authorization", "")
        wanted = int(request.headers.get("X-Grafana-Org-Id", "0"))
        status, said = grafana.answer(request.method, target(request), sent, authorization, wanted)
        return json_answer(said, status)

    with stand_in(answer) as grafana.url:
        try:
            yield grafana
        finally:
            grafana.release.set()
