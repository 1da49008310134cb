"""The folder in which our dashboard stands: made where there is none, shared where others have it already.

Not the provider's `Folder`: that one cannot take up what a killed `up` has made, nor leave what others have put in it
(docs/adr/0009-what-stands-in-grafana.md).
"""

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

from components.live.provider import Provider


class DashboardFolderProvider(Provider):
    def work(self) -> ResourceProvider:
        from components.live.providers.dashboard_folder import Work

        return Work()


class DashboardFolder(Resource, module="monitoring", name="DashboardFolder"):
    """A folder by its `uid`; `title` is that of one that we make."""

    uid: pulumi.Output[str]

    def __init__(
        self, name: str, *, url: str, auth: str, uid: str, title: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"url": url, "auth": pulumi.Output.secret(auth), "uid": uid, "title": title, "ours": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["auth"])
        super().__init__(DashboardFolderProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


__all__ = ["DashboardFolder", "DashboardFolderProvider"]
