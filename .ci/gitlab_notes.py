#!/usr/bin/env python3
"""What a pipeline of GitLab's writes: the review into its merge request, or drift into an issue; by Python alone.

    gitlab_notes.py review FILE   one note with the text of FILE, written anew each time
    gitlab_notes.py drift FILE    one issue with the text of FILE; without the file it is closed

REVIEW_TOKEN is a project access token with the scope `api`; all else GitLab sets itself.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TIMEOUT = 30.0  # seconds
TITLE = "Drift: prod does not run as deployed"
FAILED = "**The review could not be made**, and nothing was written to the cluster. The log says why.\n"


class Failed(Exception):
    """GitLab did not do it; the message says what to do."""


class Project:
    """The project of this pipeline, in GitLab's API."""

    def __init__(self) -> None:
        try:
            self.api = os.environ["CI_API_V4_URL"]
            self.project = f"projects/{os.environ['CI_PROJECT_ID']}"
            self.token = os.environ["REVIEW_TOKEN"]
        except KeyError as error:
            raise Failed(f"{error.args[0]} is not set; docs/gitlab.md says what a pipeline needs") from None

    def call(self, method: str, path: str, sent: object = None) -> tuple[Any, str]:
        """The decoded answer, and the number of the next page or "". Raises Failed."""
        headers = {"PRIVATE-TOKEN": self.token, "Content-Type": "application/json"}
        data = None if sent is None else json.dumps(sent).encode()
        url = f"{self.api}/{path if path == 'user' else f'{self.project}/{path}'}"
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 (GitLab's own)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 (as above)
                return json.load(answer), answer.headers.get("X-Next-Page") or ""
        except urllib.error.HTTPError as error:
            raise Failed(
                f"GitLab answered {method} {path} with {error.code}; has REVIEW_TOKEN the scope api, and is it valid?"
            ) from None
        except (OSError, ValueError) as error:
            raise Failed(f"GitLab did not answer {method} {path} ({error}); run the job again") from None

    def ours(self, path: str, text: str, marker: str) -> Iterator[dict[str, Any]]:
        """The items at `path` that the token's own user wrote and whose `text` begins with the marker."""
        us, page = self.call("GET", "user")[0]["id"], "1"
        while page:
            found, page = self.call("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
            mine = (item for item in found if item["author"]["id"] == us)
            yield from (item for item in mine if str(item.get(text) or "").startswith(marker))


def review(project: Project, file: Path) -> None:
    """Write the note, or write it anew."""
    notes = f"merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"
    marker = "<!-- api-monitoring: review -->"
    text = file.read_text("utf-8") if file.is_file() else FAILED
    end = f"For commit {os.environ['CI_COMMIT_SHA']}; [the log]({os.environ['CI_PIPELINE_URL']})."
    body = {"body": f"{marker}\n{text}\n{end}\n"}
    for note in project.ours(notes, "body", marker):
        project.call("PUT", f"{notes}/{note['id']}", body)
        return
    project.call("POST", notes, body)


def drift(project: Project, file: Path) -> None:
    """Open the issue, write it anew, or close it."""
    marker, log = "<!-- api-monitoring: drift -->", os.environ["CI_PIPELINE_URL"]
    number = next((issue["iid"] for issue in project.ours("issues?state=opened", "description", marker)), None)
    if file.is_file():
        sent = {"description": f"{marker}\n{file.read_text('utf-8')}\n[The log]({log})\n"}
        if number is None:
            project.call("POST", "issues", {"title": TITLE, **sent})
        else:
            project.call("PUT", f"issues/{number}", sent)
    elif number is not None:
        project.call("POST", f"issues/{number}/notes", {"body": f"It is over: [nothing differs]({log})."})
        project.call("PUT", f"issues/{number}", {"state_event": "close"})


def main(arguments: list[str]) -> int:
    """Write what is asked for; returns the exit code."""
    kinds = {"review": review, "drift": drift}
    if len(arguments) != 2 or arguments[0] not in kinds:
        sys.stderr.write("say what to write: gitlab_notes.py review FILE, or drift FILE\n")
        return 2
    try:
        kinds[arguments[0]](Project(), Path(arguments[1]))
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
