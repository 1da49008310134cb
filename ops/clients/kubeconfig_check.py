"""What is wrong with a kubeconfig, in one sentence, before anybody trips over it. No value of it is shown but names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from formats.json_types import JsonObject, JsonValue
from ops.errors import Misconfigured

REMEDY = "set KUBECONFIG, or kubeconfig in the stack's settings"
_KINDS = ("cluster", "context", "user")


def read(files: Sequence[Path]) -> dict[Path, JsonObject]:
    """What stands in each file, without those that are empty, as kubectl has it. Raises Misconfigured."""
    found = {}
    for file in files:
        what = f"kubeconfig {file}"
        try:
            parsed = yaml.safe_load(file.read_bytes().decode("utf-8"))
        except OSError as error:
            raise Misconfigured(f"{what} cannot be read ({error.strerror}); {REMEDY}") from error
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise Misconfigured(f"{what} is not YAML{_line(error)}; {REMEDY}") from None
        if parsed is not None:
            if not isinstance(parsed, dict):
                kind = "a list" if isinstance(parsed, list) else "one value"
                raise Misconfigured(f"{what} holds {kind} and no kubeconfig; {REMEDY}")
            found[file] = parsed
    return found


def refuse_unusable(what: str, configs: Sequence[JsonObject], context: str | None) -> None:
    """Raises Misconfigured where what `context` needs is not in these files; None: their `current-context`.

    `what` names them. Of two entries with one name the first counts.
    """
    if not any(configs):
        raise Misconfigured(f"{what} is empty; {REMEDY}")
    clusters, contexts, users = (_entries(what, configs, kind) for kind in _KINDS)
    if not contexts:
        raise Misconfigured(f"{what} has no contexts; {REMEDY}")
    known = ", ".join(contexts)
    name = context or configs[0].get("current-context") or ""
    if not name and len(contexts) > 1:
        raise Misconfigured(f"{what} has no current-context; set kubeContext in the stack's settings to one of {known}")
    if name and name not in contexts:
        current = "" if context else ", though it is the current one"
        raise Misconfigured(
            f"{what} has no context called {name!r}{current}; set kubeContext in the stack's settings to one of {known}"
        )
    name = name or next(iter(contexts))
    chosen = contexts[name]
    if not chosen or not chosen.get("cluster"):
        return  # the service account of a pod
    for kind, entries in (("cluster", clusters), ("user", users)):
        if chosen.get(kind) not in entries:
            wanted = f"{kind} {chosen[kind]!r}, which is not in it" if chosen.get(kind) else f"no {kind}"
            raise Misconfigured(f"{what}: context {name!r} names {wanted}; mend it, or choose another by kubeContext")
    if not (clusters[chosen["cluster"]] or {}).get("server"):
        raise Misconfigured(f"{what}: cluster {chosen['cluster']!r} has no server; mend it")
    if users[chosen["user"]] is None:
        raise Misconfigured(f"{what}: user {chosen['user']!r} has no credentials; mend it")


def _entries(what: str, configs: Sequence[JsonObject], kind: str) -> dict[str, Mapping[str, JsonValue] | None]:
    """Name → content, of all that stands under `KINDs`."""
    found: dict[str, Mapping[str, JsonValue] | None] = {}
    for config in configs:
        every = config.get(f"{kind}s") or []
        if not isinstance(every, list) or not all(_is_entry(entry, kind) for entry in every):
            raise Misconfigured(f"{what}: its {kind}s are no list of entries with `name` and `{kind}`; mend it")
        for entry in every:
            found.setdefault(entry["name"], entry.get(kind))
    return found


def _is_entry(entry: object, kind: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get(kind), dict | None)


def _line(error: Exception) -> str:
    """Where it is not, without the line itself, which may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""
