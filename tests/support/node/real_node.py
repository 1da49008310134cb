"""A real node: its control plane, kubelet, containerd and kube-proxy, in a temporary folder."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import psutil

from ops.sandbox.cluster import Cluster
from tests.support.checkout import ROOT
from tests.support.node import node_images, node_parts
from tests.support.waiting import PATIENCE, until

_NETWORK = 0x40000000  # CLONE_NEWNET


class Node:
    """A node that runs. `home` has its files and the logs of its processes."""

    def __init__(self, home: Path, supervisor: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
        self.home, self._supervisor, self._log = home, supervisor, log
        self.cluster = Cluster(home)

    def wait_ready(self) -> None:
        """Until its processes are. Raises AssertionError with why it failed."""
        ready = self.home / "ready"
        until(lambda: ready.exists() or self._supervisor.poll() is not None, self._said, 3 * PATIENCE)
        assert ready.exists(), self._said()

    def _said(self) -> str:
        self._log.seek(0)
        return f"no node is ready: {self._log.read().decode('utf-8', 'replace').strip()}"

    @contextmanager
    def network(self) -> Iterator[None]:
        """This thread, and what it starts, in the node's network: the API server and Services are reached there."""
        (unshare,) = psutil.Process(self._supervisor.pid).children()
        (first,) = unshare.children()
        with Path("/proc/self/ns/net").open() as ours, Path(f"/proc/{first.pid}/ns/net").open() as its:
            _enter(its.fileno())
            try:
                yield
            finally:
                _enter(ours.fileno())


@contextmanager
def running(images: dict[str, str]) -> Iterator[Node]:
    """A node that has images (server → name). Afterwards nothing is left of it, however this ends."""
    home = Path(tempfile.mkdtemp(prefix="node-"))
    command = [sys.executable, "-m", "tests.support.node.node_supervisor", str(home)]
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        (home / "images").mkdir()
        for number, image in enumerate(node_images.images(images)):
            node_images.write(image, home / "images" / f"{number}.tar")
        node_parts.write_configuration(home)
        # A Ctrl-C ends the tests, and they end it.
        log = stack.enter_context(tempfile.TemporaryFile())
        supervisor = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
        )
        stack.callback(supervisor.wait)
        assert supervisor.stdin is not None
        stack.callback(supervisor.stdin.close)
        node = Node(home, supervisor, log)
        node.wait_ready()
        yield node


def _enter(namespace: int) -> None:
    """os.setns is there from Python 3.12 on. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, _NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
