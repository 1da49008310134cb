"""Container images of our own programs, as OCI archives that containerd imports. Nothing is pulled."""

import hashlib
import io
import json
import platform
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops import build_tools

PAUSE = "localhost/pause:1"
WITHOUT_SHELL = "-distroless"  # behind a tag: the same image without `sh` and `kill`
_APPLETS = ("sh", "kill", "cat", "ls", "sleep", "touch")
_NOBODY = 65534
_PASSWD = b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Image:
    """One image: `entrypoint`, `programs` by their path in it, folders of user nobody, and busybox if `shell`."""

    name: str
    entrypoint: tuple[str, ...]
    programs: Mapping[str, Path]
    folders: tuple[str, ...] = ()
    shell: bool = True


def images(names: Mapping[str, str]) -> list[Image]:
    """Those of a node. `names`: server → the image's name in its Deployment. Raises ToolError for a missing program."""
    found = [Image(PAUSE, ("/bin/sleep", "2147483647"), {})]
    for server, name in names.items():
        where = f"/bin/{server}"
        program = {where: build_tools.path(server)}
        found += [
            Image(f"docker.io/{name}{tag}", (where,), program, (server,), shell=not tag) for tag in ("", WITHOUT_SHELL)
        ]
    return found


def write(image: Image, file: Path) -> None:
    """Write the image as an OCI archive."""
    blobs: dict[str, bytes] = {}

    def blob(kind: str, data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": f"{_OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    layer = blob("layer.v1.tar", _layer(image))
    machine = {"architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()), "os": "linux"}
    settings = {"Entrypoint": [*image.entrypoint], "User": "nobody", "Env": ["PATH=/bin"], "WorkingDir": "/"}
    root = {"type": "layers", "diff_ids": [layer["digest"]]}
    config = blob("config.v1+json", json.dumps({**machine, "config": settings, "rootfs": root}).encode())
    manifest = {"schemaVersion": 2, "mediaType": f"{_OCI}.manifest.v1+json", "config": config, "layers": [layer]}
    described = blob("manifest.v1+json", json.dumps(manifest).encode())
    entry = {**described, "platform": machine, "annotations": {"io.containerd.image.name": image.name}}
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": [entry]}
    with tarfile.open(file, "w") as archive:
        _put(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _put(archive, "index.json", json.dumps(index).encode())
        for name, data in blobs.items():
            _put(archive, name, data)


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder, mode, user in (("bin", 0o755, 0), ("etc", 0o755, 0), ("tmp", 0o1777, 0)):
            _make_folder(archive, folder, mode, user)
        for folder in image.folders:
            _make_folder(archive, folder, 0o755, _NOBODY)
        _put(archive, "etc/passwd", _PASSWD)
        for name, program in image.programs.items():
            _put(archive, name.lstrip("/"), program.read_bytes(), 0o755)
        if image.shell:
            _put(archive, "bin/busybox", Path(shutil.which("busybox") or "").read_bytes(), 0o755)
            for applet in _APPLETS:
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
    return buffer.getvalue()


def _put(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    file = tarfile.TarInfo(name)
    file.size, file.mode = len(data), mode
    archive.addfile(file, io.BytesIO(data))


def _make_folder(archive: tarfile.TarFile, name: str, mode: int, user: int) -> None:
    folder = tarfile.TarInfo(name)
    folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, mode, user, user
    archive.addfile(folder)
