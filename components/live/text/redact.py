"""Hides secrets in live texts that errors quote: errors are shown in pull requests."""

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
    """The text with `<hidden>` for the values of keys that usually hold secrets."""
    return _IN_FLOW.sub(r"\1<hidden>", _SECRET.sub(r"\g<key><hidden>\g<end>", text))
