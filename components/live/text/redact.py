"""Secrets out of what is shown: live texts are quoted in errors, and errors go to pull requests."""

import re

_SECRET = re.compile(
    r"""^(?P<key>[-+ \t]*(?:-[ \t]+)*["']?[\w.-]*(?:password|secret|token|credential|api_key|routing_key|service_key"""
    r"""|url|authorization)["']?[ \t]*:[ \t]*)(?P<value>[^\s#|>].*?)(?P<end>[ \t]*\r?)$""",
    re.MULTILINE | re.IGNORECASE,
)
_IN_FLOW = re.compile(
    r"""(["']?\w*(?:password|secret|token|credential|api_key|routing_key|service_key|url)["']?[ \t]*:[ \t]*)"""
    r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}"']+)""",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """The text with the values of keys that are secrets as a rule replaced."""
    return _IN_FLOW.sub(r"\1<hidden>", _SECRET.sub(r"\g<key><hidden>\g<end>", text))
