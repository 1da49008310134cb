"""A stand-in of GitHub's comments and issues on a Unix socket, and of `gh api` where there is no `gh`.

The real `gh` reaches it by its setting `http_unix_socket`. What the stand-in of `gh` knows is what the workflows use.
"""

import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from urllib.parse import parse_qs, urlsplit

from formats.json_types import JsonObject, JsonValue

PAGE = 2  # items a page, so that a few are several pages
BOT = "github-actions[bot]"

# A stand-in of `gh api`: options as `gh` has them, one request, or one a page; `jq` is the real one.
GH = f"""#!{sys.executable}
import argparse, http.client, json, os, re, socket, subprocess, sys
parser = argparse.ArgumentParser()
parser.add_argument("api", choices=["api"])
parser.add_argument("path")
parser.add_argument("--method", default="GET")
parser.add_argument("--jq", default=".")
parser.add_argument("--field", action="append", default=[])
parser.add_argument("--silent", action="store_true")
parser.add_argument("--paginate", action="store_true")
asked = parser.parse_args()
assert os.environ["GH_TOKEN"], "gh asks for a token"
pairs = (one.split("=", 1) for one in asked.field)
sent = {{key: open(text[1:], encoding="utf-8").read() if text.startswith("@") else text for key, text in pairs}}
path = "/" + asked.path
while path:
    connection = http.client.HTTPConnection("api.github.com")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(os.environ["GITHUB_SOCKET"])
    connection.request(asked.method, path, json.dumps(sent) if sent else None)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 400:
        sys.exit(f"gh: {{json.loads(text)['message']}} (HTTP {{answer.status}})")
    if not asked.silent:
        sys.stdout.buffer.write(subprocess.run(["jq", "-r", asked.jq], input=text, stdout=-1, check=True).stdout)
    more = re.search('<https://[^/]+([^>]+)>; rel="next"', answer.headers.get("Link") or "")
    path = more[1] if more and asked.paginate else None
"""


@dataclass
class GitHub:
    """The comments of pull request 7, and the issues, of one repository; a test changes them directly."""

    repository: str = "example/monitoring"
    comments: list[JsonObject] = field(default_factory=list)
    issues: list[JsonObject] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=dict)  # issue → its comments
    unknown: list[str] = field(default_factory=list)

    def answer(self, method: str, url: str, sent: JsonObject) -> tuple[int, JsonValue]:
        """The status and body of an answer; a list is cut into pages by the server."""
        path = urlsplit(url).path.removeprefix(f"/repos/{self.repository}")
        match method, path.split("/")[1:]:
            case "GET", ["issues", "7", "comments"]:
                return 200, self.comments
            case "POST", ["issues", "7", "comments"]:
                self.comments.append({"id": 900 + len(self.comments), "user": {"login": BOT}, **sent})
                return 201, self.comments[-1]
            case "PATCH", ["issues", "comments", number]:
                return self._change(self.comments, "id", number, sent)
            case "GET", ["issues"]:
                state = parse_qs(urlsplit(url).query)["state"][0]
                return 200, [issue for issue in self.issues if issue["state"] == state]
            case "POST", ["issues"]:
                new = {"number": 40 + len(self.issues), "state": "open", "user": {"login": BOT}}
                self.issues.append({**new, **sent})
                return 201, self.issues[-1]
            case "PATCH", ["issues", number]:
                return self._change(self.issues, "number", number, sent)
            case "POST", ["issues", number, "comments"]:
                self.said.setdefault(number, []).append(sent["body"])
                return 201, {}
        self.unknown.append(f"{method} {url}")
        return 404, {"message": "Not Found"}

    def _change(self, items: list[JsonObject], key: str, number: str, sent: JsonObject) -> tuple[int, JsonValue]:
        for item in items:
            if str(item[key]) == number:
                item.update(sent)
                return 200, item
        return 404, {"message": "Not Found"}


@contextmanager
def running(folder: Path, *, real: bool) -> Iterator[tuple[GitHub, dict[str, str]]]:
    """A GitHub, and the environment in which `gh`, the real one or the stand-in of it, reaches it."""
    github = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            status, body = github.answer(self.command, self.path, sent)
            link = None
            if isinstance(body, list):
                page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
                if len(body) > page * PAGE:
                    further = re.sub(r"&page=\d+", "", self.path)
                    link = f'<https://api.github.com{further}&page={page + 1}>; rel="next"'
                body = body[(page - 1) * PAGE : page * PAGE]
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _any

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    socket = folder / "github.sock"
    programs, configuration = folder / "bin", folder / "gh"
    for made in (programs, configuration):
        made.mkdir()
    if real:
        (configuration / "config.yml").write_text(f"http_unix_socket: {socket}\n", "utf-8")
    else:
        (programs / "gh").write_text(GH, "utf-8")
        (programs / "gh").chmod(0o755)
    environment = {
        **{"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GH_TOKEN": "a-token", "GITHUB_SOCKET": str(socket)},
        **{"GH_CONFIG_DIR": str(configuration), "GH_NO_UPDATE_NOTIFIER": "1", "LC_ALL": "C.UTF-8"},
    }
    with ThreadingUnixStreamServer(str(socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield github, environment
        finally:
            server.shutdown()
            thread.join()


def has_gh() -> bool:
    """Whether the real `gh` is here."""
    return shutil.which("gh") is not None
