"""The companion wheel eryx-science: wheels with stubs, and their modules as translated.

Each package is one archive of both, which eryx unpacks at the first use (`eryx.native._unpacked`).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import lzma
import shutil
import tarfile
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from eryx._eryx import BUILD_ID, VERSION
from eryx.native import _cross, _prebuilt
from eryx.packages._metadata import parse_fields
from eryx.packages._standards import Requirement, parse_wheel_filename
from native import build, ready, recipes
from native.kit import Kit
from toolchain.cache import key_of
from toolchain.errors import BuildError

NAME = "eryx_science"
PLATFORM = "manylinux_2_28_x86_64"
# So that the same contents give the same wheel.
_DATE = (2020, 1, 1, 0, 0, 0)
# So large that modules of a package are found to be alike; unpacking takes as much memory.
_DICTIONARY_BYTES = 64 << 20

_INIT = '''"""Packages for science, for eryx: data only, which ``eryx.science`` reads."""
'''


def _row(name: str, data: bytes) -> tuple[str, str, int]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return name, f"sha256={digest}", len(data)


def write_wheel(files: dict[str, bytes], record: str, *, level: int = 9) -> bytes:
    """A wheel with these files and a RECORD of that name; level: 0 for files as they are."""
    rows: list[tuple[object, ...]] = [_row(name, data) for name, data in files.items()]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in {**files, record: text.getvalue().encode()}.items():
            entry = zipfile.ZipInfo(name, _DATE)
            # What is compressed already, or will be, would only take time to read.
            packed = level == 0 or name.endswith(".xz")
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _read(wheel: bytes, leave_out: tuple[str, ...] = ()) -> tuple[dict[str, bytes], str]:
    """The files of a wheel but for RECORD, and the name of that."""
    files: dict[str, bytes] = {}
    record = ""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for entry in archive.infolist():
            name = entry.filename
            if name.endswith(".dist-info/RECORD"):
                record = name
            elif not entry.is_dir() and not recipes.is_left_out(name, leave_out):
                files[name] = archive.read(entry)
    return files, record


def stubbed(wheel: bytes, leave_out: tuple[str, ...] = ()) -> bytes:
    """A wheel whole, but with stubs for its modules, and without those that are left out."""
    files, record = _read(wheel)
    stubs = {
        name: _prebuilt.stub(data) if name.endswith(".so") else data
        for name, data in files.items()
        if not (name.endswith(".so") and recipes.is_left_out(name, leave_out))
    }
    return write_wheel(stubs, record, level=1)


def compress(files: dict[str, bytes], kit: Kit) -> bytes:
    """An archive (.tar.xz) of files, unless the cache has it."""
    filters: list[dict[str, object]] = [
        {"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": _DICTIONARY_BYTES}
    ]
    if any(name.endswith(".so") for name in files):
        filters.insert(0, {"id": lzma.FILTER_X86})
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    key = key_of({"files": digests, "filters": filters})
    step = "science-archive"

    def make(output: Path) -> None:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(data), 0o600
                archive.addfile(member, io.BytesIO(data))
        packed = lzma.compress(plain.getvalue(), check=lzma.CHECK_CRC64, filters=filters)
        (output / "archive.tar.xz").write_bytes(packed)

    entry = kit.cache.find(step, key) or kit.cache.store(step, key, make)
    return (entry / "archive.tar.xz").read_bytes()


class Pack:
    """What goes into the companion wheel."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.archives: dict[str, dict[str, bytes]] = {}
        self.modules: dict[str, dict[str, object]] = {}
        self.wheels: dict[str, str] = {}
        self.imports: dict[str, list[str]] = {}
        self.versions: dict[str, str] = {}
        self.needs: dict[str, list[str]] = {}
        self.also: dict[str, list[str]] = {}
        self.warm_up: dict[str, str] = {}
        self.bytecode: dict[str, dict[str, str]] = {}
        self.factories: dict[str, dict[str, str]] = {}
        self._with_bytecode: list[str] = []
        self._with_memory: list[str] = []

    def add_recipe(self, name: str) -> None:
        recipe = recipes.load(name)
        added = [self._add_wheel(wheel, recipe.leave_out) for wheel in build.wheels(name, self.kit)]
        if recipe.bytecode:
            self._with_bytecode += added
        if recipe.memory:
            self._with_memory.append(name)
        if recipe.imports:
            self.imports[name] = list(recipe.imports)
        if recipe.warm_up:
            self.warm_up[name] = recipe.warm_up
        if recipe.also:
            self.needs[name] += recipe.also
            self.also[name] = list(recipe.also)

    def _add_wheel(self, wheel: Path, leave_out: tuple[str, ...]) -> str:
        """Gives the name of the package."""
        files, record = _read(wheel.read_bytes(), leave_out)
        name = wheel.name.split("-")[0]
        key = parse_wheel_filename(wheel.name)[0]
        for path, data in files.items():
            if path.endswith(".so"):
                self._add_module(data, f"{name}: {path}", key)
                files[path] = _prebuilt.stub(data)
        self.archives.setdefault(key, {})[wheel.name] = write_wheel(files, record, level=0)
        self.wheels[key] = wheel.name
        metadata = parse_fields(files[f"{record.rpartition('/')[0]}/METADATA"].decode())
        self.versions[key] = metadata["version"][0]
        needed = map(Requirement, metadata.get("requires-dist", []))
        self.needs[key] = [each.name for each in needed if each.counts()]
        # What is called as the package is what a factory imports.
        if any(path.partition("/")[0].removesuffix(".py") == name for path in files):
            self.imports[key] = [name]
        return key

    def _add_module(self, data: bytes, label: str, archive: str, *, is_stub: bool = True) -> None:
        made = build.translate(data, label, self.kit, is_stub=is_stub)
        if made.shown in self.modules:
            return
        code = made.library.read_bytes()
        name = f"{made.shown[:32]}.so"
        self.archives.setdefault(archive, {})[name] = code
        self.modules[made.shown] = {
            "archive": archive,
            "file": name,
            "sha256": hashlib.sha256(code).hexdigest(),
            "needed": made.needed,
        }
        if _cross.CXX_LIBRARY.name in made.needed and is_stub:
            # It comes with eryx itself, so the guest shows the whole of it.
            library = _cross.CXX_LIBRARY
            self._add_module(library.read_bytes(), library.name, library.stem, is_stub=False)

    def contents(self) -> dict[str, bytes]:
        """All files of the package. Raises BuildError if one is missing that another needs."""
        for name, needs in self.needs.items():
            if missing := sorted(set(needs) - self.wheels.keys()):
                raise BuildError(f"{name} needs {', '.join(missing)}, of which there is no recipe")
        self._add_ready()
        with ThreadPoolExecutor(self.kit.jobs) as pool:
            packed = list(pool.map(partial(compress, kit=self.kit), self.archives.values()))
        paths = [f"packages/{name}.tar.xz" for name in self.archives]
        files = dict(zip(paths, packed, strict=True))
        archives = {
            name: {
                "file": path,
                "sha256": hashlib.sha256(data).hexdigest(),
                "files": {each: len(content) for each, content in self.archives[name].items()},
            }
            for name, (path, data) in zip(self.archives, files.items(), strict=True)
        }
        manifest = {**self._manifest(), "archives": dict(sorted(archives.items()))}
        text = json.dumps(manifest, indent=1).encode()
        return {"__init__.py": _INIT.encode(), "manifest.json": text, **files}

    def _manifest(self) -> dict[str, object]:
        """What the companion says of itself, but for the archives."""
        return {
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
            "bytecode": dict(sorted(self.bytecode.items())),
            "factories": dict(sorted(self.factories.items())),
        }

    def _add_ready(self) -> None:
        """Adds what is made of the packages, when all of these are there."""
        hashes = {
            name: key_of({each: hashlib.sha256(data).hexdigest() for each, data in files.items()})
            for name, files in self.archives.items()
        }
        with tempfile.TemporaryDirectory(prefix="eryx-science-") as folder:
            site = Path(folder)
            ready.lay(site, self._manifest(), self.archives)
            for name in self._with_bytecode:
                parts = {name: hashes[name]}
                made = ready.made(name, memory=False, parts=parts, site=site, kit=self.kit)
                self._add_made(name, f"{name}.bytecode", made, self.bytecode)
            for name in self._with_memory:
                parts = {
                    **{each: hashes[each] for each in self._closure(name)},
                    "imports": json.dumps(self.imports.get(name)),
                    "warm_up": self.warm_up.get(name, ""),
                }
                made = ready.made(name, memory=True, parts=parts, site=site, kit=self.kit)
                self._add_made(name, f"{name}.memory", made, self.factories)

    def _closure(self, name: str) -> list[str]:
        """The archives that a package is used with."""
        found = {each for each in self.archives if each not in self.wheels}  # libraries
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self.needs[each]
        return sorted(found)

    def _add_made(
        self, archive: str, file: str, made: dict[str, bytes], entries: dict[str, dict[str, str]]
    ) -> None:
        for key, data in made.items():
            self.archives[archive][file] = data
            digest = hashlib.sha256(data).hexdigest()
            entries[key] = {"archive": archive, "file": file, "sha256": digest}


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
