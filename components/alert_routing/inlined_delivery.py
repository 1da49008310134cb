"""What the ways of delivery share in which the mail relay's password stands in Alertmanager's text itself."""

from abc import abstractmethod

from components.alert_routing.routing_delivery import RoutingDelivery
from routing import Parts
from routing.inline_password import HIDDEN


class InlinedDelivery(RoutingDelivery):
    """Our part in a text of others, or all of it, with the password in the text, and no Secret of ours."""

    def parts(self) -> Parts:
        """Our parts, the password hidden; with `alertmanagerOtherRoutes: continue` others get our alerts too."""
        return self._parts(HIDDEN)

    def whole_config(self) -> str | None:
        """Our alertmanager.yml with this stack's mail settings, the password hidden, if it is to replace theirs."""
        return self._whole(HIDDEN) if self.settings.alertmanager_replace else None

    def own_paths(self) -> list[str]:
        """None: no Secret is made."""
        return []

    def written(self, password: str) -> tuple[str, str]:
        """The editor and what it is given, with `password` in it. Raises SettingsError."""
        if self.settings.alertmanager_replace:
            return "replace", self._whole(password)
        return "routing", self._parts(password).as_json()

    def _parts(self, password: str) -> Parts:
        found = self.routing.parts(self.smtp)
        found = found.continuing() if self.settings.other_routes == "continue" else found
        return self._with_password(found, password)

    @abstractmethod
    def _with_password(self, parts: Parts, password: str) -> Parts:
        """The parts, with `password` for each mail that has a file for it. Raises SettingsError, RoutingError."""

    @abstractmethod
    def _whole(self, password: str) -> str:
        """Our whole text with `password`. Raises SettingsError."""
