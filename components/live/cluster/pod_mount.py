"""One volume and its mount in a pod template of others: whether it is there, what clashes, what adds and removes it.

Pure: a pod is `spec.template.spec` of a workload as the API gives it; patches are strategic merge patches, which know
list entries by name (volumes, containers) or path (mounts) and so leave every other entry as it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject, JsonValue

Pod = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Volume:
    """`source` as in a pod's volume ({"configMap": {"name": …}}), mounted read-only at `path` of `container`."""

    name: str
    source: Mapping[str, JsonValue]
    container: str
    path: str


def is_mounted(pod: Pod, wanted: Volume) -> bool:
    """Whether volume and mount are there as wanted; fields that the API fills in (modes) do not count."""
    volume = named(pod.get("volumes"), wanted.name)
    mount = next((one for one in _mounts(pod, wanted) if one.get("mountPath") == wanted.path), {})
    return (
        volume is not None
        and _contains(volume, wanted.source)
        and mount.get("name") == wanted.name
        and not (mount.get("subPath") or mount.get("subPathExpr"))
    )


def refuse_clashes(pod: Pod, wanted: Volume, *, ours: bool) -> None:
    """Raises EditRefused where others use our name or our path; `ours`: we made the volume of our name."""
    if named(pod.get("containers"), wanted.container) is None:
        there = ", ".join(str(one.get("name")) for one in pod.get("containers") or ())
        raise EditRefused(f"has no container {wanted.container}; it has {there or 'none'}")
    volume = named(pod.get("volumes"), wanted.name)
    if volume is not None and not ours and not _contains(volume, wanted.source):
        raise EditRefused(
            f"has a volume {wanted.name} already, and it is not ours ({_format_source(volume)}): rename one of them"
        )
    for mount in _mounts(pod, wanted):
        if mount.get("mountPath") == wanted.path and mount.get("name") != wanted.name:
            raise EditRefused(
                f"mounts volume {mount.get('name')} at {wanted.path} already, where ours ({wanted.name}) is to be: "
                "choose another path in the stack file"
            )


def addition(wanted: Volume, before: Volume | None = None) -> JsonObject:
    """The patch that adds it, in place of what `before` added."""
    # `$retainKeys`: a volume has one source; without it a merge would keep the former kind beside the new one.
    volume = {"name": wanted.name, **wanted.source, "$retainKeys": ["name", *wanted.source]}
    mounts: list[JsonObject] = [{"name": wanted.name, "mountPath": wanted.path, "readOnly": True}]
    if before and before.path != wanted.path:
        mounts.append({"mountPath": before.path, "$patch": "delete"})
    return _patch([volume], wanted.container, mounts)


def removal(pod: Pod, made: Volume) -> JsonObject | None:
    """The patch that removes exactly what was added; None where nothing of it is left."""
    volume = named(pod.get("volumes"), made.name)
    ours = volume is not None and _contains(volume, made.source)
    mounted = any(
        mount.get("mountPath") == made.path and mount.get("name") == made.name for mount in _mounts(pod, made)
    )
    if not (ours or mounted):
        return None
    volumes = [{"name": made.name, "$patch": "delete"}] if ours else []
    mounts = [{"mountPath": made.path, "$patch": "delete"}] if mounted else []
    return _patch(volumes, made.container, mounts)


def _patch(volumes: Sequence[JsonValue], container: str, mounts: Sequence[JsonValue]) -> JsonObject:
    pod: JsonObject = {}
    if volumes:
        pod["volumes"] = list(volumes)
    if mounts:
        pod["containers"] = [{"name": container, "volumeMounts": list(mounts)}]
    return {"spec": {"template": {"spec": pod}}}


def named(entries: Sequence[Mapping[str, JsonValue]] | None, name: str) -> Mapping[str, JsonValue] | None:
    """The entry of that name, or None."""
    return next((entry for entry in entries or () if entry.get("name") == name), None)


def _mounts(pod: Pod, of: Volume) -> Sequence[Mapping[str, JsonValue]]:
    return (named(pod.get("containers"), of.container) or {}).get("volumeMounts") or ()


def _contains(found: JsonValue, wanted: JsonValue) -> bool:
    """Whether all of `wanted` is in `found`."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_contains(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        same = isinstance(found, (list, tuple)) and len(found) == len(wanted)
        return same and all(_contains(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(found == wanted)


def _format_source(volume: Mapping[str, JsonValue]) -> str:
    kinds = [
        f"{kind} {of.get('name') or of.get('secretName') or ''}".strip() if isinstance(of, Mapping) else str(kind)
        for kind, of in volume.items()
        if kind != "name"
    ]
    return ", ".join(kinds) or "of no source"
