"""A kubeconfig as a setting or variable holds it: a path, or the contents."""

import base64


def contents(given: str) -> str | None:
    """The contents, where they were given: YAML, JSON, also in one line, or base64 of these. None for a path."""
    text = given.strip()
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except ValueError:
        decoded = ""
    if "clusters" in decoded:
        return decoded
    return given if "\n" in text or text.startswith("{") else None


def looks_like_path(given: str) -> bool:
    """Whether it can be shown: anything else may be a token or contents that were cut off."""
    return given.startswith(("/", "~", "./", "../")) and "\n" not in given
