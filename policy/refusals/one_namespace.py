"""Policy `one-namespace`: whatever is in Kubernetes is in one namespace."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from refusals.seen import PROVIDER, UNKNOWN, Seen, setting

SCHEMA: Final = {"namespace": setting("monitoring", "the one Kubernetes namespace that the program may write to")}

# What acts in Kubernetes; the other kinds of the program's own speak to Grafana, Mimir and Cortex.
_IN_A_NAMESPACE: Final = ("ConfigText", "SecretText", "Mount", "Live", "Withdrawn")
# In no namespace: `only-our-kinds` refuses them, and that says it better.
_CLUSTER_WIDE: Final = re.compile(
    r"(Cluster\w+|Namespace|Node|PersistentVolume|CustomResourceDefinition|StorageClass|\w+WebhookConfiguration)(Patch)?"
)


def refuse(seen: Seen, given: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each other namespace, or where there is none; `given`: the settings of SCHEMA."""
    ours = given["namespace"]
    if seen.is_kubernetes and not _CLUSTER_WIDE.fullmatch(seen.kind):
        found = seen.at("metadata", "namespace") or seen.provider.get("namespace")
    elif seen.type == f"{PROVIDER}kubernetes" or seen.dynamic(*_IN_A_NAMESPACE):
        found = seen.at("namespace")
    else:
        return
    if found not in (ours, UNKNOWN):
        where = f"in namespace {found}" if found else "without a namespace"
        yield f"{seen.label} is {where}, and this program may write to {ours} only: give it the namespace {ours}"
    for path in seen.at("own") or ():
        if not re.match(rf"/(api|apis/[^/]+)/[^/]+/namespaces/{re.escape(ours)}/", str(path)):
            yield f"{seen.label} counts {path} as ours, which is not in namespace {ours}: take it out of the program"
