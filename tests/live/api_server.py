"""Of the Kubernetes API what an edit needs, on loopback: GET and merge PATCH of objects, with resource versions.

tests/e2e holds the same code to a real API server; here it can be told to be in the way.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Api:
    """`before_write` runs before each PATCH is looked at; `forbid` names paths that answer 403."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.before_write: Callable[[], None] = lambda: None
        self.forbid: set[str] = set()
        self.dry_run = 200  # with what a patch that is only tried is answered
        self.cut_answers = 0
        self.version = 0

    def put(self, path: str, **content: Any) -> None:
        self.version += 1
        name = path.rpartition("/")[2]
        metadata = {"namespace": "monitoring", "name": name, "resourceVersion": str(self.version)}
        self.objects[path] = {"metadata": metadata, **content}

    def config_map(self, name: str, **data: str) -> None:
        self.put(f"/api/v1/namespaces/monitoring/configmaps/{name}", data=data)

    def data(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.objects[f"/api/v1/namespaces/monitoring/configmaps/{name}"]["data"]
        return found

    def patch(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.before_write()
        found = self.objects.get(path)
        if found is None:
            return 404, {"message": f"{path} not found"}
        if body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            return 409, {"message": "the object has been modified"}
        self.version += 1
        _merge(found, body)
        found["metadata"]["resourceVersion"] = str(self.version)
        return 200, found


def _merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Api, str]]:
    """The API, and the path of a kubeconfig for it."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in api.forbid:
                self.answer(403, {"message": f"{path} is forbidden"})
            elif path in api.objects:
                self.answer(200, api.objects[path])
            else:
                self.answer(404, {"message": f"{path} not found"})

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "dryRun=All" in self.path:
                status, answer = api.dry_run, {"message": "may not patch"}
            else:
                status, answer = api.patch(self.path.partition("?")[0], body)
            if status == 200 and api.cut_answers:
                api.cut_answers -= 1
                self.close_connection = True
                return
            self.answer(status, answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        f"""\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{server.server_port}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""
    )
    try:
        yield api, str(kubeconfig)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
