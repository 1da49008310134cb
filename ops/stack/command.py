"""The `pulumi` executable, each command with a temporary folder of its own."""

import contextlib
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pulumi import automation as auto
from semver import VersionInfo

from ops.build_tools import catalog
from ops.build_tools.pulumi import Engine


class Pulumi(auto.PulumiCommand):
    """`pulumi`, leaving nothing in the temporary folder, however a command ends.

    The Kubernetes provider copies a kubeconfig that it is given, token included, into a temporary file, and leaves it.
    """

    def __init__(self, engine: Engine) -> None:
        """Raises auto.InvalidVersionError where a person's own is too old for the Automation API."""
        self.env = engine.environment
        if engine.root is None:
            super().__init__()
        else:  # to ask it for its version would write a log into ~/.pulumi, and take 0.2 s
            self.command = str(engine.root / "bin" / "pulumi")
            self.version = VersionInfo.parse(catalog.PULUMI_VERSION)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """Run a command; an interrupt is raised once the engine has ended, which in a terminal is interrupted as well.

        Raises what PulumiCommand.run raises.
        """
        with (
            tempfile.TemporaryDirectory(prefix="pulumi-", ignore_cleanup_errors=True) as own,
            _interrupted_by_sigterm(),
            ThreadPoolExecutor(1, thread_name_prefix="pulumi") as alone,
        ):
            env = {**self.env, **additional_env, "TMPDIR": own}
            return alone.submit(super().run, args, cwd, env, on_output, on_error).result()


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM becomes an interrupt, unless somebody handles it: Python would end with nothing removed."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
