"""HTTP for all clients: time limits, one repeated GET, and answers turned into `ops.errors`."""

import json
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from formats.json_types import JsonValue
from ops.clients import transport_errors
from ops.clients.hints import IF_FORBIDDEN, Hints
from ops.errors import (
    BadAnswer,
    Conflict,
    Elsewhere,
    Forbidden,
    NoService,
    NotFound,
    OpsError,
    OtherProtocol,
    Refused,
    Unauthorized,
    Unreachable,
)

if TYPE_CHECKING:
    import httpx

Value = str | int | float | bool | Sequence[str]
Params = Mapping[str, Value | None]
DEFAULT_ADVICE = "is it running, and is the address right?"


class Http:
    """One service at one address.

    `name` and `advice` go into the messages ("Prometheus at http://… did not answer within 10 s; ADVICE"), and `hints`
    into those about credentials, certificates and the like. `root`: what `base_url` begins with before a path prefix.
    `timeout` is in seconds and holds for one request. Safe to use from several threads.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        timeout: float = 10.0,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        verify: ssl.SSLContext | bool = True,
        advice: str = DEFAULT_ADVICE,
        transport: "httpx.BaseTransport | None" = None,
        proxy: str | None = None,
        server_name: str | None = None,
        hints: Hints = Hints(),  # noqa: B008 - it is frozen
        root: str | None = None,
    ) -> None:
        import httpx  # takes 0.03 s, and the Pulumi program, which imports this module, needs no HTTP

        url = httpx.URL(base_url)
        self.name = name
        self.advice = advice
        self.hints = hints
        self.timeout = timeout
        self.url = str(url.copy_with(userinfo=b"")).rstrip("/")
        self.root = root or str(url.copy_with(userinfo=b"", raw_path=b"/")).rstrip("/")
        self._extensions = {"sni_hostname": server_name} if server_name else {}
        self._client = httpx.Client(
            base_url=base_url,
            headers=headers,
            timeout=timeout,
            # A TLS context takes longer to build than a request takes, and plain HTTP needs none.
            verify=verify if url.scheme != "http" else False,
            transport=transport,
            proxy=proxy,
            trust_env=not is_loopback(url.host),  # a proxy cannot reach this machine's loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Params | None = None, *, timeout: float | None = None) -> "httpx.Response":
        """GET `path`; repeated once where the connection failed. Raises as `request`."""
        import httpx

        try:
            return self.request("GET", path, params=params, timeout=timeout)
        except Unreachable as broken:
            if isinstance(broken.__cause__, httpx.TimeoutException) or not isinstance(
                broken.__cause__, httpx.TransportError
            ):
                raise
        return self.request("GET", path, params=params, timeout=timeout)

    def get_json(self, path: str, params: Params | None = None, *, timeout: float | None = None) -> JsonValue:
        """GET `path` and decode the JSON. Raises as `request`, and BadAnswer where it is not JSON."""
        return self.decode(self.get(path, params, timeout=timeout))

    def post(
        self,
        path: str,
        *,
        params: Params | None = None,
        data: Params | None = None,
        json: object = None,
        timeout: float | None = None,
    ) -> "httpx.Response":
        """POST a form (`data`) or JSON to `path`; never repeated. Raises as `request`."""
        return self.request("POST", path, params=params, data=data, json=json, timeout=timeout)

    def decode(self, response: "httpx.Response") -> JsonValue:
        """The JSON of an answer. Raises BadAnswer where it is not JSON."""
        try:
            return response.json()
        except ValueError as error:
            kind = response.headers.get("content-type", "something without a type").split(";")[0]
            said = f"{self.name} at {self.url} answered {response.request.url.path} with {kind} instead of JSON"
            if "html" in kind and self.hints.setting:
                raise Elsewhere(f"{said}, a page for people such as a login; {self.hints.login}") from error
            raise BadAnswer(f"{said}; does this address belong to {self.name}?") from error

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        data: Params | None = None,
        json: object = None,
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> "httpx.Response":
        """One request; `timeout` in seconds, `content` a body as it is.

        Raises Unreachable without an answer, and for an answer other than 2xx Forbidden, NotFound, Conflict, Refused,
        Unreachable or BadAnswer, with the service's own message.
        """
        import httpx

        limit = self.timeout if timeout is None else timeout
        where = f"{self.name} at {self.url}"
        try:
            response = self._client.request(
                method,
                path.lstrip("/"),
                params=_without_none(params),
                data=_without_none(data),
                json=json,
                content=content,
                headers=dict(headers or {}),
                timeout=limit,
                extensions=self._extensions,
            )
        except httpx.TimeoutException as error:
            raise Unreachable(f"{where} did not answer within {limit:g} s; {self.advice}") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            reason = transport_errors.in_words(error)
            raise Unreachable(f"{where} is not a valid address ({reason}); {self.advice}") from error
        except httpx.TransportError as error:
            kind, hint = transport_errors.classify(error, self.hints)
            lacks = isinstance(error, httpx.ConnectError) or kind is not Unreachable
            what = "cannot be reached" if lacks else "broke off the connection"
            raise kind(f"{where} {what} ({transport_errors.in_words(error)}); {hint or self.advice}") from error
        if response.is_success:
            return response
        raise self._refusal(method, path, response)

    def _refusal(self, method: str, path: str, response: "httpx.Response") -> OpsError:
        """The error for an answer that is not 2xx."""
        status, words = response.status_code, _words(response)
        where = f"{self.name} at {self.url}"
        said = f"{status}: {words}" if words else f"{status} {response.reason_phrase}".strip()
        if response.is_redirect:
            location = response.headers.get("location", "?")
            hint = self._moved(path, location) or self.hints.login
            return Elsewhere(f"{where} redirects {path} to {location}; {hint}", location=location)
        if status == 401 and not _is_of_kubernetes(response):
            return Unauthorized(
                f"{where} refused {method} {path} ({said}); {self.hints.unauthorized}", status=status, words=words
            )
        if status in (401, 403):
            return Forbidden(f"{where} refused {method} {path} ({said}); {IF_FORBIDDEN}", status=status, words=words)
        if status == 400 and transport_errors.wants_tls(response.text):
            return OtherProtocol(f"{where} speaks https alone ({said}); {self.hints.wants_tls}")
        # The API server's service proxy: no such Service, no pod behind it, or nothing listens there.
        if status == 404 and words.startswith('services "'):
            return NoService(f"{where} cannot be reached through a proxy ({said}); {self.advice}")
        if status == 404 and words.startswith('pods "') and "/proxy" in self.url:
            return Unreachable(f"{where} cannot be reached through a proxy ({said}); {self.advice}")
        absent = status == 503 and ("no endpoints available" in words or "trying to reach service" in words)
        if absent or status in (502, 504):
            error, hint = transport_errors.classify_proxied(words, self.hints)
            return error(f"{where} cannot be reached through a proxy ({said}); {hint or self.advice}")
        kind = {404: NotFound, 409: Conflict, 412: Conflict}.get(status, Refused)
        return kind(f"{where} answered {method} {path} with {said}", status=status, words=words)

    def _moved(self, path: str, location: str) -> str:
        """What to do where the same path of another server is redirected to, such as that of https; "" elsewhere."""
        start, found, rest = location.partition(path)
        whole = found and start.startswith(("http://", "https://")) and "?" not in start and rest[:1] in ("", "?")
        return f"set {self.hints.setting} to {start}" if whole and self.hints.setting and not self.hints.stem else ""


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _without_none(values: Params | None) -> dict[str, Value] | None:
    """Without those that are None, which httpx would send as empty parameters."""
    return None if values is None else {key: value for key, value in values.items() if value is not None}


def _is_of_kubernetes(response: "httpx.Response") -> bool:
    """Whether the API server says it, and not what is behind its service proxy."""
    try:
        body = response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("kind") == "Status"


def _words(response: "httpx.Response") -> str:
    """The service's error message, in one line of at most 400 characters."""
    text = response.text.strip()
    try:
        body = json.loads(text)
    except ValueError:
        body = text if "<html" not in text.lower() else ""
    if isinstance(body, dict):
        body = body.get("error") or body.get("message") or text
    line = " ".join(str(body).split())
    return line if len(line) <= 400 else line[:399] + "…"
