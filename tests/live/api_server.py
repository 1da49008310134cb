"""Of the Kubernetes API what an edit needs, on loopback: GET, merge PATCH and DELETE of objects, with their versions.

Lists are of workloads and pods; selectors are not looked at.

tests/e2e holds the same code to a real API server; here it can be told to be in the way.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug import Request, Response

from formats.json_types import JsonObject
from tests.support.stand_in import json_answer, stand_in, target

LISTED = ("deployments", "statefulsets", "daemonsets", "pods")


class Api:
    """`before_write` runs before each PATCH is looked at; `forbid` names paths that answer 403."""

    def __init__(self) -> None:
        self.objects: dict[str, JsonObject] = {}
        self.before_write: Callable[[], None] = lambda: None
        self.after_delete: Callable[[], None] = lambda: None
        self.forbid: set[str] = set()
        self.dry_run = 200  # with what a patch that is only tried is answered
        self.cut_answers = 0
        self.version = 0

    def put(self, path: str, **content: object) -> None:
        self.version += 1
        name = path.rpartition("/")[2]
        metadata = {"namespace": "monitoring", "name": name, "resourceVersion": str(self.version)}
        self.objects[path] = {"metadata": metadata, **content}

    def applied(self, name: str, manager: str, **data: str) -> None:
        """A ConfigMap that field manager `manager` has applied."""
        path = f"/api/v1/namespaces/monitoring/configmaps/{name}"
        self.put(path, data=data)
        self.objects[path]["metadata"] |= {"uid": f"uid-{self.version}", "managedFields": [{"manager": manager}]}

    def delete(self, path: str, body: JsonObject) -> tuple[int, JsonObject]:
        found = self.objects.get(path)
        if found is None:
            return 404, {"message": f"{path} not found"}
        if body["preconditions"]["uid"] != found["metadata"].get("uid"):
            return 409, {"message": "the UID in the precondition does not match"}
        del self.objects[path]
        self.after_delete()
        return 200, {"kind": "Status", "status": "Success"}

    def config_map(self, name: str, **data: str) -> None:
        self.put(f"/api/v1/namespaces/monitoring/configmaps/{name}", data=data)

    def data(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.objects[f"/api/v1/namespaces/monitoring/configmaps/{name}"]["data"]
        return found

    def patch(self, path: str, body: JsonObject) -> tuple[int, JsonObject]:
        self.before_write()
        found = self.objects.get(path)
        if found is None:
            return 404, {"message": f"{path} not found"}
        if body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            return 409, {"message": "the object has been modified"}
        self.version += 1
        _merge(found, body)
        found["metadata"]["resourceVersion"] = str(self.version)
        return 200, found


def _merge(into: JsonObject, patch: JsonObject) -> None:
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


@contextmanager
def serving(folder: Path, services: Callable[[Request], Response] | None = None) -> Iterator[tuple[Api, str]]:
    """The API, and the path of a kubeconfig for it. `services` answers what goes to a Service by the proxy."""
    api = Api()

    def answer(request: Request) -> Response:
        path = request.path
        if services and "/services/" in path:
            return services(request)
        if request.method == "PATCH":
            if "dryRun=All" in target(request):
                return json_answer({"message": "may not patch"}, api.dry_run)
            status, body = api.patch(path, json.loads(request.get_data()))
            if status == 200 and api.cut_answers:
                api.cut_answers -= 1
                request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return json_answer(body, status)
        if request.method == "DELETE":
            status, body = api.delete(path, json.loads(request.get_data()))
            return json_answer(body, status)
        if path in api.forbid:
            return json_answer({"message": f"{path} is forbidden"}, 403)
        if path in api.objects:
            return json_answer(api.objects[path])
        if path.rpartition("/")[2] in LISTED:
            return json_answer({"items": [found for name, found in api.objects.items() if name.startswith(f"{path}/")]})
        if "/services/" in path:  # in the words of a real one
            name = path.partition("/services/")[2].partition("/")[0].partition(":")[0]
            return json_answer({"message": f'services "{name}" not found'}, 404)
        return json_answer({"message": f"{path} not found"}, 404)

    with stand_in(answer) as url:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            f"""\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{url}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""
        )
        yield api, str(kubeconfig)
