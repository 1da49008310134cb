"""What Prometheus and Alertmanager have in common: readiness, their own metrics, and reading their files again."""

from ops.clients import metrics_page
from ops.clients.http import Http
from ops.errors import Refused

RELOAD_TIMEOUT = 30.0  # seconds that reading the files again may take at least


class Server:
    """One server of the stack. Every method raises `ops.errors` errors and nothing else."""

    def __init__(self, http: Http) -> None:
        self.http = http

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        return self.http.url

    def ready(self) -> bool:
        """Whether it says that it is ready to serve; Unreachable when nothing answers."""
        try:
            self.http.get("/-/ready")
        except Refused as refusal:
            if refusal.status == 503:
                return False
            raise
        return True

    def metrics(self) -> metrics_page.Exposition:
        """What it says about itself."""
        return metrics_page.read(self.http)

    def metric(self, name: str) -> float | None:
        """The value of one metric of its own, which has no labels; None when there is none."""
        return metrics_page.value(self.http, name)

    def reload(self) -> None:
        """Ask it to read its files again; Refused with its own words when it cannot."""
        self.http.post("/-/reload", timeout=max(self.http.timeout, RELOAD_TIMEOUT))
