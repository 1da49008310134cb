"""HTTP servers that stand in for others, on loopback, with the logic of a test."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ssl import SSLContext

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else it prints a line for each request


class _Server(HTTPServer):
    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(0.02)  # seconds until it notices that it is to stop; usually 0.5, and tests are many


@contextmanager
def stand_in(answer: Callable[[Request], Response], tls: SSLContext | None = None) -> Iterator[str]:
    """The URL of a server at which `answer` answers every request, each in a thread; what it raises is raised here."""
    server = _Server("127.0.0.1", ssl_context=tls, threaded=True)
    server.expect_request(re.compile("")).respond_with_handler(answer)
    with server:
        yield server.url_for("").rstrip("/")
    server.check()


def json_answer(body: object, status: int = 200) -> Response:
    """An answer with `body` as JSON."""
    return Response(json.dumps(body), status, content_type="application/json")


def target(request: Request) -> str:
    """The path with its query, as the client has sent it."""
    return str(request.environ["RAW_URI"])
