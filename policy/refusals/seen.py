"""A resource as the engine shows it to a policy before anything is done, and the settings of a policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
CONFIG_MAP_PATCH: Final = "kubernetes:core/v1:ConfigMapPatch"
SECRET: Final = "kubernetes:core/v1:Secret"  # noqa: S105 - a kind
DYNAMIC: Final = "pulumi-python:dynamic/monitoring:"
DASHBOARD: Final = "grafana:oss/dashboard:Dashboard"
PROVIDER: Final = "pulumi:providers:"
STACK: Final = "pulumi:pulumi:Stack"

Schema: TypeAlias = Mapping[str, Mapping[str, Any]]  # the settings of a policy: name → JSON Schema, with its default


@dataclass(frozen=True)
class Marker:
    """Stands for a value that a policy cannot or must not see."""

    shown: str

    def __str__(self) -> str:
        return self.shown


HIDDEN: Final = Marker("(secret)")  # marked as a secret in the program
UNKNOWN: Final = Marker("(not known before the update)")


@dataclass(frozen=True)
class Seen:
    """One resource: its type's token, its name in the program, and its inputs as data, with markers among them.

    `provider`: the inputs of the provider that makes it.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    provider: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The last part of the type: ConfigMap, ConfigText …"""
        return self.type.rpartition(":")[2]

    @property
    def label(self) -> str:
        """How a sentence names it: its kind, and what it is called in the program."""
        return f"{self.kind} {'provider ' if self.type.startswith(PROVIDER) else ''}{self.name}"

    @property
    def is_kubernetes(self) -> bool:
        """Whether it is an object, or a patch of one, in Kubernetes."""
        return self.type.startswith("kubernetes:")

    def dynamic(self, *kinds: str) -> bool:
        """Whether it is one of these kinds of the program's own."""
        return self.type.startswith(DYNAMIC) and self.kind in kinds

    def at(self, *path: str) -> Any:
        """The input at a path of keys; None where there is none."""
        found: Any = self.inputs
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Each value that is no mapping and no list, with the key under which it, or its list, stands."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, key)
    else:
        yield key, value


def setting(default: str | bool | list[str], description: str) -> dict[str, Any]:
    """The JSON Schema of one setting of a policy, by its default."""
    kind: dict[str, Any] = {"type": "boolean" if isinstance(default, bool) else "string"}
    if isinstance(default, list):
        kind = {"type": "array", "items": {"type": "string"}}
    return {**kind, "default": default, "description": description}


def settings(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of a policy: what is given, else its default."""
    return {name: given.get(name, about["default"]) for name, about in schema.items()}


def unknown_settings(policy: str, schema: Schema, given: Mapping[str, Any]) -> list[str]:
    """A sentence for each setting that the policy does not have: Pulumi itself ignores one that is mistyped."""
    known = ", ".join(schema)
    return [f"policy {policy} has no setting {name}: it has {known}" for name in given if name not in schema]
