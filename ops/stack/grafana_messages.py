"""Errors of the Grafana provider as sentences: it prints the HTTP call and JSON."""

import json
import re

_WRAPPED = re.compile(r"sdk-v2/\S+: sdk\.helper_schema: (.*): provider=grafana@\S+")
_ANSWERED = re.compile(r"\[([A-Z]+) (/\S*)\](?:\[(\d{3})\]\s*\w+| \w+ \(status (\d{3})\):)\s*&?(\{.*\})?")
_NOT_REACHED = re.compile(
    r'(?:Get|Post|Put|Delete) "(https?://[^"]*?)/api/(?:dashboards|folders|search)\S*": .*?([^:]+)$'
)

_ADVICE = {
    "401": (
        "check the credentials and what they may do; a user is locked for five minutes after five wrong passwords, and "
        "then the right one gets the same answer"
    ),
    "403": "check the credentials and what they may do",
    "404": "it was deleted or created again: run `pulumi up --refresh`",
    "412": "it was changed meanwhile: run `pulumi up` again",
}
_LATER = "read its log, and run `pulumi up` again"


def readable(line: str) -> str:
    """A line of the engine's output as a sentence; unchanged where it is not about Grafana."""
    if found := _WRAPPED.fullmatch(line):  # the same message with a place in the provider's code
        line = found[1]
    if found := _ANSWERED.search(line):
        method, path, listed, other, body = found.groups()
        status = listed or other
        words = _words(body or "")
        said = f"{status}: {words}" if words else f"{status} (its provider does not pass on what Grafana said)"
        return f"Grafana answered {method} /api{path} with {said}; {_ADVICE.get(status, _LATER)}"
    if found := _NOT_REACHED.search(line):
        return f"Grafana at {found[1]} cannot be reached ({found[2].strip()}); is it running, and is grafanaUrl right?"
    return line


def _words(body: str) -> str:
    """Grafana's own, from the JSON of its answer, or from the way in which Go prints it."""
    try:
        return str(json.loads(body).get("message") or "")
    except ValueError:
        found = re.search(r'\bmessage"?:\s*"((?:[^"\\]|\\.)*)"', body, re.IGNORECASE)
        return found[1] if found else ""
