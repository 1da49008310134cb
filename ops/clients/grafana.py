"""A client of Grafana's HTTP API."""

import base64
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from components.settings import is_login as is_login
from components.settings import organisation_sent
from formats.json_types import JsonObject, JsonValue
from ops.clients.hints import IF_FORBIDDEN, Hints
from ops.clients.http import DEFAULT_ADVICE, Http, Params
from ops.errors import BadAnswer, Forbidden, OpsError, Refused

if TYPE_CHECKING:
    import httpx

# Unless somebody has set disable_brute_force_login_protection.
LOCKED = (
    f"{IF_FORBIDDEN}; after five wrong passwords Grafana locks a user for five minutes, and then the right one gets "
    "the same answer: wait for that time before you try another"
)
_PAGE = 1000  # rows of a search


def credentials(auth: str | None, organisation: int = 0) -> dict[str, str]:
    """The headers for a service-account token, `user:password`, or nothing (`anonymous`).

    `organisation`: as it was chosen, 0 for none.
    """
    number = organisation_sent(auth, organisation)
    named = {"X-Grafana-Org-Id": str(number)} if number else {}
    if not auth or auth == "anonymous":
        return named
    if auth and is_login(auth):
        return {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode(), **named}
    return {"Authorization": f"Bearer {auth}", **named}


def http(
    url: str, auth: str | None, organisation: int = 0, *, timeout: float = 10, advice: str = DEFAULT_ADVICE
) -> Http:
    """The HTTP of a Grafana, with its credentials; `timeout` in seconds."""
    return (_Login if is_login(auth) else Http)(
        url,
        name="Grafana",
        headers=credentials(auth, organisation),
        timeout=timeout,
        advice=advice,
        hints=Hints(unauthorized=LOCKED if is_login(auth) else IF_FORBIDDEN),
    )


class _Login(Http):
    """HTTP with a login that is refused once: a wrong password is not sent again, as that locks the user."""

    refusal: Forbidden | None = None

    def request(self, *args: Any, **more: Any) -> "httpx.Response":
        """As every other. Raises the same refusal (401) from the second time on without asking."""
        if self.refusal:
            raise self.refusal
        try:
            return super().request(*args, **more)
        except Forbidden as refused:
            if refused.status == 401:
                self.refusal = refused
            raise


@lru_cache(maxsize=8)
def at(url: str, auth: str | None, organisation: int = 0) -> "Grafana":
    """The Grafana at `url`, with a time limit of 5 s, as a preview waits for it."""
    return Grafana(http(url, auth, organisation, timeout=5))


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
                f"{self.http.name} at {self.url} answered /api/health without a database state; is the address that "
                "of a Grafana?"
            )
        return found

    def version(self) -> str:
        """Its version, such as `11.6.0`; "" where it tells that to nobody who is not logged in."""
        return str(self.health().get("version") or "")

    def organisation(self) -> tuple[int, str]:
        """The number and name of the organisation that requests go to."""
        found = self.http.get_json("/api/org")
        try:
            return int(found["id"]), str(found["name"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered /api/org without an organisation; is the address that of a "
                "Grafana?"
            ) from error

    def permitted(self) -> Collection[str] | None:
        """What these credentials may do (`dashboards:create` …); None where Grafana does not tell it (before 9)."""
        try:
            found = self.http.get_json("/api/access-control/user/permissions")
        except Refused:
            return None
        return found if isinstance(found, dict) and found else None

    def dashboard(self, uid: str) -> tuple[JsonObject, JsonObject]:
        """(model, meta) of a dashboard; meta has `folderUid`, `folderTitle`, `provisioned`, `version`."""
        found = self.http.get_json(f"/api/dashboards/uid/{uid}")
        try:
            return found["dashboard"], found["meta"]
        except (KeyError, TypeError) as error:
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered with JSON that is no dashboard; is the address that of a "
                "Grafana?"
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
        # A Grafana that does not know `folderUIDs` answers with all that it has.
        return [str(row["title"]) for row in self.search(folderUIDs=uid) if row.get("folderUid") == uid]

    def search(self, **wanted: str) -> list[JsonObject]:
        """All dashboards (`type` dash-db) and folders (dash-folder) that match, with `uid`, `title` and `folderUid`."""
        rows: list[JsonObject] = []
        while True:
            params: Params = {**wanted, "limit": _PAGE, "page": len(rows) // _PAGE + 1}
            found: list[JsonObject] = self.http.get_json("/api/search", params)
            rows += found
            if len(found) < _PAGE:
                return rows

    def manager(self, uid: str, organisation: int) -> str:
        """What manages a dashboard, such as `repo` (Git Sync); "" for nothing, or where Grafana does not tell.

        Grafana tells it since 12. `organisation`: the number of the one that it is in.
        """
        namespace = "default" if organisation <= 1 else f"org-{organisation}"
        path = f"/apis/dashboard.grafana.app/v1beta1/namespaces/{namespace}/dashboards/{uid}"
        with suppress(OpsError, AttributeError):
            annotations = (self.http.get_json(path).get("metadata") or {}).get("annotations") or {}
            return str(annotations.get("grafana.app/managedBy") or "")
        return ""

    def annotate(self, text: str, tags: Sequence[str], *, dashboard_uid: str, moment: float) -> int:
        """Mark a moment (seconds since 1970) in a dashboard, `text` being HTML; returns the annotation's number.

        Raises NotFound where there is no such dashboard, Forbidden for a viewer.
        """
        sent = {"dashboardUID": dashboard_uid, "time": int(moment * 1000), "tags": list(tags), "text": text}
        found = self.http.decode(self.http.post("/api/annotations", json=sent))
        if not isinstance(found, dict) or not isinstance(found.get("id"), int):
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered /api/annotations without a number; is the address that of a "
                "Grafana?"
            )
        return int(found["id"])

    def data_sources(self) -> list[JsonObject]:
        """Every data source. Raises Forbidden for a viewer, who may not list them."""
        found: list[JsonObject] = self.http.get_json("/api/datasources")
        return found
