"""HTTP for all clients: time limits, one repeated GET, and answers turned into `ops.errors`."""

import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from formats.json_types import JsonValue
from ops.errors import (
    BadAnswer,
    Conflict,
    Elsewhere,
    Forbidden,
    NoService,
    NotFound,
    OpsError,
    Refused,
    UnknownName,
    Unreachable,
    Untrusted,
)

if TYPE_CHECKING:
    import httpx

Value = str | int | float | bool | Sequence[str]
Params = Mapping[str, Value | None]
DEFAULT_ADVICE = "is it running, and is the address right?"
IF_FORBIDDEN = "check the credentials and what they may do"


class Http:
    """One service at one address.

    `name` and `advice` go into the messages ("Prometheus at http://… did not answer within 10 s; ADVICE"), and
    `if_unauthorized` into that of a 401.
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
        if_unauthorized: str = IF_FORBIDDEN,
    ) -> None:
        import httpx  # takes 0.03 s, and the Pulumi program, which imports this module, needs no HTTP

        url = httpx.URL(base_url)
        self.name = name
        self.advice = advice
        self.if_unauthorized = if_unauthorized
        self.timeout = timeout
        self.url = str(url.copy_with(userinfo=b"")).rstrip("/")
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
            raise BadAnswer(
                f"{self.name} at {self.url} answered {response.request.url.path} with {kind} instead of JSON; "
                f"does this address belong to {self.name}?"
            ) from error

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
            raise Unreachable(f"{where} is not a valid address ({_reason(error)}); {self.advice}") from error
        except httpx.ConnectError as error:
            raise _unconnected(error)(f"{where} cannot be reached ({_reason(error)}); {self.advice}") from error
        except httpx.TransportError as error:
            raise Unreachable(f"{where} broke off the connection ({_reason(error)}); {self.advice}") from error
        if response.is_success:
            return response
        raise self._refusal(method, path, response)

    def _refusal(self, method: str, path: str, response: "httpx.Response") -> OpsError:
        """The error for an answer that is not 2xx."""
        status, words = response.status_code, _words(response)
        where = f"{self.name} at {self.url}"
        said = f"{status}: {words}" if words else f"{status} {response.reason_phrase}".strip()
        if response.is_redirect:
            return Elsewhere(
                f"{where} redirects {path} to {response.headers.get('location', '?')}; use that address, "
                "or credentials that need no login page"
            )
        if status in (401, 403):
            return Forbidden(
                f"{where} refused {method} {path} ({said}); {self.if_unauthorized if status == 401 else IF_FORBIDDEN}",
                status=status,
                words=words,
            )
        # The API server's proxy: no such Service or pod, no pod behind it, or nothing listens there.
        missing = status == 404 and words.startswith('services "')
        absent = status == 503 and ("no endpoints available" in words or "trying to reach service" in words)
        gone = status == 404 and words.startswith('pods "') and "/proxy" in self.url
        if missing or absent or gone or status in (502, 504):
            error = NoService if missing else Unreachable
            return error(f"{where} cannot be reached through a proxy ({said}); {self.advice}")
        kind = {404: NotFound, 409: Conflict, 412: Conflict}.get(status, Refused)
        return kind(f"{where} answered {method} {path} with {said}", status=status, words=words)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _without_none(values: Params | None) -> dict[str, Value] | None:
    """Without those that are None, which httpx would send as empty parameters."""
    return None if values is None else {key: value for key, value in values.items() if value is not None}


def _unconnected(error: BaseException) -> type[Unreachable]:
    """What kind of error it is that no connection could be made, by what the operating system said."""
    reason: BaseException | None = error
    while reason is not None:
        # A resolver that does not answer (EAI_AGAIN) knows nothing about the name.
        if isinstance(reason, socket.gaierror) and reason.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            return UnknownName
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Untrusted
        reason = reason.__cause__ or reason.__context__
    return Unreachable


def _reason(error: Exception) -> str:
    """The reason in an error of the transport: `Connection refused`, `certificate verify failed: …`."""
    text = str(error) or type(error).__name__
    if text.startswith("[") and "] " in text:
        text = text.split("] ", 1)[1]
    return text.rstrip(".").split(" (_ssl.c")[0]


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
