"""Whether what was written runs: looked at in a preview, and waited for in an `up`."""

from typing import Any

from pulumi import dynamic

from components.live.inputs import COMPARED
from components.live.provider import say
from components.live.running import wait
from components.live.running.wanted import decode_wanted
from components.live.text.errors import EditRefused
from ops.errors import OpsError

Props = dict[str, Any]


class LiveHandler(dynamic.ResourceProvider):
    """On create and update: reload, and wait until all of it runs. A failure leaves it to the next `up`."""

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        if any(_olds.get(name) != _news.get(name) for name in COMPARED):
            return dynamic.DiffResult(True)
        # The text is as we left it, but does it run? Somebody may have reloaded, or restarted, onto something else;
        # and an `up` that failed here and was then taken back has left no trace in the state.
        try:
            faults = wait.not_running(decode_wanted(_news))
        except OpsError as problem:
            say(f"warning: whether it still runs cannot be said: {problem}")
            return dynamic.DiffResult(False)
        for fault in faults[:5]:
            say(f"warning: {fault}")
        return dynamic.DiffResult(bool(faults))

    def create(self, props: Props) -> dynamic.CreateResult:
        wait.until_running(decode_wanted(props))
        return dynamic.CreateResult("live", props)

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        try:
            wait.until_running(decode_wanted(_news), decode_wanted(_olds))
        except EditRefused as no:
            if any(_olds.get(name) != _news.get(name) for name in COMPARED):
                raise
            raise EditRefused(
                f"{no}; `pulumi up --refresh` puts back what somebody has changed in our own objects"
            ) from None
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing to take back."""
