"""What one organisation of the stand-in of Grafana keeps, and which saves it refuses.

Before 11.2 no two dashboards of a folder, and no two folders, have one title. Where `overwrite` is set, a dashboard
that has the title is replaced, whatever its uid. Folders and dashboards have their uids from one space.
"""

import copy
from dataclasses import dataclass, field

from formats.json_types import JsonObject, JsonValue

Answer = tuple[int, JsonValue]


@dataclass
class Board:
    """A dashboard: the model as it was sent, and what Grafana adds to it.

    `provisioned`: the file that it is provisioned from. `manager`: what manages it, as {"kind": "repo", "id": "r"}.
    """

    model: JsonObject
    folder: str  # its uid, "" for General
    id: int
    version: int
    by: str
    provisioned: str = ""
    manager: JsonObject = field(default_factory=dict)
    stored: str = "v1beta1"  # the version of the schema that it is stored in


@dataclass
class Folder:
    title: str
    id: int
    rules: int = 0  # alert rules that somebody keeps in it


@dataclass
class Organisation:
    """Its dashboards and folders, by their uids. `ids` counts through all organisations, as in a database."""

    id: int
    name: str
    boards: dict[str, Board] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    ids: list[int] = field(default_factory=lambda: [0])

    def next_id(self) -> int:
        self.ids[0] += 1
        return self.ids[0]

    def save(self, model: JsonObject, folder: str, by: str, **more: object) -> Board:
        """Without a question asked: as a new dashboard, or as a new version of the one of that uid."""
        was = self.boards.get(model["uid"])
        number, version = (was.id, was.version + 1) if was else (self.next_id(), 1)
        board = Board(copy.deepcopy(model), folder, number, version, by, **more)  # type: ignore[arg-type]
        self.boards[model["uid"]] = board
        return board

    def save_asked(self, body: JsonObject, *, unique_titles: bool) -> Answer:
        """POST /api/dashboards/db."""
        model, folder, overwrite = dict(body["dashboard"]), body.get("folderUid", ""), body.get("overwrite")
        number, version = model.get("id"), model.get("version", 0)
        if model["uid"] in self.folders:
            return 400, {"message": "Dashboard cannot be changed to a folder"}
        if number and number not in {board.id for board in self.boards.values()}:
            return 404, {"status": "not-found", "message": "Dashboard not found"}
        if folder and folder not in self.folders:
            return 400, {"message": "folder not found"}
        was = self.boards.get(model["uid"])
        if was and was.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if was and was.manager:
            return 403, {"message": f"this resource is managed by {was.manager['kind']}"}
        if was and not overwrite and version != was.version:
            return 412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
        if unique_titles:
            if model["title"] in {other.title for other in self.folders.values()}:
                return 400, {"status": "name-match", "message": "Dashboard name cannot be the same as folder"}
            for uid, other in self.boards.items():
                if uid != model["uid"] and (other.folder, other.model["title"]) == (folder, model["title"]):
                    if not overwrite:
                        words = "A dashboard with the same name in the folder already exists"
                        return 412, {"status": "name-exists", "message": words}
                    model["uid"] = uid  # theirs is the one that is replaced
                    break
        board = self.save({key: value for key, value in model.items() if key not in ("id", "version")}, folder, "us")
        return 200, {"status": "success", "id": board.id, "uid": model["uid"], "version": board.version, "slug": "x"}

    def make_folder_asked(self, body: JsonObject, *, unique_titles: bool) -> Answer:
        """POST /api/folders."""
        uid, title = body["uid"], body["title"]
        if uid in self.folders or uid in self.boards:
            return 409, {"message": "a folder/dashboard with the same uid already exists"}
        if unique_titles and title in {folder.title for folder in self.folders.values()}:
            return 409, {"message": "a folder with the same name already exists in the current location"}
        if unique_titles and title in {board.model["title"] for board in self.boards.values() if not board.folder}:
            return 400, {"message": "Folder name cannot be the same as one of its dashboards"}
        self.folders[uid] = Folder(title, self.next_id())
        return self.folder_asked("GET", uid, {})

    def folder_asked(self, method: str, uid: str, body: JsonObject) -> Answer:
        """GET, PUT and DELETE /api/folders/UID."""
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

    def board_asked(self, method: str, uid: str) -> Answer:
        """GET and DELETE /api/dashboards/uid/UID."""
        if uid in self.folders:
            folder = self.folders[uid]
            model = {"id": folder.id, "uid": uid, "title": folder.title, "version": 1}
            return 200, {"dashboard": model, "meta": {"isFolder": True, "folderUid": "", "folderTitle": "General"}}
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        board = self.boards[uid]
        if method == "DELETE":
            if board.provisioned:
                return 400, {"message": "provisioned dashboard cannot be deleted"}
            del self.boards[uid]
            return 200, {"title": board.model["title"], "message": "Dashboard deleted", "id": board.id}
        if board.stored.startswith("v2"):
            url = f"/apis/dashboard.grafana.app/{board.stored}/namespaces/default/dashboards/{uid}"
            return 406, {"message": f"dashboard api version not supported, use {url} instead"}
        title = self.folders[board.folder].title if board.folder else "General"
        meta = {"folderUid": board.folder, "folderTitle": title, "provisioned": bool(board.provisioned)}
        meta |= {"provisionedExternalId": board.provisioned, "version": board.version, "updatedBy": board.by}
        counted = {"id": board.id, "version": board.version}
        return 200, {"dashboard": {**board.model, **counted}, "meta": {**meta, "url": f"/d/{uid}/x"}}

    def resource_asked(self, uid: str) -> Answer:
        """GET /apis/dashboard.grafana.app/VERSION/namespaces/NAMESPACE/dashboards/UID."""
        if uid not in self.boards:
            return 404, {"kind": "Status", "message": f"dashboards.dashboard.grafana.app {uid!r} not found"}
        manager = self.boards[uid].manager
        annotations = (
            {"grafana.app/managedBy": manager["kind"], "grafana.app/managerId": manager["id"]} if manager else {}
        )
        return 200, {"metadata": {"name": uid, "annotations": annotations}}

    def found(self, query: dict[str, list[str]]) -> JsonValue:
        """GET /api/search."""
        rows: list[JsonObject] = [
            {"uid": uid, "title": folder.title, "type": "dash-folder", "url": f"/dashboards/f/{uid}/x"}
            for uid, folder in self.folders.items()
        ]
        for uid, board in self.boards.items():
            row: JsonObject = {"uid": uid, "title": board.model["title"], "type": "dash-db", "url": f"/d/{uid}/x"}
            if board.folder:
                row |= {"folderUid": board.folder, "folderTitle": self.folders[board.folder].title}
            rows.append(row)
        if kinds := query.get("type"):
            rows = [row for row in rows if row["type"] in kinds]
        if folders := query.get("folderUIDs"):
            rows = [row for row in rows if row.get("folderUid") in folders]
        if words := query.get("query"):
            rows = [row for row in rows if words[0].lower() in row["title"].lower()]
        if uids := query.get("dashboardUIDs"):
            rows = [row for row in rows if row["uid"] in uids and row["type"] == "dash-db"]
        limit, page = int(query.get("limit", ["1000"])[0]), int(query.get("page", ["1"])[0])
        return rows[limit * (page - 1) : limit * page]
