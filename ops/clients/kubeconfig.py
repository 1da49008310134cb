"""A kubeconfig: read, and the entries that count chosen. What is wrong is one sentence, in which no value stands.

What client-go reads from it (tools/clientcmd of k8s.io/client-go) is read here, so that this program acts as the
Kubernetes provider does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from formats import kubeconfig_text
from formats.json_types import JsonObject, JsonValue
from ops.errors import Misconfigured

REMEDY = "set KUBECONFIG, or kubeconfig in the stack's settings"
_KINDS = ("cluster", "context", "user")
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")  # paths, relative to their file
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Chosen:
    """The entries that a context names. Paths in them are absolute."""

    context: str
    cluster: Mapping[str, JsonValue]
    user: Mapping[str, JsonValue]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers by which the user acts as another: `as`, `as-uid`, `as-groups`, `as-user-extra`."""
        user = self.user
        found = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
        found += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
        for key, values in (user.get("as-user-extra") or {}).items():
            found += [(f"Impersonate-Extra-{key}", value) for value in values]
        return [(name, str(value)) for name, value in found if value]

    def as_config(self) -> JsonObject:
        """A kubeconfig with this context alone."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": dict(self.cluster)}],
            "users": [{"name": "u", "user": dict(self.user)}],
            "contexts": [{"name": self.context, "context": {"cluster": "c", "user": "u"}}],
            "current-context": self.context,
        }


def parse(text: str) -> JsonObject:
    """A kubeconfig given as text. Raises Misconfigured."""
    what = "the kubeconfig given as text"
    try:
        parsed = yaml.load(text, _LOADER)  # noqa: S506 - it is a safe one
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise Misconfigured(f"{what} is not YAML{_line(error)}; pass a path, or the file's contents") from None
    if not isinstance(parsed, dict) or "clusters" not in parsed:
        raise Misconfigured(f"{what} has no clusters; pass a path, or the file's contents")
    return parsed


def read(files: Sequence[Path]) -> dict[Path, JsonObject]:
    """What stands in each file, without those that are empty, as kubectl has it. Raises Misconfigured."""
    found = {}
    for file in files:
        what = f"kubeconfig {file}"
        try:
            parsed = yaml.load(file.read_bytes().decode("utf-8"), _LOADER)  # noqa: S506 - it is a safe one
        except OSError as error:
            raise Misconfigured(f"{what} cannot be read ({error.strerror}); {REMEDY}") from error
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise Misconfigured(f"{what} is not YAML{_line(error)}; {REMEDY}") from None
        if parsed is not None:
            if not isinstance(parsed, dict):
                kind = "a list" if isinstance(parsed, list) else "one value"
                raise Misconfigured(f"{what} holds {kind} and no kubeconfig; {REMEDY}")
            found[file] = _with_absolute_paths(parsed, file.absolute().parent)
    return found


def named(paths: str) -> str:
    """How these files are called in a message; a value that is no path is not shown, as it may be a secret."""
    if all(kubeconfig_text.looks_like_path(path) for path in paths.split(":") if path):
        return f"kubeconfig {paths}"
    return "the kubeconfig (its value is not shown, as it is neither a file's path nor YAML, JSON or base64 of one)"


def choose(what: str, configs: Sequence[JsonObject], context: str | None) -> Chosen | None:
    """The entries that `context` names (None: their `current-context`); None where it leaves all to a pod's account.

    `what` names the files. Of two entries with one name the first counts. Raises Misconfigured where something is
    missing.
    """
    if not any(configs):
        raise Misconfigured(f"{what} is empty; {REMEDY}")
    clusters, contexts, users = (_entries(what, configs, kind) for kind in _KINDS)
    if not contexts:
        raise Misconfigured(f"{what} has no contexts; {REMEDY}")
    known = ", ".join(contexts)
    name = context or configs[0].get("current-context") or ""
    if not name and len(contexts) > 1:
        raise Misconfigured(f"{what} has no current-context; set kubeContext in the stack's settings to one of {known}")
    if name and name not in contexts:
        current = "" if context else ", though it is the current one"
        raise Misconfigured(
            f"{what} has no context called {name!r}{current}; set kubeContext in the stack's settings to one of {known}"
        )
    name = name or next(iter(contexts))
    chosen = contexts[name]
    if not chosen or not chosen.get("cluster"):
        return None
    for kind, entries in (("cluster", clusters), ("user", users)):
        if chosen.get(kind) not in entries:
            wanted = f"{kind} {chosen[kind]!r}, which is not in it" if chosen.get(kind) else f"no {kind}"
            raise Misconfigured(f"{what}: context {name!r} names {wanted}; mend it, or choose another by kubeContext")
    cluster, user = clusters[chosen["cluster"]], users[chosen["user"]]
    if not cluster or not cluster.get("server"):
        raise Misconfigured(f"{what}: cluster {chosen['cluster']!r} has no server; mend it")
    if user is None:
        raise Misconfigured(f"{what}: user {chosen['user']!r} has no credentials; mend it")
    return Chosen(name, cluster, _with_plugin_info(_with_token(what, chosen["user"], user), cluster))


def _with_absolute_paths(config: JsonObject, folder: Path) -> JsonObject:
    """Paths are relative to the file that they stand in; so is a plugin's command that is more than a name."""
    for kind in ("cluster", "user"):
        for entry in config.get(f"{kind}s") or ():
            values = entry.get(kind) if isinstance(entry, dict) else None
            if not isinstance(values, dict):
                continue
            for key in _FILES:
                if isinstance(values.get(key), str) and values[key]:
                    values[key] = str(folder / values[key])
            plugin = values.get("exec")
            if isinstance(plugin, dict) and "/" in str(plugin.get("command")):
                plugin["command"] = str(folder / plugin["command"])
    return config


def _with_token(what: str, name: str, user: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """A user with the token that stands in its `tokenFile`, which wins over `token`."""
    if not user.get("tokenFile"):
        return user
    try:
        token = Path(user["tokenFile"]).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Misconfigured(f"{what}: the tokenFile of user {name!r} cannot be read ({why}); mend it") from None
    return {**{key: value for key, value in user.items() if key != "tokenFile"}, "token": token}


def _with_plugin_info(user: Mapping[str, JsonValue], cluster: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """A user whose exec plugin gets KUBERNETES_EXEC_INFO, which some cannot do without."""
    plugin = user.get("exec")
    if not isinstance(plugin, dict):
        return user
    spec: JsonObject = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {name: cluster[name] for name in names if cluster.get(name)}
        for extension in cluster.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                spec["cluster"]["config"] = extension.get("extension")
    version = plugin.get("apiVersion") or "client.authentication.k8s.io/v1"
    info = json.dumps({"kind": "ExecCredential", "apiVersion": version, "spec": spec})
    env = [*(plugin.get("env") or ()), {"name": "KUBERNETES_EXEC_INFO", "value": info}]
    return {**user, "exec": {**plugin, "env": env}}


def _entries(what: str, configs: Sequence[JsonObject], kind: str) -> dict[str, Mapping[str, JsonValue] | None]:
    """Name → content, of all that stands under `KINDs`."""
    found: dict[str, Mapping[str, JsonValue] | None] = {}
    for config in configs:
        every = config.get(f"{kind}s") or []
        if not isinstance(every, list) or not all(_is_entry(entry, kind) for entry in every):
            raise Misconfigured(f"{what}: its {kind}s are no list of entries with `name` and `{kind}`; mend it")
        for entry in every:
            found.setdefault(entry["name"], entry.get(kind))
    return found


def _is_entry(entry: object, kind: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get(kind), dict | None)


def _line(error: Exception) -> str:
    """Where it is not, without the line itself, which may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""
