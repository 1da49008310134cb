"""Whose an object is, or a key in one: we never take over what others have under a name of ours."""

from collections.abc import Iterable, Mapping

from components.live.cluster import config_map, other_hands
from components.live.provider import warn
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonValue
from ops.clients.kubernetes import Kubernetes
from ops.errors import NotFound

_CONTENT = ("f:data", "f:binaryData", "f:spec")  # where an object of ours says something


def applied_by(metadata: Mapping[str, JsonValue], manager: str) -> bool:
    """Whether `manager` is among the field managers of the object."""
    return manager in _managers(metadata)


def refuse_others(cluster: Kubernetes, paths: Iterable[str], manager: str) -> None:
    """Raises EditRefused for the first object that is there and that `manager` never applied. Raises ops.errors."""
    for path in paths:
        try:
            metadata = cluster.get(path)["metadata"]
        except NotFound:
            continue
        if not applied_by(metadata, manager):
            raise EditRefused(
                f"{_short(path)} is in namespace {metadata['namespace']} already and is not ours"
                f"{_by(_managers(metadata))}: delete it, or choose another name in the stack file"
            )


def changes_by_others(cluster: Kubernetes, paths: Iterable[str], manager: str) -> list[str]:
    """A sentence for each object at these paths that is gone, and for what others changed in one. Raises ops.errors.

    Pulumi looks at its own objects only on a refresh, and kubelet goes on serving a ConfigMap that is deleted.
    """
    found = []
    for path in paths:
        try:
            metadata = cluster.get(path)["metadata"]
        except NotFound:
            found.append(f"{_short(path)} is gone: `pulumi up --refresh` makes it again")
            continue
        for entry in metadata.get("managedFields") or ():
            fields = entry.get("fieldsV1") or {}
            names = [_field(name) for part in _CONTENT for name in fields.get(part) or () if name != "."]
            if names and entry.get("manager") != manager:
                found.append(
                    f"{entry.get('manager')} has changed {', '.join(names)} in {_short(path)} at {entry.get('time')}: "
                    "`pulumi up --refresh` puts back what is ours"
                )
    return found


def refuse_taken_keys(cluster: Kubernetes, shared: Mapping[str, JsonValue], namespace: str, manager: str) -> None:
    """Raises EditRefused where others have keys of our names in the ConfigMap, it takes none, or it is not there.

    `shared`: {"config_map", "keys"}. Keys of `manager`'s are ours. Warns of a tool that would remove them again.
    """
    name = f"ConfigMap {namespace}/{shared['config_map']}"
    try:
        found = cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{shared['config_map']}")
    except NotFound:
        raise EditRefused(f"{name} is not there: is its name (sharedRulesConfigMap) in the stack file right?") from None
    metadata, data = found["metadata"], found.get("data") or {}
    for key in shared["keys"]:
        owners = _owners(metadata, key)
        if key in data and manager not in owners:
            raise EditRefused(
                f"{name} has a key {key} already, and it is not ours{_by(owners)}: take it out there, or rename "
                f"rules/{key}"
            )
    if set(shared["keys"]) - set(data):
        if found.get("immutable"):
            raise config_map.immutable(name)
        if line := other_hands.warning_of_addition(metadata, name, "each key of ours"):
            warn(line)


def _field(name: str) -> str:
    """`f:a.yml` → `a.yml`."""
    return name.partition(":")[2] or name


def _short(path: str) -> str:
    resource, name = path.rsplit("/", 2)[1:]
    return f"{resource}/{name}"


def _managers(metadata: Mapping[str, JsonValue]) -> list[str]:
    return [str(entry.get("manager")) for entry in metadata.get("managedFields") or ()]


def _owners(metadata: Mapping[str, JsonValue], key: str) -> list[str]:
    """The field managers of one key of a ConfigMap's data."""
    return [
        str(entry.get("manager"))
        for entry in metadata.get("managedFields") or ()
        if f"f:{key}" in ((entry.get("fieldsV1") or {}).get("f:data") or {})
    ]


def _by(managers: Iterable[str]) -> str:
    names = ", ".join(dict.fromkeys(managers))
    return f" (written by {names})" if names else ""
