"""The processes of the sandbox: how each is started, and when it is ready."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops import build_tools
from ops.clients.http import Http
from ops.errors import OpsError
from ops.sandbox import ports as on_loopback
from ops.sandbox.mounts import Mounts
from ops.sandbox.ports import HOST
from ops.sandbox.sandbox_errors import SandboxError

ROOT = Path(__file__).resolve().parents[2]

# Every port by name, in the order of start; no part needs a later one.
PORTS = ("application", "mail", "smtp", "alertmanager", "prometheus")


@dataclass(frozen=True)
class Part:
    """A process. `ports`: on which it listens when it is ready; `seconds`: how long that may take."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[int, ...]
    ready: Callable[[], bool]
    seconds: float = 30.0


def parts(home: Path, ports: Mapping[str, int], progress: build_tools.Progress) -> dict[str, Part]:
    """Every part of the sandbox at `home` on `ports`, by name, in the order of start; missing tools are built.

    Raises SandboxError or ToolError where a program is missing.
    """
    mounts = Mounts(home)
    url = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    inherited = environment()
    prometheus, alertmanager = (program(name, progress) for name in ("prometheus", "alertmanager"))
    made = (
        Part(
            "application",
            (sys.executable, "-m", "ops.sandbox.servers.application", "--port", str(ports["application"])),
            inherited,
            (ports["application"],),
            lambda: answers(url["application"], "/control"),
        ),
        Part(
            "mail-sink",
            (
                *(sys.executable, "-m", "ops.sandbox.servers.mail_sink"),
                *("--smtp-port", str(ports["smtp"]), "--http-port", str(ports["mail"])),
                *("--certificate", str(home / "tls" / "server.pem"), "--password-file", str(mounts.smtp_password)),
            ),
            inherited,
            (ports["mail"], ports["smtp"]),
            lambda: answers(url["mail"], "/control") and on_loopback.answers(ports["smtp"]),
        ),
        Part(
            "alertmanager",
            (
                str(alertmanager),
                f"--config.file={mounts.alertmanager_config}",
                f"--storage.path={home / 'data' / 'alertmanager'}",
                f"--web.listen-address={HOST}:{ports['alertmanager']}",
                f"--web.external-url={url['alertmanager']}",
                "--cluster.listen-address=",
            ),
            # It trusts the sandbox's authority only, so TLS to other servers fails.
            {**inherited, "SSL_CERT_FILE": str(home / "tls" / "ca.pem"), "SSL_CERT_DIR": str(home / "tls")},
            (ports["alertmanager"],),
            lambda: answers(url["alertmanager"], "/-/ready"),
        ),
        Part(
            "prometheus",
            (
                str(prometheus),
                f"--config.file={mounts.prometheus_config}",
                f"--storage.tsdb.path={home / 'data' / 'prometheus'}",
                "--storage.tsdb.retention.time=30d",
                *_flags_since(prometheus, (3, 9), "--storage.tsdb.block-reload-interval=1s"),
                "--scrape.discovery-reload-interval=1s",
                f"--web.listen-address={HOST}:{ports['prometheus']}",
                f"--web.external-url={url['prometheus']}",
                "--web.enable-lifecycle",
                "--web.enable-admin-api",  # a snapshot, for a past that is written anew
                "--rules.alert.for-grace-period=0s",  # the age of an alert lasts over a restart, whatever its `for`
            ),
            inherited,
            (ports["prometheus"],),
            lambda: answers(url["prometheus"], "/-/ready"),
            60.0,
        ),
    )
    return {part.name: part for part in made}


def program(name: str, progress: build_tools.Progress) -> Path:
    """The pinned server, or the one that $SANDBOX_PROMETHEUS or $SANDBOX_ALERTMANAGER names, of whatever version.

    Raises SandboxError where that one does not run, ToolError where the pinned one cannot be built.
    """
    variable = f"SANDBOX_{name.upper()}"
    if not (own := os.environ.get(variable)):
        return build_tools.path(name, progress)
    if not Path(own).is_file() or build_tools.run_version(Path(own), "--version") is None:
        raise SandboxError(f"{variable} is {own}, but no {name} runs from there; name another program, or unset it")
    return Path(own).absolute()


def _flags_since(server: Path, since: tuple[int, int], *flags: str) -> tuple[str, ...]:
    """The flags where the server has them, from version `since` on: it does not start with unknown flags."""
    version = build_tools.run_version(server, "--version")
    return flags if version is not None and version >= since else ()


def answers(url: str, path: str) -> bool:
    """Whether `url` answers `path` with success."""
    try:
        with Http(url, name=url, timeout=2.0) as http:
            http.get(path)
    except OpsError:
        return False
    return True


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: ours without proxies, which cannot reach loopback, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "GOMEMLIMIT": "400MiB", **more}
