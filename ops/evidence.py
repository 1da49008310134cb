"""Records on this machine of what the verbs did to a target, as no server keeps them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ops import targets
from ops.errors import Misconfigured
from ops.sandbox import state as sandbox_state


def path(target: str) -> Path:
    """The file with the records of a target: `.ops/TARGET.json`; for the sandbox `records.json` in its folder."""
    return (
        sandbox_state.home() / "records.json" if target == targets.SANDBOX else targets.ROOT / ".ops" / f"{target}.json"
    )


def read(target: str) -> dict[str, dict[str, object]]:
    """The records of a target: verb → record. Misconfigured where the file is damaged."""
    try:
        found = json.loads(path(target).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise Misconfigured(
            f"{path(target)} is damaged; delete it: it holds nothing but records of earlier runs"
        ) from None
    if not isinstance(found, dict):
        return {}
    return {verb: record for verb, record in found.items() if isinstance(record, dict)}


def write(target: str, verb: str, record: dict[str, object]) -> None:
    """Store the latest record of a verb, with the time (`at`, RFC 3339)."""
    records = read(target) | {verb: {"at": datetime.now(UTC).isoformat(timespec="seconds"), **record}}
    file = path(target)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    try:
        draft.write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
