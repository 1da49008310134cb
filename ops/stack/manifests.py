"""What the program declares, as files to read, compare or apply by hand: for `render`."""

import contextlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from formats.json_types import JsonObject, JsonValue
from ops.errors import Misconfigured
from ops.repo import files
from ops.stack.declared import SECRET, Declared
from routing.inline_password import PLACE

MARK = ".rendered"  # the list of files that an earlier render wrote
FRESH = ".rendering"  # the folder in which a render is prepared


def rendered(resources: Sequence[Declared]) -> dict[str, str]:
    """File name → text, for each declared resource that is an object, a dashboard or a text to insert."""
    return dict(sorted(file for resource in resources for file in _files(resource)))


def _files(resource: Declared) -> Iterator[tuple[str, str]]:
    kind, inputs = resource.type, resource.inputs
    if not resource.custom or kind.startswith("pulumi:providers:"):
        return
    if kind.startswith("kubernetes:"):
        name = f"{inputs.get('kind', 'object').lower()}-{(inputs.get('metadata') or {}).get('name', resource.name)}"
        yield f"manifests/{name}.yaml", _manifest(inputs, patch=kind.endswith("Patch"))
    elif kind.startswith("grafana:") and "configJson" in inputs:
        yield f"dashboards/{resource.name}.json", _pretty(inputs["configJson"])
    elif kind.endswith(":DashboardFolder"):
        yield f"dashboards/folder-{resource.name}.json", _pretty({key: inputs[key] for key in ("uid", "title")})
    elif "editor" in inputs:
        yield from _snippet(inputs)
    elif "volume" in inputs:
        yield (
            f"manifests/{inputs['workload'].replace('/', '-').lower()}-{inputs['volume']}.yaml",
            _manifest(_mount(inputs), patch=True),
        )


def _manifest(inputs: Mapping[str, JsonValue], *, patch: bool) -> str:
    """An object as YAML; for a patch only the added fields, for server-side apply."""
    how = (
        "# Adds these fields to an existing object:\n"
        "# kubectl apply --server-side --field-manager=api-performance -f THIS\n"
        if patch
        else "# kubectl apply --server-side -f THIS\n"
    )
    body = {key: value for key, value in inputs.items() if value is not None}
    body["metadata"] = _without_pulumi(inputs.get("metadata") or {})
    secret = "# The program knows the secret values; they are left out here.\n" if SECRET in json.dumps(body) else ""
    return how + secret + yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def _mount(inputs: Mapping[str, JsonValue]) -> JsonObject:
    """A volume added to a workload, as the fields of that workload."""
    name = inputs["volume"]
    mount = {"name": name, "mountPath": inputs["path"], "readOnly": True}
    pod = {
        "volumes": [{"name": name, **inputs["source"]}],
        "containers": [{"name": inputs["container"], "volumeMounts": [mount]}],
    }
    kind, _, workload = inputs["workload"].partition("/")
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": workload, "namespace": inputs["namespace"]},
        "spec": {"template": {"spec": pod}},
    }


def _without_pulumi(metadata: Mapping[str, JsonValue]) -> JsonObject:
    """Without the annotations for Pulumi."""
    kept = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if not key.startswith("pulumi.com/")
    }
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return rest | ({"annotations": kept} if kept else {})


def _snippet(inputs: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """What is inserted into a text of others, and where."""
    kind, name = ("Secret", inputs["secret_name"]) if "secret_name" in inputs else ("ConfigMap", inputs["config_map"])
    key, ours = inputs["key"], inputs["ours"]
    text = ours if isinstance(ours, str) else yaml.dump(ours, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    how = (
        "replaces the whole text"
        if inputs["editor"] == "replace"
        else f"is put into it by the editor {inputs['editor']!r}"
    )
    place = f"# {PLACE} stands for the mail relay's password.\n" if PLACE in text else ""
    yield f"snippets/{name}-{key}", f"# {kind} {name}, key {key}: this {how}.\n{place}{text}"


def _pretty(value: object) -> str:
    parsed = json.loads(value) if isinstance(value, str) else value
    return json.dumps(parsed, indent=2, ensure_ascii=False) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as YAML blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def write(out: Path, texts: Mapping[str, str]) -> None:
    """Write the files below `out`, and delete those of an earlier render that are no longer declared.

    All or nothing. Raises Misconfigured where the folder has a file that `render` did not write, or the disk is full.
    """
    if out.exists() and not out.is_dir():
        raise Misconfigured(f"{files.shown(out)} is not a folder; name another with --out")
    before = _written(out)
    strange = sorted(
        str(file.relative_to(out))
        for file in out.rglob("*")
        if not file.is_dir() and str(file.relative_to(out)) not in before and file.relative_to(out).parts[0] != FRESH
    )
    if strange:
        raise Misconfigured(f"{files.shown(out)} holds {strange[0]}, which render did not write; name an empty folder")
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        _replace(out, texts, before)
    except BaseException as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise Misconfigured(
                f"{files.shown(out)} cannot be written ({error.strerror}); nothing was changed: make room for it or "
                "permit it, or name another folder with --out"
            ) from error
        raise


def _replace(out: Path, texts: Mapping[str, str], before: Collection[str]) -> None:
    """Write all to a folder inside `out`, and then only rename. Raises OSError, with `out` as it was.

    Inside, as `out` may be a mount, or the folder in which somebody stands: those cannot be renamed.
    """
    fresh = out / FRESH
    shutil.rmtree(fresh, ignore_errors=True)  # left by one that was killed
    done: list[tuple[Path, Path]] = []

    def move(source: Path, to: Path) -> None:
        source.rename(to)
        done.append((source, to))

    try:
        for name, text in texts.items():
            _put(fresh / "new" / name, text)
        _put(fresh / "new" / MARK, "\n".join(texts) + "\n")
        # While names are exchanged, the mark has both sets: if this is killed, the next one knows all as its own.
        _put(fresh / "both", "\n".join(sorted({*before, *texts} - {MARK})) + "\n")
        _put(fresh / "old" / MARK, "\n".join(sorted({*before} - {MARK})) + "\n")
        (fresh / "both").replace(out / MARK)
        try:
            for top in sorted({Path(name).parts[0] for name in before if name != MARK}):
                if (out / top).exists():
                    move(out / top, fresh / "old" / top)
            for top in sorted({Path(name).parts[0] for name in texts}):
                move(fresh / "new" / top, out / top)
            (fresh / "new" / MARK).replace(out / MARK)
        except BaseException:
            for source, to in reversed(done):
                to.rename(source)
            if before:
                (fresh / "old" / MARK).replace(out / MARK)
            else:
                (out / MARK).unlink()
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="")


def _written(out: Path) -> set[str]:
    """What the earlier render in this folder wrote."""
    mark = out / MARK
    return {MARK, *mark.read_text("utf-8").split("\n")} - {""} if mark.is_file() else set()
