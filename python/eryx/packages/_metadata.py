"""Core metadata, RECORD and entry points: the files of a .dist-info directory."""

from __future__ import annotations

from dataclasses import dataclass, field

from eryx._errors import InitializationError
from eryx.packages._standards import (
    GUEST_VERSION,
    Requirement,
    canonicalize_name,
    parse_version,
    wants_other_python,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_INSTALLER = b"eryx\n"
_MAX_SHOWN = 200  # of what is wrong
_MAX_REQUIREMENTS = 10_000


@dataclass
class Metadata:
    """What a package says of itself."""

    name: str
    version: str
    requires_python: str = ""
    requires: list[str] = field(default_factory=list)


def parse_fields(text: str) -> dict[str, list[str]]:
    """The fields of a file such as METADATA by their names in lower case; the body is left out."""
    fields: dict[str, list[str]] = {}
    last: list[str] = []
    for line in text.splitlines():
        # One of spaces belongs to the field before it, such as a licence with paragraphs.
        if not line:
            break
        if line[0] in " \t":
            if last:
                last[-1] += "\n" + line.strip()
            continue
        key, colon, value = line.partition(":")
        if colon:
            last = fields.setdefault(key.strip().lower(), [])
            last.append(value.strip())
    return fields


def read_metadata(label: str, entry: str, data: bytes) -> Metadata:
    """Reads METADATA or PKG-INFO; raises InitializationError if it has no name or version."""
    fields = parse_fields(data.decode("utf-8", "replace"))
    try:
        name, version = fields["name"][0], fields["version"][0]
        parse_version(version)
        canonicalize_name(name, validate=True)
        if len(fields.get("requires-dist", ())) > _MAX_REQUIREMENTS:
            raise ValueError(f"it has more than {_MAX_REQUIREMENTS:,} requirements")
    except KeyError as error:
        raise InitializationError(f"{label}: {entry} has no field {error}") from None
    except ValueError as error:
        raise InitializationError(f"{label}: {entry}: {str(error)[:_MAX_SHOWN]}") from None
    return Metadata(
        name,
        version,
        fields.get("requires-python", [""])[0],
        fields.get("requires-dist", []),
    )


def check_python(label: str, requires_python: str) -> None:
    """Raises InitializationError if the guest's Python is not one that a package is for."""
    if wants_other_python(requires_python):
        raise InitializationError(
            f"{label}: needs Python {requires_python}, but the sandbox has {GUEST_VERSION}"
        )


def readable_requirements(texts: Iterable[str]) -> list[Requirement]:
    """Those requirements that can be read. Others are left to the import that will miss them."""
    found = []
    for text in texts:
        try:
            found.append(Requirement(text))
        except ValueError:
            continue
    return found


def record_line(path: str, data: bytes) -> str:
    """The line of a file in RECORD."""
    import base64
    import hashlib

    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    shown = '"' + path.replace('"', '""') + '"' if "," in path or '"' in path else path
    return f"{shown},sha256={digest},{len(data)}\n"


def write_dist_info(directory: str, files: dict[str, bytes]) -> None:
    """Adds what an installer adds to the files of one package: RECORD and INSTALLER."""
    files[f"{directory}/INSTALLER"] = _INSTALLER
    files.pop(f"{directory}/RECORD", None)
    lines = [record_line(path, data) for path, data in sorted(files.items())]
    lines.append(f"{directory}/RECORD,,\n")
    files[f"{directory}/RECORD"] = "".join(lines).encode()


def make_metadata(
    metadata: Metadata, extras: Mapping[str, list[str]], version: str = "2.1"
) -> bytes:
    """A METADATA file for a package that comes without one."""
    lines = [
        f"Metadata-Version: {version}",
        f"Name: {metadata.name}",
        f"Version: {metadata.version}",
    ]
    if metadata.requires_python:
        lines.append(f"Requires-Python: {metadata.requires_python}")
    lines += [f"Requires-Dist: {text}" for text in metadata.requires]
    for extra, requirements in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {with_extra(text, extra)}" for text in requirements]
    return "".join(" ".join(line.split()) + "\n" for line in lines).encode()


def with_extra(requirement: str, extra: str) -> str:
    """A requirement that counts only with an extra."""
    head, semicolon, marker = requirement.partition(";")
    if semicolon:
        return f'{head.strip()}; ({marker.strip()}) and extra == "{extra}"'
    return f'{head.strip()}; extra == "{extra}"'
