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
    """`pulumi` with a temporary folder that is deleted after each command.

    The Kubernetes provider writes a kubeconfig, with its token, to a temporary file and does not delete it.
    """

    def __init__(self, engine: Engine) -> None:
        """Raises auto.InvalidVersionError where an installed `pulumi` is too old for the Automation API."""
        self.env = engine.environment
        if engine.root is None:
            super().__init__()
        else:  # `pulumi version` would write a log into ~/.pulumi, and take 0.2 s
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
        """Run a command. An interrupt is raised after the engine has ended; a terminal interrupts the engine too.

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
    """Make SIGTERM an interrupt where nothing handles it, as Python would end without deleting the folder."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
