"""One command in one container of one pod, as `kubectl exec` runs it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import kr8s.asyncio
from kr8s.asyncio.objects import Pod

from ops.clients.kube_access import choose
from ops.errors import Forbidden, NoCommand, OpsError, Refused, Unreachable

TIMEOUT = 10.0  # seconds; kr8s has no limit of its own while the pod is not ready or its node does not answer
# What containerd, CRI-O and a shell say of a command that an image does not have.
_NO_COMMAND = ("executable file not found", "no such file or directory", "exit code 127")


def run(
    kubeconfig: str | None, context: str | None, namespace: str, pod: str, container: str, command: list[str]
) -> None:
    """Run `command`, which needs `get` and `create` on `pods/exec`.

    `kubeconfig`: a path, a text, or None, as for Kubernetes. Raises Misconfigured for the kubeconfig, Unreachable
    without an answer, Forbidden where the account may not, NoCommand, Refused where the command fails.
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
    except TimeoutError:
        raise Unreachable(
            f"{where} did not end within {TIMEOUT:g} s: is the pod ready, and does its node answer?"
        ) from None
    except Exception as error:  # noqa: BLE001 - kr8s does not say what it raises
        raise _as_ours(_innermost(error), where) from None


def _innermost(error: BaseException) -> BaseException:
    """The first error of a group: what goes wrong while the connection stands comes wrapped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _as_ours(error: BaseException, where: str) -> OpsError:
    words = " ".join(str(error).split())
    if isinstance(error, kr8s.ExecError):
        kind = NoCommand if any(sign in words for sign in _NO_COMMAND) else Refused
        return kind(f"{where} failed: {words}", status=0, words=words)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return Forbidden(f"{where} is forbidden ({status})", status=status, words=f"{status} on pods/exec")
    return Unreachable(f"{where} could not be run ({words or status or type(error).__name__})")
