"""Whether what was written runs: looked at in a preview, and waited for in an `up`."""

from pulumi import dynamic

from components.live.handlers.handler import Handler
from components.live.inputs import COMPARED
from components.live.provider import Props, warn
from components.live.running import wait
from components.live.running.wanted import decode_wanted
from components.live.text.errors import EditRefused
from ops.errors import OpsError


class LiveHandler(Handler):
    """On create and update: reload, and wait until all of it runs. A failure leaves it to the next `up`."""

    compared = COMPARED

    def has_drifted(self, olds: Props, news: Props) -> bool:
        """The text is as we left it, but does it run? Somebody may have reloaded, or restarted, onto something else.

        And an `up` that failed here and was then taken back has left no trace in the state.
        """
        try:
            faults = wait.not_running(decode_wanted(news))
        except OpsError as problem:
            warn(f"could not check whether it still runs: {problem}")
            return False
        for fault in faults[:5]:
            warn(fault)
        return bool(faults)

    def create(self, props: Props) -> dynamic.CreateResult:
        wait.until_running(decode_wanted(props))
        return dynamic.CreateResult("live", props)

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        try:
            wait.until_running(decode_wanted(_news), decode_wanted(_olds))
        except EditRefused as error:
            if any(_olds.get(name) != _news.get(name) for name in self.compared):
                raise
            raise EditRefused(
                f"{error}; `pulumi up --refresh` puts back what somebody has changed in our own objects"
            ) from None
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing to take back."""
