"""A dashboard that stood under our uid before us is refused, or kept and put back."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.live.predecessor import PredecessorProvider

UID = "api-performance-baseline"
THEIRS = {"uid": UID, "title": "Theirs", "id": 7, "version": 3, "panels": []}
PROVIDER = PredecessorProvider()


class GrafanaApi:
    """The two calls of Grafana's dashboard API, over real HTTP; Grafana itself cannot be had everywhere."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.meta: dict[str, Any] = {"folderUid": "f", "folderTitle": "Team"}
        self.status = 200
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = api.stored.get(self.path.rsplit("/", 1)[1])
                body = {"dashboard": found, "meta": api.meta} if found else {"message": "Dashboard not found"}
                self._answer(api.status if found or api.status != 200 else 404, body)

            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.stored[sent["dashboard"]["uid"]] = sent["dashboard"]
                api.meta = {"folderUid": sent["folderUid"], "overwrite": sent["overwrite"]}
                self._answer(200, {"status": "success"})

            def _answer(self, status: int, body: object) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def grafana() -> Iterator[GrafanaApi]:
    api = GrafanaApi()
    yield api
    api.server.shutdown()
    api.server.server_close()


def props(grafana: GrafanaApi, *, adopt: bool) -> dict[str, Any]:
    return {"url": grafana.url, "auth": "token", "uid": UID, "adopt": adopt, "before": None}


def test_nothing_there_is_nothing_to_put_back(grafana: GrafanaApi) -> None:
    wanted = props(grafana, adopt=False)
    assert not PROVIDER.check({}, wanted).failures
    made = PROVIDER.create(wanted)
    assert made.outs is not None and made.outs["before"] == ""
    PROVIDER.delete(made.id or "", dict(made.outs))
    assert grafana.stored == {}


def test_theirs_is_refused_in_preview(grafana: GrafanaApi) -> None:
    grafana.stored[UID] = THEIRS
    (failure,) = PROVIDER.check({}, props(grafana, adopt=False)).failures or []
    assert failure.reason == (
        f"Grafana has a dashboard {UID} already ('Theirs' in 'Team'): set grafanaAdopt to true to take it over "
        "(destroy then puts it back), or delete it"
    )


def test_theirs_is_put_back_where_it_was(grafana: GrafanaApi) -> None:
    grafana.stored[UID] = THEIRS
    made = PROVIDER.create(props(grafana, adopt=True))
    assert made.outs is not None
    grafana.stored[UID] = {"uid": UID, "title": "Ours"}
    PROVIDER.delete(made.id or "", dict(made.outs))
    assert grafana.stored[UID] == {key: value for key, value in THEIRS.items() if key not in ("id", "version")}
    assert grafana.meta == {"folderUid": "f", "overwrite": True}


def test_ours_is_not_taken_for_theirs_later(grafana: GrafanaApi) -> None:
    wanted = props(grafana, adopt=False)
    grafana.stored[UID] = {"uid": UID, "title": "Ours"}
    assert not PROVIDER.check(wanted, wanted).failures


def test_a_provisioned_one_cannot_be_taken_over(grafana: GrafanaApi) -> None:
    grafana.stored[UID], grafana.meta = THEIRS, {"provisioned": True}
    (failure,) = PROVIDER.check({}, props(grafana, adopt=True)).failures or []
    assert "provisioned from a file" in failure.reason


@pytest.mark.parametrize("status", [401, 500])
def test_a_preview_passes_while_grafana_does_not_answer(
    grafana: GrafanaApi, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    grafana.status = status
    grafana.stored[UID] = THEIRS
    assert not PROVIDER.check({}, props(grafana, adopt=False)).failures
    assert "cannot be said" in capsys.readouterr().out
