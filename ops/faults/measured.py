"""On what a page of docs/ was measured."""

import os
import platform
from datetime import UTC, datetime

from ops.build_tools import find, run_version


def on(speed: float) -> str:
    """The day, the versions, the machine, and a clock `speed` times as fast: a sentence without a full stop."""
    versions = [f"{name.capitalize()} {_version(name)}" for name in ("prometheus", "alertmanager")]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {', '.join(versions)}, Python {platform.python_version()}, "
        f"{os.cpu_count()} processors, a clock {speed:g} times as fast"
    )


def _version(name: str) -> str:
    program = find(name)
    version = run_version(program, "--version") if program is not None else None
    return ".".join(map(str, version)) if version else "of unknown version"
