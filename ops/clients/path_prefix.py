"""Where a server with a path prefix (--web.route-prefix) is, when it answers 404 at the address of the settings."""

from collections.abc import Iterator

from ops.clients.http import Http
from ops.errors import BadAnswer, Elsewhere, NotFound, OpsError, Refused

TIMEOUT = 3.0  # seconds, for each attempt
_AGENT = 422  # what a Prometheus in agent mode answers to a query


def find(http: Http, path: str, usual: str) -> str | None:
    """The path prefix below which the server of `http` answers `path`; None where none is found.

    Tried are where its pages redirect to, the `usual` prefix, and no prefix. The one that it is asked by is returned
    if `path` is there: something else was missing.
    """
    own = http.url.removeprefix(http.root)
    tried = set()
    for prefix in (own, *_candidates(http, own), usual, ""):
        if prefix not in tried and _answers(http, f"{http.root}{prefix}{path}"):
            return prefix
        tried.add(prefix)
    return None


def _answers(http: Http, url: str) -> bool:
    try:
        http.get_json(url, timeout=TIMEOUT)
    except Refused as refusal:
        return refusal.status == _AGENT
    except OpsError:
        return False
    return True


def _candidates(http: Http, own: str) -> Iterator[str]:
    """By the pages `/` below the prefix and without it: each path on the way to where they redirect."""
    for page in dict.fromkeys((f"{http.root}{own}/", f"{http.root}/")):
        path = _redirected(http, page)
        while path:
            yield path
            path = path.rpartition("/")[0]


def _redirected(http: Http, page: str) -> str:
    """The path, below the root, that a page redirects to; "" where it does not, or to another server."""
    import httpx  # see ops.clients.http

    try:
        http.get(page, timeout=TIMEOUT)
    except Elsewhere as elsewhere:
        try:
            target = str(httpx.URL(page).join(elsewhere.location).copy_with(query=None, fragment=None))
        except httpx.InvalidURL:
            return ""
        return target.removeprefix(http.root).rstrip("/") if target.startswith(f"{http.root}/") else ""
    except OpsError:
        return ""
    return ""


def explained(missing: NotFound, http: Http, path: str, usual: str) -> NotFound | BadAnswer:
    """What a 404 is: `missing` itself where `path` is there, else the sentence that names the setting."""
    setting, stem = http.hints.setting, http.hints.stem or http.root
    if not setting:
        return missing
    prefix = find(http, path, usual)
    if prefix is not None and f"{http.root}{prefix}" == http.url:
        return missing
    where = f"{http.name} at {http.url} has no API there (404)"
    if prefix is None:
        with_prefix = f"with its path prefix (--web.route-prefix), as {stem}/PREFIX"
        return Elsewhere(f"{where}: set {setting} to that of {http.name}, {with_prefix}")
    there = f"below {prefix}" if prefix else "without a path prefix"
    return Elsewhere(f"{where}, but {there}: set {setting} to {stem}{prefix}")
