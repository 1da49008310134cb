"""The objects that are ours alone: their metadata, with the field manager by which the next `up` knows them again."""

from collections.abc import Iterable, Mapping

import pulumi

from components.in_words import digest
from components.settings import Settings
from formats.json_types import JsonValue

RULES_API = "monitoring.coreos.com/v1"
ROUTING_API = "monitoring.coreos.com/v1alpha1"


def manager(part: str = "") -> str:
    """The field manager that the API server writes down with all that this stack applies.

    The provider's default is random: after an `up` that was killed, nobody would know whose the fields are.
    `part` tells two patches of one object apart.
    """
    return "/".join(filter(None, (pulumi.get_project(), pulumi.get_stack(), part)))


CONTENT = "api-monitoring/content"  # the annotation with a digest of what the object says


def hidden(opts: pulumi.ResourceOptions, *paths: str) -> pulumi.ResourceOptions:
    """The options; a preview hides what stands at these paths, as the component says in words what changes there."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hide_diffs=list(paths)))


def metadata(
    name: str, settings: Settings, *, content: JsonValue = None, labels: Mapping[str, str] | None = None
) -> dict[str, object]:
    """The metadata of an object that is ours alone; `content`: what it says, where a preview hides that."""
    return {
        "name": name,
        "namespace": settings.namespace,
        "annotations": {
            # Foreground deletion, the default, waits for a garbage collector that not every API server has.
            "pulumi.com/deletionPropagationPolicy": "background",
            # A refresh shows what somebody has changed in it, and the next `up` puts it back.
            "pulumi.com/patchForce": "true",
            "pulumi.com/patchFieldManager": manager(),
            # Of an object whose only changes are hidden the engine would show all.
            **({} if content is None else {CONTENT: digest(content)}),
        },
        **({"labels": dict(labels)} if labels else {}),
    }


def api_paths(names: Iterable[str], settings: Settings, resource: str = "configmaps", api: str = "v1") -> list[str]:
    """The paths of objects in the Kubernetes API, such as `/api/v1/namespaces/monitoring/configmaps/NAME`."""
    root = f"/apis/{api}" if "/" in api else f"/api/{api}"
    return [f"{root}/namespaces/{settings.namespace}/{resource}/{name}" for name in names]
