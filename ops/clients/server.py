"""What Prometheus and Alertmanager have in common: readiness, their own metrics, reload."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from formats.json_types import JsonValue
from ops.clients import metrics_page, path_prefix
from ops.clients.http import Http, Params
from ops.clients.tenant import unless_not_configured
from ops.errors import BadAnswer, NotFound, Refused

RELOAD_TIMEOUT = 30.0  # seconds; the limit of a reload, where the client's is shorter


class Server:
    """One server of the stack; `of_tenant`: one of Mimir's or Cortex', asked as a tenant.

    Every method raises `ops.errors` errors only.
    """

    asked_as_a_tenant: ClassVar[str]  # readiness, there, is that of all tenants
    always_there: ClassVar[str]  # what every such server answers
    usual_prefix: ClassVar[str]

    def __init__(self, http: Http, *, of_tenant: bool = False) -> None:
        self.http, self.of_tenant = http, of_tenant

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return self.http.url

    def ready(self) -> bool:
        """Whether it is ready. Raises Unreachable where nothing answers."""
        if self.of_tenant:
            with unless_not_configured():
                self.http.get(self.asked_as_a_tenant)
            return True
        try:
            with self._right_prefix():
                self.http.get("/-/ready")
        except Refused as refusal:
            if refusal.status == 503:
                return False
            raise
        return True

    def metrics(self) -> metrics_page.Exposition:
        """Its own metrics. Raises BadAnswer where it is one for many tenants."""
        if self.of_tenant:
            raise BadAnswer(f"{self.http.name} at {self.url} serves many tenants, and has no counters of one of them")
        return metrics_page.read(self.http)

    def metric(self, name: str) -> float | None:
        """The value of one of its own metrics, which has no labels; None where there is none."""
        if self.of_tenant:
            return None
        return metrics_page.value(self.http, name)

    def reload(self) -> None:
        """Make it read its files again. Raises Refused, with its own message, where it cannot."""
        self.http.post("/-/reload", timeout=max(self.http.timeout, RELOAD_TIMEOUT))

    def _json(self, path: str, params: Params | None = None, timeout: float | None = None) -> JsonValue:
        """GET `path`. Raises Elsewhere where the server is below another path prefix, which the message has."""
        with self._right_prefix():
            return self.http.get_json(path, params, timeout=timeout)

    @contextmanager
    def _right_prefix(self) -> Iterator[None]:
        """Around a question: a 404 is looked into. It may mean that a path prefix is wrong."""
        try:
            yield
        except NotFound as missing:
            if self.of_tenant:
                raise
            raise path_prefix.explained(missing, self.http, self.always_there, self.usual_prefix) from missing
