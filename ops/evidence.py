"""What was done to a target, remembered on this machine: the evidence that no server keeps."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ops import targets
from ops.errors import Misconfigured
from ops.sandbox import state as sandbox_state


def path(target: str) -> Path:
    """Where the records of a target stand: `.ops/TARGET.json`, or with the sandbox that they belong to."""
    return (
        sandbox_state.home() / "records.json" if target == targets.SANDBOX else targets.ROOT / ".ops" / f"{target}.json"
    )


def read(target: str) -> dict[str, dict[str, object]]:
    """Every record of a target, by the verb that made it."""
    try:
        found = json.loads(path(target).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise Misconfigured(f"{path(target)} is damaged; delete it, it is only a memory") from None
    if not isinstance(found, dict):
        return {}
    return {verb: record for verb, record in found.items() if isinstance(record, dict)}


def write(target: str, verb: str, record: dict[str, object]) -> None:
    """Remember the latest outcome of a verb, with the time."""
    records = read(target) | {verb: {"at": datetime.now(UTC).isoformat(timespec="seconds"), **record}}
    file = path(target)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(file)
