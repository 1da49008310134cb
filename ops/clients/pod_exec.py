"""One command in one container of one pod, as `kubectl exec` runs it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import kr8s.asyncio
from kr8s.asyncio.objects import Pod

from ops.clients.kube_access import choose
from ops.errors import Refused, Unreachable

TIMEOUT = 10.0  # seconds; kr8s has no limit of its own while the pod is not ready or its node does not answer


def run(
    kubeconfig: str | None, context: str | None, namespace: str, pod: str, container: str, command: list[str]
) -> None:
    """Run `command`, which needs `create` on `pods/exec`. `kubeconfig`: a path, a text, or None, as for Kubernetes.

    Raises Misconfigured for the kubeconfig, Unreachable without an answer, Refused where the command fails.
    """
    _, chosen = choose(kubeconfig, context)
    where = f"{' '.join(command)} in {namespace}/{pod}"

    async def execute() -> None:
        api = await kr8s.asyncio.api(kubeconfig=chosen.as_config() if chosen else None, namespace=namespace)
        if chosen and chosen.headers:
            await api._create_session()
            api._session.headers.update(chosen.headers)
        found = await Pod.get(pod, namespace=namespace, api=api)
        await found.exec(command, container=container)

    try:
        with ThreadPoolExecutor(1, thread_name_prefix="exec") as executor:  # as the caller may run a loop
            executor.submit(lambda: asyncio.run(asyncio.wait_for(execute(), TIMEOUT))).result()
    except kr8s.ExecError as error:
        raise Refused(f"{where} failed: {error}", status=0, words=str(error)) from None
    except TimeoutError:
        raise Unreachable(
            f"{where} did not end within {TIMEOUT:g} s: is the pod ready, and does its node answer?"
        ) from None
    except Exception as error:  # noqa: BLE001 - kr8s does not say what it raises
        raise Unreachable(
            f"{where} could not be run ({' '.join(str(error).split())}); may this account use pods/exec?"
        ) from None
