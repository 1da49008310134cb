"""A client of Grafana's HTTP API."""

import base64
from collections.abc import Mapping, Sequence

from formats.json_types import JsonObject, JsonValue
from ops.clients.http import Http
from ops.errors import BadAnswer


def credentials(auth: str | None) -> dict[str, str]:
    """The header for a service-account token, `user:password`, or nothing (`anonymous`)."""
    if not auth or auth == "anonymous":
        return {}
    if ":" in auth:
        return {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()}
    return {"Authorization": f"Bearer {auth}"}


def at(url: str, auth: str | None) -> "Grafana":
    """The Grafana at `url`, with a time limit of 5 s, as a preview waits for it."""
    return Grafana(Http(url, name="Grafana", headers=credentials(auth), timeout=5))


class Grafana:
    """One Grafana. Every method raises `ops.errors` errors only."""

    def __init__(self, http: Http) -> None:
        self.http = http

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return self.http.url

    def health(self) -> Mapping[str, JsonValue]:
        """`{"database": "ok", "version": …}`; needs no credentials."""
        found = self.http.get_json("/api/health")
        if not isinstance(found, dict) or "database" not in found:
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered /api/health without a database state; "
                "is the address that of a Grafana?"
            )
        return found

    def dashboard(self, uid: str) -> tuple[JsonObject, JsonObject]:
        """(model, meta) of a dashboard; meta has `folderUid`, `folderTitle`, `provisioned`, `version`."""
        found = self.http.get_json(f"/api/dashboards/uid/{uid}")
        try:
            return found["dashboard"], found["meta"]
        except (KeyError, TypeError) as error:
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered with JSON that is no dashboard; "
                "is the address that of a Grafana?"
            ) from error

    def save_dashboard(self, model: Mapping[str, object], *, folder_uid: str) -> None:
        """Save a dashboard under its uid, replacing one of that uid; an empty `folder_uid` is the folder General."""
        fresh = {key: value for key, value in model.items() if key not in ("id", "version")}
        answer = {"dashboard": fresh, "folderUid": folder_uid, "overwrite": True}
        self.http.post("/api/dashboards/db", json=answer)

    def delete_dashboard(self, uid: str) -> None:
        """Delete a dashboard, with its history and permissions."""
        self.http.request("DELETE", f"/api/dashboards/uid/{uid}")

    def folder(self, uid: str) -> JsonObject:
        """A folder by its uid. Raises NotFound where there is none."""
        found: JsonObject = self.http.get_json(f"/api/folders/{uid}")
        return found

    def make_folder(self, uid: str, title: str) -> None:
        """Create a folder. Raises Conflict where there is one of that uid."""
        self.http.post("/api/folders", json={"uid": uid, "title": title})

    def rename_folder(self, uid: str, title: str) -> None:
        """Give a folder another title."""
        self.http.request("PUT", f"/api/folders/{uid}", json={"title": title, "overwrite": True})

    def delete_folder(self, uid: str) -> None:
        """Delete a folder *and the dashboards in it*; Grafana refuses (400) one that holds alert rules."""
        self.http.request("DELETE", f"/api/folders/{uid}")

    def inside(self, uid: str) -> list[str]:
        """The titles of the dashboards and folders in a folder."""
        return [str(found["title"]) for found in self.http.get_json("/api/search", {"folderUIDs": uid})]

    def annotate(self, text: str, tags: Sequence[str], *, dashboard_uid: str, moment: float) -> int:
        """Mark a moment (seconds since 1970) in a dashboard, `text` being HTML; returns the annotation's number.

        Raises NotFound where there is no such dashboard, Forbidden for a viewer.
        """
        sent = {"dashboardUID": dashboard_uid, "time": int(moment * 1000), "tags": list(tags), "text": text}
        found = self.http.decode(self.http.post("/api/annotations", json=sent))
        if not isinstance(found, dict) or not isinstance(found.get("id"), int):
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered /api/annotations without a number; "
                "is the address that of a Grafana?"
            )
        return int(found["id"])

    def data_sources(self) -> list[JsonObject]:
        """Every data source. Raises Forbidden for a viewer, who may not list them."""
        found: list[JsonObject] = self.http.get_json("/api/datasources")
        return found
