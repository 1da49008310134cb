"""Whether what was written runs: looked at in a preview, and waited for in an `up`."""

from pulumi import dynamic

from components.live.handlers.handler import Handler
from components.live.inputs import COMPARED
from components.live.provider import Props, warn, wrote
from components.live.running import wait
from components.live.running.deploy_silence import deploy_silence
from components.live.running.wanted import decode_wanted
from components.live.text.edit_errors import EditRefused
from formats.fingerprints import fingerprint
from ops.errors import OpsError


class LiveHandler(Handler):
    """On create and update: reload, and wait until all of it runs. After a failure the next `up` tries again."""

    compared = COMPARED

    def has_drifted(self, _olds: Props, _news: Props) -> bool:
        """Whether something of it does not run: the servers may have reloaded, or restarted, with other files since.

        The state does not tell: an `up` that failed here and was taken back leaves no trace in it.
        """
        try:
            faults = wait.not_running(decode_wanted(_news))
        except OpsError as problem:
            warn(f"could not check whether it still runs: {problem}")
            return wrote()
        for fault in faults[:5]:
            warn(fault)
        return bool(faults)

    def create(self, props: Props) -> dynamic.CreateResult:
        """Wait until all of it runs. Raises EditRefused when the time is up."""
        _until_running(props)
        return dynamic.CreateResult("live", _proved(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Wait until all of it runs, and nothing that is no longer wanted. Raises EditRefused when the time is up."""
        try:
            _until_running(_news, _olds)
        except EditRefused as error:
            if any(_olds.get(name) != _news.get(name) for name in self.compared):
                raise
            raise EditRefused(
                f"{error}; `pulumi up --refresh` puts back what somebody has changed in our own objects"
            ) from None
        return dynamic.UpdateResult(_proved(_news))

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing to take back."""


def _until_running(props: Props, olds: Props | None = None) -> None:
    """With our alerts silenced as long as that takes, and no longer, however it ends."""
    deploy_silence.begin()
    try:
        wait.until_running(decode_wanted(props), decode_wanted(olds) if olds else None)
    finally:
        deploy_silence.end()


def _proved(props: Props) -> Props:
    return {**props, "proved": fingerprint(props.get("wanted"))}
