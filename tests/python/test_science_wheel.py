"""Wheels with stubs in the place of modules, and the companion that has the translations."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import eryx
from eryx import _science, science
from eryx.native import NativeModuleError, _compile, _prebuilt, _wasm, from_files
from native_helpers import SOURCES, SUFFIX, built
from wheel_files import wheel_bytes

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

NAME = "spam-1.0-cp314-cp314-wasi_wasm32.whl"
MISSING = "the packages for science are not installed: pip install eryx-science"
USE = "import spam; print(spam.count(), spam.count())"


@pytest.fixture(scope="module")
def companion(tmp_path_factory: pytest.TempPathFactory, one_cache_of_zig: None) -> Path:
    """A companion with one package, which has one native module, and another one that needs it."""
    folder = tmp_path_factory.mktemp("site") / "eryx_science"
    (folder / "wheels").mkdir(parents=True)
    (folder / "modules").mkdir()
    data = built(SOURCES / "spam.c", folder).read_bytes()
    (folder / f"spam{SUFFIX}").unlink()
    stub = _prebuilt.stub(data)
    cache = _compile._private_directory(_compile.default_cache())
    library = _compile.build(_wasm.parse(data), stub, folder / "modules", cache)
    wheels = {"spam": NAME, "toast": "toast-2.0-py3-none-any.whl"}
    contents = {
        "spam": wheel_bytes(
            {f"spam{SUFFIX}": stub}, name="spam", tags=("cp314-cp314-wasi_wasm32",)
        ),
        "toast": wheel_bytes(
            {"toast.py": "import spam"},
            name="toast",
            version="2.0",
            metadata="Requires-Dist: spam>=1\n",
        ),
    }
    for name, file in wheels.items():
        (folder / "wheels" / file).write_bytes(contents[name])
    manifest = {
        "format": 2,
        "version": eryx.__version__,
        "build": eryx._eryx.BUILD_ID,
        "wheels": {name: f"wheels/{file}" for name, file in wheels.items()},
        "imports": {"spam": ["spam"], "toast": ["toast"]},
        "versions": {"spam": "1.0", "toast": "2.0"},
        "needs": {"spam": [], "toast": ["spam"]},
        "also": {},
        "warm_up": {},
        "modules": {
            hashlib.sha256(stub).hexdigest(): {
                "file": f"modules/{library.name}",
                "sha256": hashlib.sha256(library.read_bytes()).hexdigest(),
                "needed": [],
            }
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def installed(companion: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The companion, found as an installed package is."""
    monkeypatch.syspath_prepend(str(companion.parent))
    monkeypatch.setattr(_prebuilt, "installed", _prebuilt.installed.__wrapped__)
    for module in (science, _science):
        monkeypatch.setattr(module, "installed", _prebuilt.installed)
    return companion


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if eryx-science were not installed."""
    monkeypatch.setattr(_prebuilt, "installed", lambda: None)
    for module in (science, _science):
        monkeypatch.setattr(module, "installed", lambda: None)


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

    def test_code_that_was_changed_is_not_opened(
        self, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = _copied(installed, tmp_path)
        (victim,) = (copy / "modules").glob("*.so")
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(eryx.InitializationError, match=str(victim)):
            science.factory("spam", cache=False)


def _copied(companion: Path, target: Path) -> Path:
    import shutil

    return Path(shutil.copytree(companion, target / companion.name))


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
