"""A small HTTP server with JSON on loopback, for the simulated parts of the sandbox."""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from formats.json_types import JsonValue
from ops.sandbox.ports import HOST


class BadRequest(ValueError):
    """The request is wrong; the message is the answer."""


# Takes the decoded body (None without one) and the Accept header; answers (status, content type, body).
Answer = tuple[int, str, bytes]
Route = Callable[[JsonValue, str], Answer]


def as_json(value: object, status: int = 200) -> Answer:
    """An answer with `value` as its JSON."""
    return status, "application/json", json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def serve(port: int, routes: Mapping[tuple[str, str], Route]) -> None:
    """Answer on `port` until the process ends. `routes`: (method, path) → what answers it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            path = self.path.partition("?")[0]
            route = routes.get(("GET" if self.command == "HEAD" else self.command, path))
            try:
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                if route is None:
                    raise LookupError(f"there is no {self.command} {path} here")
                status, kind, body = route(json.loads(text) if text else None, self.headers.get("Accept", "*/*"))
            except LookupError as error:
                status, kind, body = as_json({"error": str(error)}, 404)
            except ValueError as error:  # BadRequest, or a body that is not JSON
                status, kind, body = as_json({"error": str(error)}, 400)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_DELETE = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Log no requests, only errors."""

    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer((HOST, port), Handler) as server:
        server.serve_forever(poll_interval=0.2)
