"""One command in one container of one pod, as `kubectl exec` runs it."""

from typing import Any

import kr8s
import yaml
from kr8s.objects import Pod

from ops.errors import Refused, Unreachable


def run(
    kubeconfig: str | None, context: str | None, namespace: str, pod: str, container: str, command: list[str]
) -> None:
    """`kubeconfig`: a path, the contents of such a file, or None, as for Kubernetes. Needs `create` on `pods/exec`.

    Raises Unreachable without an answer, Refused when the command fails.
    """
    where = f"{' '.join(command)} in {namespace}/{pod}"
    try:
        source: Any = yaml.safe_load(kubeconfig) if kubeconfig and "\n" in kubeconfig else kubeconfig
        api = kr8s.api(kubeconfig=source, context=context, namespace=namespace)
        Pod.get(pod, namespace=namespace, api=api).exec(command, container=container, timeout=10)
    except kr8s.ExecError as error:
        raise Refused(f"{where} failed: {error}", status=0, words=str(error)) from None
    except Exception as error:  # noqa: BLE001 kr8s raises whatever its parts raise
        raise Unreachable(
            f"{where} could not be run ({' '.join(str(error).split())}); may this account exec?"
        ) from None
