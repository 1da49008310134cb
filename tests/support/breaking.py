"""Breaking one thing in a running sandbox, and mending it again."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import yaml

from formats.json_types import JsonObject
from ops import targets
from ops.errors import Refused
from ops.sandbox.lifecycle import Sandbox

RULE_FILE = "api-performance-alerts.yml"


@contextmanager
def rewritten(path: Path, change: Callable[[str], str], reload: Callable[[], None]) -> Iterator[None]:
    """A file of the sandbox with other contents, taken up; as before afterwards."""
    before = path.read_text("utf-8")
    changed = change(before)
    assert changed != before
    path.write_text(changed, "utf-8")
    try:
        with suppress(Refused):  # what the server does not take up is what some tests are about
            reload()
        yield
    finally:
        path.write_text(before, "utf-8")
        reload()


@contextmanager
def extra_rules(sandbox: Sandbox, target: targets.Target, *groups: JsonObject) -> Iterator[None]:
    path = sandbox.mounts.rules / "extra.yml"
    path.write_text(json.dumps({"groups": list(groups)}), "utf-8")
    try:
        target.prometheus.reload()
        yield
    finally:
        path.unlink()
        target.prometheus.reload()


@contextmanager
def relay(sandbox: Sandbox, **wrong: object) -> Iterator[None]:
    """The mail relay gets something wrong."""
    state = sandbox.state
    assert state is not None
    httpx.post(f"{state.mail_url}/control", json=wrong, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.post(f"{state.mail_url}/control", json={}, trust_env=False).raise_for_status()


@contextmanager
def firing(target: targets.Target, **labels: str) -> Iterator[None]:
    """An alert at Alertmanager, resolved afterwards."""

    def post(ends: datetime) -> None:
        now = datetime.now(UTC) - timedelta(seconds=5)
        target.alertmanager.post_alerts([{"labels": labels, "startsAt": now.isoformat(), "endsAt": ends.isoformat()}])

    post(datetime.now(UTC) + timedelta(minutes=10))
    try:
        yield
    finally:
        post(datetime.now(UTC) - timedelta(seconds=1))


@contextmanager
def silence(
    target: targets.Target,
    labels: Mapping[str, str],
    *,
    by: str = "eve",
    comment: str = "maintenance",
    regex: bool = False,
) -> Iterator[str]:
    """The ID of a silence for an hour, expired afterwards. `regex`: the values of `labels` are regular expressions."""
    now = datetime.now(UTC)
    wanted = {
        "matchers": [{"name": name, "value": text, "isRegex": regex, "isEqual": True} for name, text in labels.items()],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": by,
        "comment": comment,
    }
    http = target.alertmanager.http
    made = str(http.decode(http.post("/api/v2/silences", json=wanted))["silenceID"])
    try:
        yield made
    finally:
        http.request("DELETE", f"/api/v2/silence/{made}")


def edited(change: Callable[[JsonObject], None]) -> Callable[[str], str]:
    """A change of a configuration as data."""

    def apply(text: str) -> str:
        config = yaml.safe_load(text)
        change(config)
        return yaml.safe_dump(config, allow_unicode=True)

    return apply


def job(config: JsonObject, name: str = "rsolv-platform") -> JsonObject:
    found: JsonObject = next(one for one in config["scrape_configs"] if one["job_name"] == name)
    return found
