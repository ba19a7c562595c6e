"""Makes wheels and archives for tests, good ones and bad ones."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Files = Mapping[str, str | bytes]


def encoded(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def zip_bytes(files: Files, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path), encoded(data), compress_type=compression)
    return buffer.getvalue()


def wheel_bytes(
    files: Files,
    *,
    name: str = "greet",
    version: str = "1.0",
    tags: tuple[str, ...] = ("py3-none-any",),
    metadata: str = "",
    wheel_version: str = "1.0",
    more: Files | None = None,
) -> bytes:
    """A wheel with a RECORD as it should be; `more` comes into the archive after it was made."""
    info = f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}"
    tag_lines = "".join(f"Tag: {tag}\n" for tag in tags)
    contents = {path: encoded(data) for path, data in files.items()}
    contents.setdefault(f"{info}/METADATA", head.encode())
    contents.setdefault(
        f"{info}/WHEEL",
        f"Wheel-Version: {wheel_version}\nRoot-Is-Purelib: true\n{tag_lines}".encode(),
    )
    lines = []
    for path, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    contents.setdefault(f"{info}/RECORD", "".join([*lines, f"{info}/RECORD,,\n"]).encode())
    return zip_bytes({**contents, **(more or {})})


def tar_bytes(files: Files, *, members: list[tarfile.TarInfo] | None = None) -> bytes:
    """A compressed tar file with files and with members that have no contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(encoded(data))
            archive.addfile(member, io.BytesIO(encoded(data)))
        for member in members or ():
            archive.addfile(member)
    return gzip.compress(buffer.getvalue())


def tar_member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member
