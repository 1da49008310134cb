"""What stood in Grafana under our dashboard's uid before us: refused or kept, and put back when we are taken out."""

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

from components.live.provider import Provider


class PredecessorProvider(Provider):
    def work(self) -> ResourceProvider:
        from components.live.providers.predecessor import Work

        return Work()


class Predecessor(Resource, module="monitoring", name="Predecessor"):
    """Made before our dashboard, so taken back after it. `adopt` False: a dashboard of that uid is refused."""

    made: pulumi.Output[int]

    def __init__(
        self, name: str, *, url: str, auth: str, uid: str, adopt: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"url": url, "auth": pulumi.Output.secret(auth), "uid": uid, "adopt": adopt}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["auth", "before"])
        props |= {"before": None, "made": None}
        super().__init__(PredecessorProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


__all__ = ["Predecessor", "PredecessorProvider"]
