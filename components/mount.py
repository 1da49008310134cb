"""One volume and its mount, added to a Deployment that somebody else owns."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components import own
from components.settings import Server


def mounted(
    name: str,
    server: Server,
    namespace: str,
    source: Mapping[str, object],
    mount_path: str,
    *,
    trigger: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> k8s.apps.v1.DeploymentPatch:
    """Add volume `name` (its `source` as in a pod's spec) to the server's pod and mount it read-only at `mount_path`.

    Additive only and never forced, so destroy removes these two entries and nothing else. It restarts the pod.
    """
    return k8s.apps.v1.DeploymentPatch(
        name,
        metadata={
            "name": server.deployment,
            "namespace": namespace,
            # `Live` waits, and for more than a rollout: until the server runs what was written.
            "annotations": {
                "pulumi.com/skipAwait": "true",
                "pulumi.com/patchFieldManager": own.manager(name),
            },
        },
        spec={
            "template": {
                "spec": {
                    "volumes": [{"name": name, **source}],
                    "containers": [
                        {
                            "name": server.container,
                            "volumeMounts": [{"name": name, "mountPath": mount_path, "readOnly": True}],
                        }
                    ],
                }
            }
        },
        opts=pulumi.ResourceOptions.merge(
            opts,
            # The provider compares lists by index and would report a change for ever (pulumi-kubernetes #2682). What of
            # ours can change stands in the trigger instead.
            pulumi.ResourceOptions(
                ignore_changes=["spec"], replacement_trigger=[mount_path, *trigger], delete_before_replace=True
            ),
        ),
    )
