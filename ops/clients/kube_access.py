"""Address and credentials of a cluster's API server, from a kubeconfig."""

import asyncio
import base64
import contextlib
import os
import ssl
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from formats import kubeconfig_text
from ops.clients import kubeconfig
from ops.clients.kubeconfig import Chosen
from ops.errors import Misconfigured

if TYPE_CHECKING:
    from kr8s._auth import KubeAuth

_ACTING_AS = {"as", "as-uid", "as-groups", "as-user-extra"}
_PLAIN = {"server", "certificate-authority", "certificate-authority-data"}
_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Address and credentials of an API server."""

    server: str
    token: str | None
    verify: ssl.SSLContext | bool
    proxy: str | None
    server_name: str | None
    context: str
    acting_as: tuple[tuple[str, str], ...] = ()  # headers


def access(kubeconfig: str | None, context: str | None) -> ClusterAccess:
    """Address and credentials of a cluster; `kubeconfig` and `context` as for `Kubernetes`. Raises Misconfigured."""
    what, chosen = choose(kubeconfig, context)
    if chosen and (found := _from_token(chosen)):
        return found
    with ThreadPoolExecutor(1, thread_name_prefix="kubeconfig") as executor:  # as the caller may run a loop
        return executor.submit(lambda: asyncio.run(_from_kr8s(what, chosen))).result()


def choose(given: str | None, context: str | None) -> tuple[str, Chosen | None]:
    """What a kubeconfig is called in messages, and the entries that count; None for a pod's own account.

    Raises Misconfigured.
    """
    contents = kubeconfig_text.contents(given) if given else None
    if contents is not None:
        what = "the kubeconfig given as text"
        return what, kubeconfig.choose(what, [kubeconfig.parse(contents)], context)
    paths = given or os.environ.get("KUBECONFIG") or "~/.kube/config"
    what = kubeconfig.named(paths)
    files = [Path(path).expanduser() for path in paths.split(os.pathsep)]
    may_lack = given is None and _IN_CLUSTER.is_file()
    there = [path for path in files if _exists(path)]
    if not there and not may_lack:
        raise Misconfigured(f"{what} does not exist; {kubeconfig.REMEDY}")
    configs = kubeconfig.read(there)
    if not configs and may_lack:
        return what, None
    return what, kubeconfig.choose(what, [*configs.values()], context)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # contents in the place of a path are too long for one
        return False


def _from_token(chosen: Chosen) -> ClusterAccess | None:
    """The access by a token and an authority alone, as in pipelines; None for any other.

    It saves the import of kr8s: 0.12 s, a tenth of a preview.
    """
    cluster, user = chosen.cluster, chosen.user
    if set(user) - _ACTING_AS != {"token"} or set(cluster) - _PLAIN:
        return None
    try:
        verify: ssl.SSLContext | bool = True
        if authority := cluster.get("certificate-authority-data"):
            verify = ssl.create_default_context(cadata=base64.b64decode(authority).decode("ascii"))
        elif file := cluster.get("certificate-authority"):
            verify = ssl.create_default_context(cafile=file)
    except (OSError, ValueError, TypeError):
        return None  # kr8s reads it again, and says what is wrong
    token = str(user["token"]).strip()
    return ClusterAccess(str(cluster["server"]), token, verify, None, None, chosen.context, tuple(chosen.headers))


async def _from_kr8s(what: str, chosen: Chosen | None) -> ClusterAccess:
    """The access of any kubeconfig, also with certificates, exec plugins, or of a pod. Raises Misconfigured."""
    from kr8s._auth import KubeAuth

    auth = KubeAuth(kubeconfig=chosen.as_config() if chosen else None)
    if chosen is None:
        auth._kubeconfig_path_or_dict = False  # the pod's own account alone
    try:
        await auth.reauthenticate()
        verify = await auth.ssl_context()
    except Exception as error:  # kr8s does not say what it raises
        raise Misconfigured(f"{what} cannot be used ({_one_line(error)}); try `kubectl get pods` with it") from error
    finally:
        _delete_unpacked(auth)
    return ClusterAccess(
        server=str(auth.server),
        token=str(auth.token).strip() if auth.token else None,
        verify=verify,
        proxy=auth.proxy,
        server_name=auth.tls_server_name,
        context=chosen.context if chosen else "in-cluster",
        acting_as=tuple(chosen.headers) if chosen else (),
    )


def _delete_unpacked(auth: "KubeAuth") -> None:
    """Delete the temporary files with key and certificates that kr8s wrote: the TLS context holds them now."""
    ours = {**auth._cluster, **auth._user}
    for key, attribute in (
        ("client-key-data", "client_key_file"),
        ("client-certificate-data", "client_cert_file"),
        ("certificate-authority-data", "server_ca_file"),
    ):
        path = getattr(auth, attribute)
        if key in ours and path and Path(path).parent == Path(tempfile.gettempdir()):
            with contextlib.suppress(OSError):
                Path(path).unlink()


def _one_line(error: Exception) -> str:
    """An error's message in one line."""
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    return " ".join(str(error).split()) or type(error).__name__
