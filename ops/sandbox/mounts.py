"""The folders that stand for the pods' mounts: the files from ConfigMaps that the servers read.

    HOME/mnt/prometheus/etc/prometheus/prometheus.yml              ConfigMap prometheus-config
    HOME/mnt/prometheus/etc/prometheus/rules/*.yml                 ConfigMap prometheus-rules
    HOME/mnt/alertmanager/etc/alertmanager/alertmanager.yml        ConfigMap alertmanager-config
    HOME/mnt/alertmanager/etc/alertmanager/smtp/password           the Secret that others mounted

The servers run outside of any container, so a path such as /etc/prometheus/rules in a text is written as the folder
that stands for it, as is one below /etc/config, where a chart mounts all of it. The rest of a text is not changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.sandbox.loopback import refuse_beyond_loopback

PROMETHEUS, ALERTMANAGER = "prometheus", "alertmanager"
_PATHS = {server: re.compile(rf"(?<![\w./-])/etc/(?:{server}|config)(?=/)") for server in (PROMETHEUS, ALERTMANAGER)}


@dataclass(frozen=True)
class Mounts:
    """The mounts of one sandbox."""

    home: Path

    def folder(self, server: str, path: str = "") -> Path:
        """The folder (or file) that stands for /etc/SERVER/`path`, or for an absolute `path`, in that server's pod."""
        inside = path if path.startswith("/") else f"/etc/{server}/{path}"
        return self.home / "mnt" / server / inside.strip("/")

    @property
    def prometheus_config(self) -> Path:
        """Prometheus' configuration."""
        return self.folder(PROMETHEUS, "prometheus.yml")

    @property
    def rules(self) -> Path:
        """The folder of Prometheus' rule files."""
        return self.folder(PROMETHEUS, "rules")

    @property
    def alertmanager_config(self) -> Path:
        """Alertmanager's configuration."""
        return self.folder(ALERTMANAGER, "alertmanager.yml")

    @property
    def smtp_password(self) -> Path:
        """The file with the mail relay's password."""
        return self.folder(ALERTMANAGER, "smtp/password")

    def translate(self, server: str, text: str) -> str:
        """`text` with the pod's paths replaced by the folders that stand for them."""
        return _PATHS[server].sub(lambda found: str(self.folder(server, found[0])), text)

    def write(self, server: str, path: str, data: Mapping[str, str], *, only: bool = False) -> None:
        """Write a ConfigMap's `data` into the mount at `path`, and with `only` delete all other files.

        Raises SandboxError for a configuration that would make the server connect beyond loopback.
        """
        folder = self.folder(server, path)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in data.items():
            written = self.translate(server, text)
            refuse_beyond_loopback(server, name, written)
            fresh = folder / f".{name}.new"
            fresh.write_text(written, encoding="utf-8", newline="")
            fresh.replace(folder / name)
        for stale in folder.iterdir() if only else ():
            if stale.is_file() and stale.name not in data:
                stale.unlink()
