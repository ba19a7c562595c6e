"""Wheels with stubs in the place of modules, and the companion that has the translations."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import eryx
from eryx import _factory, _science, science
from eryx._cli import main
from eryx.native import NativeModuleError, _compile, _prebuilt, _unpacked, _wasm, from_files
from eryx.packages import _bytecode
from eryx.packages._prebuilt import prebuilt_again
from native import ready
from native_helpers import SOURCES, SUFFIX, built
from wheel_files import wheel_bytes

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

NAME = "spam-1.0-cp314-cp314-wasi_wasm32.whl"
MISSING = "the packages for science are not installed: pip install eryx-science"
CODE = "code.so"
USE = "import spam; print(spam.count(), spam.count())"
SET_UP = "from spam import count\nready = [count(), hash('a')]\n"


def users(installed: Path, count: int, *, cache: bool) -> list[subprocess.Popen[str]]:
    """Processes that use the companion, all at once."""
    program = (
        f"import sys; sys.path.insert(0, {str(installed.parent)!r}); import eryx.science\n"
        f"factory = eryx.science.factory('toast', cache={cache})\n"
        f"print(factory.create_sandbox().execute({USE!r}).stdout)"
    )
    command = [sys.executable, "-c", program]
    return [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]


@pytest.fixture(scope="module")
def companion(tmp_path_factory: pytest.TempPathFactory, one_cache_of_zig: None) -> Path:
    """A companion with one package, which has one native module, and another one that needs it."""
    folder = tmp_path_factory.mktemp("site") / "eryx_science"
    (folder / "packages").mkdir(parents=True)
    work = tmp_path_factory.mktemp("work")
    data = built(SOURCES / "spam.c", work).read_bytes()
    stub = _prebuilt.stub(data)
    cache = _compile._private_directory(_compile.default_cache())
    library = _compile.build(_wasm.parse(data), stub, work, cache).read_bytes()
    wheel = wheel_bytes({f"spam{SUFFIX}": stub}, name="spam", tags=("cp314-cp314-wasi_wasm32",))
    toast = wheel_bytes(
        {"toast.py": "import spam"},
        name="toast",
        version="2.0",
        metadata="Requires-Dist: spam>=1\n",
    )
    manifest = {
        "format": _prebuilt.FORMAT,
        "version": eryx.__version__,
        "build": eryx._eryx.BUILD_ID,
        "wheels": {"spam": NAME, "toast": "toast-2.0-py3-none-any.whl"},
        "imports": {"spam": ["spam"], "toast": ["toast"]},
        "versions": {"spam": "1.0", "toast": "2.0"},
        "needs": {"spam": [], "toast": ["spam"]},
        "also": {},
        "warm_up": {},
        "archives": {
            "spam": _packed(folder / "packages" / "spam.tar.xz", {NAME: wheel, CODE: library}),
            "toast": _packed(
                folder / "packages" / "toast.tar.xz", {"toast-2.0-py3-none-any.whl": toast}
            ),
        },
        "modules": {
            hashlib.sha256(stub).hexdigest(): {
                "archive": "spam",
                "file": CODE,
                "sha256": hashlib.sha256(library).hexdigest(),
                "needed": [],
            }
        },
        "bytecode": {},
        "factories": {},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _packed(path: Path, files: dict[str, bytes]) -> dict[str, object]:
    """Writes an archive; gives what the manifest says of it."""
    with tarfile.open(path, "w:xz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return {
        "file": f"packages/{path.name}",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "files": {name: len(data) for name, data in files.items()},
    }


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that nothing was unpacked to."""
    folder = tmp_path_factory.mktemp("caches") / "cache"
    monkeypatch.setenv("ERYX_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def installed(companion: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The companion, found as an installed package is."""
    monkeypatch.syspath_prepend(str(companion.parent))
    monkeypatch.setattr(_prebuilt, "installed", _prebuilt.installed.__wrapped__)
    monkeypatch.setattr(_science, "installed", _prebuilt.installed)
    return companion


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if eryx-science were not installed."""
    monkeypatch.setattr(_prebuilt, "installed", lambda: None)
    monkeypatch.setattr(_science, "installed", lambda: None)


class TestFinding:
    """Names of packages, and what comes of them."""

    def test_a_wheel_by_its_name(self, installed: Path) -> None:
        found = science.find("Spam")
        assert found is not None
        assert found.name == NAME
        assert science.find("ham") is None

    def test_what_a_package_needs_comes_along(self, installed: Path) -> None:
        found = [path.name for path in science.wheels(["toast"])]
        assert found == [NAME, "toast-2.0-py3-none-any.whl"]

    @pytest.mark.parametrize("name", ["spam", "spam==1.0", "SPAM>=0.9,<2"])
    def test_factories_take_names(self, installed: Path, name: str) -> None:
        made = eryx.SandboxFactory(packages=[name])
        assert made.create_sandbox().execute(USE).stdout == "1 2"

    def test_factories_take_names_beside_paths(self, installed: Path, tmp_path: Path) -> None:
        (tmp_path / "ham").mkdir()
        (tmp_path / "ham" / "__init__.py").write_text("import toast; print('ham')")
        made = eryx.SandboxFactory(packages=[tmp_path / "ham", "toast"])
        assert made.create_sandbox().execute("import ham").stdout == "ham"

    def test_a_path_goes_before_a_name(
        self, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "spam").mkdir()
        (tmp_path / "spam" / "__init__.py").write_text("print('of this folder')")
        monkeypatch.chdir(tmp_path)
        made = eryx.SandboxFactory(packages=["spam"])
        assert made.create_sandbox().execute("import spam").stdout == "of this folder"

    def test_science_factories_import(self, installed: Path, tmp_path: Path) -> None:
        made = science.factory("toast", cache=tmp_path)
        assert made.imports == ("toast",)
        loaded = "import sys; print('spam' in sys.modules)"
        assert made.create_sandbox().execute(loaded).stdout == "True"
        assert len(list(tmp_path.iterdir())) == 1
        again = science.factory("toast", cache=tmp_path, imports=["spam"], setup_code="x = 1")
        assert again.imports == ("spam",)

    def test_what_is_unknown_is_named(self, installed: Path) -> None:
        with pytest.raises(eryx.InitializationError, match=r"^ham: there is no such file, and"):
            science.factory("ham")
        with pytest.raises(
            eryx.InitializationError, match=r"^spam>=3: eryx-science has spam 1\.0$"
        ):
            eryx.SandboxFactory(packages=["spam>=3"])
        with pytest.raises(eryx.InitializationError, match="is not a requirement"):
            science.wheels(["spam >"])

    def test_without_the_wheel_an_error_says_how_to_get_it(self, absent: None) -> None:
        assert science.find("numpy") is None
        with pytest.raises(eryx.InitializationError) as caught:
            science.factory("numpy")
        assert str(caught.value) == f"numpy: {MISSING}"
        with pytest.raises(eryx.InitializationError) as caught:
            eryx.SandboxFactory(packages=["numpy"])
        assert str(caught.value) == f"numpy: {MISSING}"


class TestStubs:
    """What stands for modules in the wheels."""

    def test_a_stub_is_a_few_bytes(self) -> None:
        made = _prebuilt.stub(b"\0asm" + bytes(1000))
        assert len(made) == 56
        assert _prebuilt.is_stub(made)
        assert not _prebuilt.is_stub(made[:-1])
        assert not _prebuilt.is_stub(b"\0asm\1\0\0\0")

    def test_a_stub_of_what_is_not_there(self, absent: None) -> None:
        with pytest.raises(NativeModuleError) as caught:
            from_files({"ham.whl: ham.so": _prebuilt.stub(b"ham")})
        assert str(caught.value) == (
            "ham.whl: ham.so: its translation is in a package that is missing: "
            "pip install eryx-science"
        )

    def test_files_of_factories(self, installed: Path, tmp_path: Path) -> None:
        science.factory("spam", cache=False).save(tmp_path / "spam.factory")
        loaded = eryx.SandboxFactory.load(tmp_path / "spam.factory")
        assert loaded.create_sandbox().execute(USE).stdout == "1 2"

    @pytest.mark.parametrize("field", ["build", "format"])
    def test_another_build_is_refused(
        self, installed: Path, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = _copied(installed, tmp_path)
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest[field] = "0"
        (copy / "manifest.json").write_text(json.dumps(manifest))
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(eryx.InitializationError, match="was made for another build of eryx"):
            eryx.SandboxFactory(packages=["spam"])

    def test_a_damaged_companion_is_named(
        self, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = _copied(installed, tmp_path)
        (copy / "manifest.json").write_text("{")
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(eryx.InitializationError, match="eryx-science is damaged") as caught:
            science.find("spam")
        assert str(caught.value).startswith(str(copy))

    def test_code_that_was_changed_is_not_opened(self, installed: Path, own_cache: Path) -> None:
        science.find("spam")
        (victim,) = own_cache.glob(f"native/science-*/{CODE}")
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
        with pytest.raises(eryx.InitializationError, match=str(victim)):
            science.factory("spam", cache=False)


class TestPrecompile:
    """``eryx precompile`` takes names, so that no first use has to unpack them."""

    def test_by_name(
        self, installed: Path, own_cache: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["precompile", "toast"]) == 0
        (code,) = own_cache.glob(f"native/science-*/{CODE}")
        assert capsys.readouterr().out == f"spam{SUFFIX}: {code}\n"


class TestUnpacking:
    """Packages lie compressed in the companion, and are unpacked at the first use."""

    def test_once_and_only_what_is_used(self, installed: Path, own_cache: Path) -> None:
        made = science.find("toast")
        assert made is not None
        (folder,) = own_cache.glob("native/science-*")
        assert made.parent == folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        before = made.stat()
        assert science.find("toast") == made
        assert made.stat().st_mtime_ns == before.st_mtime_ns
        science.wheels(["toast"])
        assert sorted(path.name for path in own_cache.glob("native/science-*/*")) == sorted(
            [CODE, NAME, made.name]
        )

    def test_several_at_once(self, installed: Path, own_cache: Path) -> None:
        """All get the same, and nothing of their work is left."""
        started = users(installed, 4, cache=False)
        with ThreadPoolExecutor(4) as pool:
            paths = list(pool.map(lambda _: science.wheels(["toast"]), range(8)))
        assert all(each == paths[0] for each in paths)
        assert [process.communicate()[0] for process in started] == ["1 2\n"] * 4
        assert len(list((own_cache / "native").glob("*science-*"))) == 2

    @pytest.mark.parametrize("damage", ["missing", "short", "gone"])
    def test_what_was_damaged_is_unpacked_again(
        self, installed: Path, own_cache: Path, damage: str
    ) -> None:
        science.find("spam")
        (code,) = own_cache.glob(f"native/science-*/{CODE}")
        if damage == "short":
            code.write_bytes(b"")
        elif damage == "missing":
            code.unlink()
        else:
            shutil.rmtree(own_cache)
        made = science.factory("spam", cache=False)
        assert made.create_sandbox().execute(USE).stdout == "1 2"

    def test_an_archive_that_was_damaged_is_named(
        self, installed: Path, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive = _copied(installed, tmp_path) / "packages" / "spam.tar.xz"
        data = bytearray(archive.read_bytes())
        data[len(data) // 2] ^= 1
        archive.write_bytes(data)
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(eryx.InitializationError, match="eryx-science is damaged") as caught:
            science.find("spam")
        assert str(caught.value).startswith(str(archive))
        archive.unlink()
        with pytest.raises(eryx.InitializationError, match="it cannot be read"):
            science.find("spam")
        assert list((own_cache / "native").iterdir()) == []

    def test_without_lzma_an_error_says_so(
        self, installed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "lzma", None)
        with pytest.raises(eryx.InitializationError, match="without the module lzma"):
            science.find("spam")

    @pytest.fixture
    def temporary(
        self, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Path]:
        """A place for folders of a process whose cache folder cannot be made."""
        own_cache.write_text("a file in its place")
        folder = tmp_path / "temporary"
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        _unpacked._of_this_process.cache_clear()
        yield folder
        _unpacked._of_this_process.cache_clear()

    def test_where_nothing_can_be_kept(self, installed: Path, temporary: Path) -> None:
        """It lies in a folder of this process, which no guest may write to."""
        made = eryx.SandboxFactory(packages=["spam"])
        assert made.create_sandbox().execute(USE).stdout == "1 2"
        (folder,) = temporary.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with pytest.raises(eryx.InitializationError, match="must not write"):
            eryx.Sandbox(volumes=[(temporary, "/there", False)])

    def test_such_a_folder_goes_with_the_process(self, installed: Path, temporary: Path) -> None:
        program = (
            f"import sys; sys.path.insert(0, {str(installed.parent)!r}); import eryx.science\n"
            "print(eryx.science.find('spam'))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        assert done.stdout.startswith(str(temporary))
        assert list(temporary.iterdir()) == []

    def test_where_there_is_no_room_at_all(self, installed: Path, temporary: Path) -> None:
        temporary.rmdir()
        with pytest.raises(eryx.InitializationError) as caught:
            science.find("spam")
        assert str(caught.value).startswith("spam.tar.xz cannot be unpacked: ")
        assert "ERYX_CACHE_DIR" in str(caught.value)

    def test_a_folder_of_others_is_refused(self, installed: Path, own_cache: Path) -> None:
        (own_cache / "native").mkdir(parents=True)
        (own_cache / "native").chmod(0o777)
        with pytest.raises(eryx.InitializationError, match="other users"):
            science.find("spam")

    def test_locks_find_a_wheel_where_it_is_now(self, installed: Path, own_cache: Path) -> None:
        """Those that were made before the cache was emptied."""
        wheel = science.find("spam")
        assert wheel is not None
        assert prebuilt_again(str(wheel)) == str(wheel)
        shutil.rmtree(own_cache)
        again = prebuilt_again(f"/elsewhere/{NAME}")
        assert again == str(wheel)
        assert wheel.exists()
        assert prebuilt_again("/elsewhere/ham.whl") == "/elsewhere/ham.whl"


def _copied(companion: Path, target: Path) -> Path:
    return Path(shutil.copytree(companion, target / companion.name))


class Made:
    """What was frozen and compiled by this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frozen = self.compiled = 0
        build, compile_all = _factory._build, _bytecode._compile_all

        def counted_build(*given: Any) -> bytes:
            self.frozen += 1
            return build(*given)

        def counted_compile(*given: Any) -> _bytecode.Bytecode:
            self.compiled += 1
            return compile_all(*given)

        monkeypatch.setattr(_factory, "_build", counted_build)
        monkeypatch.setattr(_bytecode, "_compile_all", counted_compile)


@pytest.fixture(scope="module")
def with_ready(companion: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The companion with the bytecode of one package, and the memory of a factory of it."""
    copy = _copied(companion, tmp_path_factory.mktemp("ready"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["warm_up"] = {"toast": SET_UP}
    archive = manifest["archives"]["toast"]
    with tarfile.open(copy / archive["file"]) as reader:
        files = {member.name: _member(reader, member) for member in reader}
    archives = {"toast": files}
    spam = manifest["archives"]["spam"]
    with tarfile.open(copy / spam["file"]) as reader:
        archives["spam"] = {member.name: _member(reader, member) for member in reader}
    site = tmp_path_factory.mktemp("site")
    ready.lay(site, manifest, archives)
    for memory, kind in ((False, "bytecode"), (True, "factories")):
        output = tmp_path_factory.mktemp(kind)
        ready.run(output, name="toast", memory=memory, site=site)
        (made,) = (output / "made").iterdir()
        files[kind] = made.read_bytes()
        digest = hashlib.sha256(files[kind]).hexdigest()
        manifest[kind] = {made.name: {"archive": "toast", "file": kind, "sha256": digest}}
    manifest["archives"]["toast"] = _packed(copy / archive["file"], files)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


class TestReady:
    """What factories would have to make first is there already."""

    SHOW = "print(ready, toast.spam is spam, count())"

    @pytest.fixture
    def made(self, with_ready: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
        """What is made although the companion has it; nothing was compiled yet."""
        monkeypatch.syspath_prepend(str(with_ready.parent))
        monkeypatch.setattr(_bytecode, "_kept", {})
        return Made(monkeypatch)

    def test_it_is_taken(self, made: Made, own_cache: Path) -> None:
        factory = science.factory("toast")
        assert (made.frozen, made.compiled) == (0, 0)
        assert (factory.imports, factory.has_setup_code) == (("toast",), True)
        assert sorted(factory.packages) == [("spam", "1.0"), ("toast", "2.0")]
        shown = factory.create_sandbox().execute("import toast, spam; " + self.SHOW).stdout
        assert list(own_cache.glob("factories/*")) == []
        again = eryx.SandboxFactory(packages=["toast"], imports=["toast"], setup_code=SET_UP)
        assert made.frozen == 0
        assert again.create_sandbox().execute("import toast, spam; " + self.SHOW).stdout == shown

    def test_results_are_those_of_one_that_was_made(self, made: Made) -> None:
        program = "import toast, spam; " + self.SHOW
        taken = science.factory("toast")
        limits = eryx.ResourceLimits(execution_timeout_ms=60_000)
        own = science.factory("toast", cache=False, resource_limits=limits)
        assert (made.frozen, made.compiled) == (1, 0)
        first, second = (each.create_sandbox().execute(program).stdout for each in (taken, own))
        assert first == second
        draw = "import random; result = [random.random() for _ in range(4)]"
        numbers = [taken.create_sandbox().execute(draw).result for _ in range(2)]
        assert numbers[0] != numbers[1]

    def test_it_is_a_factory_as_any_other(self, made: Made, tmp_path: Path) -> None:
        science.factory("toast").save(tmp_path / "toast.factory")
        loaded = eryx.SandboxFactory.load(tmp_path / "toast.factory")
        assert loaded.imports == ("toast",)
        session = loaded.create_session()
        assert session.execute("import spam; result = spam.count()").result == 2

    @pytest.mark.parametrize(
        "options",
        [
            {"imports": ["spam"]},
            {"setup_code": "x = 1"},
            {"callbacks": [{"name": "greet", "fn": lambda: None}]},
            {"resource_limits": eryx.ResourceLimits(max_memory_bytes=1 << 28)},
            {"packages": ["spam"]},
        ],
        ids=lambda options: next(iter(options)),
    )
    def test_another_factory_is_made(self, made: Made, options: dict[str, Any]) -> None:
        """Of the same bytecode."""
        more = options.pop("packages", [])
        names = ["toast", *more]
        factory = science.factory(*names, cache=False, **options)
        assert (made.frozen, made.compiled) == (1, 0)
        assert factory.create_sandbox().execute(USE).stdout in ("1 2", "2 3")

    def test_a_folder_of_the_caller_gets_its_own(self, made: Made, tmp_path: Path) -> None:
        science.factory("toast", cache=tmp_path / "factories")
        assert made.frozen == 1
        assert len(list((tmp_path / "factories").iterdir())) == 1

    def test_what_was_changed_is_not_used(self, made: Made, own_cache: Path) -> None:
        science.find("toast")
        for name in ("bytecode", "factories"):
            (path,) = own_cache.glob(f"native/science-*/{name}")
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)
        factory = science.factory("toast")
        assert (made.frozen, made.compiled) == (1, 1)
        assert factory.create_sandbox().execute(USE).stdout == "2 3"

    def test_memory_of_another_image_is_not_used(
        self, made: Made, own_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it differs from is not what this eryx begins with."""
        read = _prebuilt.Prebuilt.frozen

        def other(self: _prebuilt.Prebuilt, key: str) -> bytes | None:
            data = read(self, key)
            assert data is not None
            return data[:48] + bytes([data[48] ^ 1]) + data[49:]

        monkeypatch.setattr(_prebuilt.Prebuilt, "frozen", other)
        factory = science.factory("toast")
        assert made.frozen == 1
        assert factory.create_sandbox().execute(USE).stdout == "2 3"

    def test_where_nothing_can_be_kept(
        self, made: Made, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own_cache.write_text("a file in its place")
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        _unpacked._of_this_process.cache_clear()
        try:
            science.factory("toast", cache=False)
            assert (made.frozen, made.compiled) == (0, 0)
        finally:
            _unpacked._of_this_process.cache_clear()

    def test_several_processes_at_once(self, with_ready: Path, own_cache: Path) -> None:
        started = users(with_ready, 3, cache=True)
        assert [process.communicate()[0] for process in started] == ["2 3\n"] * 3
        assert list(own_cache.glob("factories/*")) == list(own_cache.glob("packages/*")) == []

    def test_it_is_laid_ahead_of_time(self, made: Made, own_cache: Path) -> None:
        assert main(["precompile", "toast"]) == 0
        for path in own_cache.glob("native/science-*/*"):
            assert path.stat().st_size > 0
        assert len(list(own_cache.glob("native/science-*/factories"))) == 1
        science.factory("toast")
        assert (made.frozen, made.compiled) == (0, 0)


def _member(reader: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    data = reader.extractfile(member)
    assert data is not None
    return data.read()


class TestMemory:
    """Sandboxes of factories with native modules may take more."""

    USE = "a = bytearray(200 << 20); print(len(a) >> 20)"

    def test_there_are_512_mebibytes(self, installed: Path) -> None:
        made = science.factory("spam", cache=False)
        assert made.create_sandbox().execute(self.USE).stdout == "200"
        assert made.create_session().execute(self.USE).stdout == "200"
        with made.create_pool(max_size=1) as pool, pool.acquire() as sandbox:
            assert sandbox.execute(self.USE).stdout == "200"

    def test_other_limits_do_not_change_it(self, installed: Path) -> None:
        made = science.factory("spam", cache=False)
        limits = eryx.ResourceLimits(execution_timeout_ms=20_000)
        assert made.create_sandbox(resource_limits=limits).execute(self.USE).stdout == "200"
        assert limits == eryx.ResourceLimits(execution_timeout_ms=20_000)

    @pytest.mark.parametrize("most", [134_217_728, 64 << 20])
    def test_what_the_caller_says_holds(self, installed: Path, most: int) -> None:
        made = science.factory("spam", cache=False)
        limits = eryx.ResourceLimits(max_memory_bytes=int(str(most)))
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            made.create_sandbox(resource_limits=limits).execute(self.USE)

    def test_plain_factories_have_what_they_had(self) -> None:
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            eryx.SandboxFactory(setup_code="x = 1").create_sandbox().execute(self.USE)
