"""The companion wheel eryx-science: wheels with stubs, and their modules as translated."""

from __future__ import annotations

import base64
import csv
import fnmatch
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

from eryx._eryx import BUILD_ID, VERSION
from eryx.native import _cross, _prebuilt
from eryx.packages._metadata import parse_fields
from eryx.packages._standards import Requirement
from native import build, recipes
from native.kit import Kit
from toolchain.errors import BuildError

NAME = "eryx_science"
PLATFORM = "manylinux_2_28_x86_64"
# So that the same contents give the same wheel.
_DATE = (2020, 1, 1, 0, 0, 0)

_INIT = '''"""Packages for science, for eryx: data only, which ``eryx.science`` reads."""
'''


def _row(name: str, data: bytes) -> tuple[str, str, int]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return name, f"sha256={digest}", len(data)


def write_wheel(files: dict[str, bytes], record: str, *, level: int = 9) -> bytes:
    """A wheel with these files and a RECORD of that name."""
    rows: list[tuple[object, ...]] = [_row(name, data) for name, data in files.items()]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in {**files, record: text.getvalue().encode()}.items():
            entry = zipfile.ZipInfo(name, _DATE)
            # What is compressed already would only take time to read.
            packed = name.endswith(".whl")
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _is_left_out(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _read(wheel: bytes, leave_out: tuple[str, ...] = ()) -> tuple[dict[str, bytes], str]:
    """The files of a wheel but for RECORD, and the name of that."""
    files: dict[str, bytes] = {}
    record = ""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for entry in archive.infolist():
            name = entry.filename
            if name.endswith(".dist-info/RECORD"):
                record = name
            elif not entry.is_dir() and not _is_left_out(name, leave_out):
                files[name] = archive.read(entry)
    return files, record


def stubbed(wheel: bytes, leave_out: tuple[str, ...] = ()) -> bytes:
    """A wheel whole, but with stubs for its modules, and without those that are left out."""
    files, record = _read(wheel)
    stubs = {
        name: _prebuilt.stub(data) if name.endswith(".so") else data
        for name, data in files.items()
        if not (name.endswith(".so") and _is_left_out(name, leave_out))
    }
    return write_wheel(stubs, record, level=1)


class Pack:
    """What goes into the companion wheel."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.files: dict[str, bytes] = {}
        self.modules: dict[str, dict[str, object]] = {}
        self.wheels: dict[str, str] = {}
        self.imports: dict[str, list[str]] = {}
        self.versions: dict[str, str] = {}
        self.needs: dict[str, list[str]] = {}
        self.also: dict[str, list[str]] = {}
        self.warm_up: dict[str, str] = {}

    def add_recipe(self, name: str) -> None:
        recipe = recipes.load(name)
        for wheel in build.wheels(name, self.kit):
            self._add_wheel(wheel, recipe.leave_out)
        if recipe.imports:
            self.imports[name] = list(recipe.imports)
        if recipe.warm_up:
            self.warm_up[name] = recipe.warm_up
        if recipe.also:
            self.needs[name] += recipe.also
            self.also[name] = list(recipe.also)

    def _add_wheel(self, wheel: Path, leave_out: tuple[str, ...]) -> None:
        files, record = _read(wheel.read_bytes(), leave_out)
        for name, data in files.items():
            if name.endswith(".so"):
                self._add_module(data, f"{wheel.name.split('-')[0]}: {name}")
                files[name] = _prebuilt.stub(data)
        target = f"wheels/{wheel.name}"
        self.files[target] = write_wheel(files, record)
        name = wheel.name.split("-")[0]
        key = name.replace("_", "-").lower()
        self.wheels[key] = target
        metadata = parse_fields(files[f"{record.rpartition('/')[0]}/METADATA"].decode())
        self.versions[key] = metadata["version"][0]
        needed = map(Requirement, metadata.get("requires-dist", []))
        self.needs[key] = [each.name for each in needed if each.counts()]
        # What is called as the package is what a factory imports.
        if any(path.partition("/")[0].removesuffix(".py") == name for path in files):
            self.imports[key] = [name]

    def _add_module(self, data: bytes, label: str, *, is_stub: bool = True) -> None:
        made = build.translate(data, label, self.kit, is_stub=is_stub)
        code = made.library.read_bytes()
        name = f"modules/{made.shown[:32]}.so"
        self.files[name] = code
        self.modules[made.shown] = {
            "file": name,
            "sha256": hashlib.sha256(code).hexdigest(),
            "needed": made.needed,
        }
        if _cross.CXX_LIBRARY.name in made.needed and is_stub:
            # It comes with eryx itself, so the guest shows the whole of it.
            library = _cross.CXX_LIBRARY
            self._add_module(library.read_bytes(), library.name, is_stub=False)

    def contents(self) -> dict[str, bytes]:
        """All files of the package. Raises BuildError if one is missing that another needs."""
        for name, needs in self.needs.items():
            if missing := sorted(set(needs) - self.wheels.keys()):
                raise BuildError(f"{name} needs {', '.join(missing)}, of which there is no recipe")
        manifest = {
            "format": _prebuilt.FORMAT,
            "version": VERSION,
            "build": BUILD_ID,
            "wheels": dict(sorted(self.wheels.items())),
            "imports": self.imports,
            "versions": self.versions,
            "also": self.also,
            "warm_up": self.warm_up,
            "needs": {name: sorted(set(needs)) for name, needs in self.needs.items()},
            "modules": dict(sorted(self.modules.items())),
        }
        text = json.dumps(manifest, indent=1).encode()
        return {"__init__.py": _INIT.encode(), "manifest.json": text, **self.files}


def target(output: Path) -> Path:
    """Where the companion wheel lies in a folder."""
    return output / f"{NAME}-{VERSION}-py3-none-{PLATFORM}.whl"


def pack(names: list[str], output: Path, kit: Kit) -> Path:
    """Builds the companion wheel of these recipes; gives its path."""
    collected = Pack(kit)
    for name in names:
        collected.add_recipe(name)
    info = f"{NAME}-{VERSION}.dist-info"
    tag = f"py3-none-{PLATFORM}"
    metadata = [
        "Metadata-Version: 2.4",
        "Name: eryx-science",
        f"Version: {VERSION}",
        "Summary: numpy, pandas and others for sandboxes of eryx, ready to run",
        "Requires-Python: >=3.11",
        f"Requires-Dist: eryx-sandbox=={VERSION}",
        "",
    ]
    wheel = ["Wheel-Version: 1.0", "Generator: eryx", "Root-Is-Purelib: false", f"Tag: {tag}", ""]
    files = {f"{NAME}/{name}": data for name, data in collected.contents().items()}
    files[f"{info}/METADATA"] = "\n".join(metadata).encode()
    files[f"{info}/WHEEL"] = "\n".join(wheel).encode()
    data = write_wheel(files, f"{info}/RECORD")
    output.mkdir(parents=True, exist_ok=True)
    path = target(output)
    path.write_bytes(data)
    return path


def unpack(wheel: Path, folder: Path) -> None:
    """Unpacks the companion wheel into a folder of its own, which can be put on sys.path."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
