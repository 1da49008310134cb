"""What Prometheus and Alertmanager have in common: readiness, their own metrics, reload."""

from ops.clients import metrics_page
from ops.clients.http import Http
from ops.errors import Refused

RELOAD_TIMEOUT = 30.0  # seconds; the limit of a reload, where the client's is shorter


class Server:
    """One server of the stack. Every method raises `ops.errors` errors only."""

    def __init__(self, http: Http) -> None:
        self.http = http

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return self.http.url

    def ready(self) -> bool:
        """Whether it is ready. Raises Unreachable where nothing answers."""
        try:
            self.http.get("/-/ready")
        except Refused as refusal:
            if refusal.status == 503:
                return False
            raise
        return True

    def metrics(self) -> metrics_page.Exposition:
        """Its own metrics."""
        return metrics_page.read(self.http)

    def metric(self, name: str) -> float | None:
        """The value of one of its own metrics, which has no labels; None where there is none."""
        return metrics_page.value(self.http, name)

    def reload(self) -> None:
        """Make it read its files again. Raises Refused, with its own message, where it cannot."""
        self.http.post("/-/reload", timeout=max(self.http.timeout, RELOAD_TIMEOUT))
