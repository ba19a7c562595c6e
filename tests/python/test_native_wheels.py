"""Wheels with native modules: translated, built, and the commands for that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import eryx
from eryx import native
from eryx.native import NativeModuleError
from native_helpers import (
    I32,
    ROOT,
    SUFFIX,
    VOID,
    body,
    custom,
    function_module,
    make_wheel,
    module,
    section,
    session,
)
from toolchain import wasm_binary as wasm
from toolchain.leaves import binary

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")


class TestWheels:
    def test_all_modules_of_a_wheel(self, tmp_path: Path) -> None:
        one, two = function_module(0x41, 6), function_module(0x41, 7)
        wheel = make_wheel(
            tmp_path / "a.whl", {"a/one.so": one, "a/two.so": two, "a/__init__.py": b""}
        )
        assert [module.name for module in native.from_wheel(wheel)] == ["one.so", "two.so"]

    def test_modules_that_need_each_other(self, tmp_path: Path) -> None:
        provider = module(
            section(1, I32),
            section(3, b"\0"),
            section(7, wasm.Export("answer_of_library", 0, 0).encode()),
            section(10, body(0x41, 42)),
        )
        needed = binary.encode_vector([binary.encode_name("libanswer.so")])
        needs = b"".join(map(binary.encode_unsigned, (0, 0, 0, 0)))
        user = module(
            section(1, I32, VOID, b"\x60\1\x7f\1\x7f"),
            section(
                2,
                wasm.Import("env", "answer_of_library", 0, b"\0").encode(),
                wasm.Import("env", "PyLong_FromLong", 0, b"\2").encode(),
            ),
            section(3, b"\0"),
            section(7, wasm.Export("PyInit_user", 0, 2).encode()),
            section(10, body(0x10, 0, 0x10, 1)),
            needs=custom(
                "dylink.0",
                b"\1\4" + needs + b"\2" + binary.encode_unsigned(len(needed)) + needed,
            ),
        )
        wheel = make_wheel(tmp_path / "b.whl", {"b/user.so": user, "b/libanswer.so": provider})
        modules = native.from_wheel(wheel)
        assert [one.name for one in modules] == ["libanswer.so", "user.so"]
        (tmp_path / "user.so").write_bytes(user)
        # The init function gives the number 42, which is not a module, but was computed there.
        with pytest.raises(eryx.ExecutionError, match=r"int|not a module|initialization"):
            session(tmp_path, modules[1]).execute("import user")
        with pytest.raises(NativeModuleError, match=r"user\.so: it needs libanswer\.so"):
            native.translate(user, name="user.so")

    def test_wheel_of_another_platform(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "c.whl", {"c/m.so": b"\x7fELF" + bytes(50)})
        with pytest.raises(NativeModuleError, match=r"c\.whl: c/m\.so: it is an ELF file"):
            native.from_wheel(wheel)

    def test_no_wheel(self, tmp_path: Path) -> None:
        (tmp_path / "d.whl").write_bytes(b"text")
        with pytest.raises(NativeModuleError, match=r"d\.whl: it cannot be read"):
            native.from_wheel(tmp_path / "d.whl")

    def test_wheel_without_modules(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "e.whl", {"e/__init__.py": b""})
        assert native.from_wheel(wheel) == []


class TestCommands:
    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "eryx", *arguments],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def test_precompile(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "f.whl", {"f.so": function_module(0x41, 8)})
        done = self.run("precompile", str(wheel))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("f.so: /")

    def test_precompile_of_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "g.whl").write_bytes(b"")
        done = self.run("precompile", str(tmp_path / "g.whl"))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("eryx: g.whl: it cannot be read")

    def test_build_wheel_of_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "h.tar.gz").write_bytes(b"")
        done = self.run("build-wheel", str(tmp_path / "h.tar.gz"))
        assert (done.returncode, done.stdout) == (1, "")
        assert "h.tar.gz: it cannot be unpacked" in done.stderr


class TestBuild:
    """eryx build-wheel, with the headers that come with eryx."""

    PROGRAM = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *describe(PyObject *self, PyObject *number)
{
    return PyUnicode_FromFormat("%d %d %R", (int)sizeof(void *), SIZEOF_LONG, number);
}

static PyMethodDef methods[] = {{"describe", describe, METH_O, "Describes."}, {0}};
static PyModuleDef_Slot slots[] = {{0}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "ham", NULL, 0, methods, slots};

PyMODINIT_FUNC PyInit_ham(void)
{
    return PyModuleDef_Init(&definition);
}
"""

    def write_tree(self, tree: Path) -> None:
        """A package that setuptools builds."""
        tree.mkdir()
        (tree / "ham.c").write_text(self.PROGRAM)
        (tree / "setup.py").write_text(
            "from setuptools import Extension, setup\n"
            "setup(name='ham', version='1', ext_modules=[Extension('ham', ['ham.c'])])\n"
        )

    def test_build_and_use(self, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        self.write_tree(tree)
        wheel = native.build_wheel(tree, tmp_path / "out", isolation=False)
        assert wheel.name == "ham-1-cp314-cp314-wasi_wasm32.whl"
        with zipfile.ZipFile(wheel) as archive:
            assert archive.testzip() is None
            names = archive.namelist()
            archive.extractall(tmp_path / "site")
        assert f"ham{SUFFIX}" in names
        done = session(tmp_path / "site", *native.from_wheel(wheel)).execute(
            "import ham; print(ham.describe('x'))"
        )
        assert done.stdout == "4 4 'x'"

    def test_commands_and_program_of_the_document(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree = tmp_path / "ham-1"
        self.write_tree(tree)
        with tarfile.open(tmp_path / "ham-1.tar.gz", "w:gz") as archive:
            archive.add(tree, "ham-1")
        text = (ROOT / "docs" / "native.md").read_text()
        commands = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        programs = re.findall(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert (len(commands), len(programs)) == (1, 1)
        monkeypatch.chdir(tmp_path)
        for line in commands[0].splitlines():
            words = line.split()
            assert words.pop(0) == "eryx"
            done = subprocess.run(
                [sys.executable, "-m", "eryx", *words], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        done = subprocess.run(
            [sys.executable, "-c", programs[0]], capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == re.findall(r"# prints: (.*)$", programs[0], re.MULTILINE)[0]

    def test_a_build_that_fails_says_why(self, tmp_path: Path) -> None:
        (tmp_path / "setup.py").write_text("raise SystemExit('no such luck')\n")
        with pytest.raises(NativeModuleError, match="no such luck"):
            native.build_wheel(tmp_path, tmp_path / "out", isolation=False)

    def test_a_package_for_another_python_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "tree").mkdir()
        (tmp_path / "tree" / "pyproject.toml").write_text(
            '[project]\nname = "later"\nversion = "1"\nrequires-python = ">=3.99"\n'
        )
        with pytest.raises(NativeModuleError, match=r"built with Python >=3\.99, and this is 3\."):
            native.build_wheel(tmp_path / "tree", tmp_path / "out", isolation=False)

    def test_what_meson_is_told(self, tmp_path: Path) -> None:
        """Its backend gets a cross file with our compilers, and what the package has to have."""
        (tmp_path / "tree").mkdir()
        (tmp_path / "tree" / "pyproject.toml").write_text(
            '[build-system]\nbuild-backend = "mesonpy"\nbackend-path = ["."]\nrequires = []\n'
            '[project]\nname = "numpy"\nversion = "1"\n'
        )
        (tmp_path / "tree" / "mesonpy.py").write_text(
            "def build_wheel(directory, settings):\n"
            "    first, *others = settings['setup-args']\n"
            "    text = open(first.partition('=')[2]).read()\n"
            '    compiler = text.partition("c = \'")[2].partition("\'")[0]\n'
            "    import subprocess\n"
            "    asked = subprocess.run([compiler, '-Wl,--version'], capture_output=True)\n"
            "    raise SystemExit(f'{asked.stdout} {others}')\n"
        )
        with pytest.raises(NativeModuleError, match=r"LLD.*-Dallow-noblas=true.*-Dmine=1"):
            native.build_wheel(
                tmp_path / "tree", tmp_path / "out", isolation=False, setup=["-Dmine=1"]
            )

    def test_headers_and_archives_of_what_it_is_built_with(self, tmp_path: Path) -> None:
        """Those for sandboxes are laid over those for this machine, and nothing else is."""
        from eryx.native._environment import lay_over

        venv.create(tmp_path / "venv")
        files = {"x/_core/include/x/a.h": b"2", "x/lib/libx.a": b"3", "x/m.so": b"4", "x/b.h": b"5"}
        wheel = make_wheel(tmp_path / "x-1-py3-none-any.whl", files)
        (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
        (site / "x" / "_core" / "include" / "x").mkdir(parents=True)
        (site / "x" / "_core" / "include" / "x" / "a.h").write_bytes(b"1")
        lay_over(site, [wheel])
        found = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
        assert found == {"x/_core/include/x/a.h", "x/lib/libx.a"}
        assert (site / "x" / "_core" / "include" / "x" / "a.h").read_bytes() == b"2"
        with pytest.raises(NativeModuleError, match="an environment of their own"):
            native.build_wheel(tmp_path, tmp_path, isolation=False, with_wheels=[wheel])

    def test_configuration_is_that_of_the_guest(self, tmp_path: Path) -> None:
        from eryx.native._build import guest_configuration, stage_headers

        configuration = guest_configuration()
        stage_headers(configuration, tmp_path / "include")
        text = (tmp_path / "include" / "pyconfig.h").read_text()
        assert "#define SIZEOF_VOID_P 4\n" in text
        assert json.dumps(configuration["EXT_SUFFIX"]) == f'"{SUFFIX}"'


class TestSources:
    """What is built, and with which Python."""

    def test_a_name_is_fetched_as_pip_fetches(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From a folder that pip is told of; the newest one, or the one that is asked for."""
        from eryx.native._find_source import fetch

        for version in ("1.0", "1.2"):
            tree = tmp_path / f"ham_by_name-{version}"
            tree.mkdir()
            (tree / "PKG-INFO").write_text(
                f"Metadata-Version: 2.1\nName: ham-by-name\nVersion: {version}\n"
            )
            (tree / "setup.py").write_text("raise SystemExit('it was run')\n")
            (tmp_path / "found").mkdir(exist_ok=True)
            with tarfile.open(tmp_path / "found" / f"{tree.name}.tar.gz", "w:gz") as archive:
                archive.add(tree, tree.name)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "found"))
        newest = fetch("ham.by_name", tmp_path / "a")
        assert newest.name == "ham_by_name-1.2.tar.gz"
        assert fetch("ham-by-name<1.1", tmp_path / "b").name == "ham_by_name-1.0.tar.gz"
        with pytest.raises(
            NativeModuleError, match=r"none of ham-by-name>2 .*: 1\.2, 1\.0|1\.0, 1\.2"
        ):
            fetch("ham-by-name>2", tmp_path)
        with pytest.raises(NativeModuleError, match="is not a requirement"):
            fetch("no name", tmp_path)

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        for source in ("./nothing", "nothing-1.tar.gz", str(tmp_path / "nothing")):
            with pytest.raises(NativeModuleError, match="there is no such file"):
                native.build_wheel(source, tmp_path)

    def test_a_python_that_fits_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from eryx.native import _pythons

        later = tmp_path / "python3.14"
        later.write_text('#!/bin/sh\necho \'["/x/python3.14", "3.14.7", ["/x/include"]]\'\n')
        later.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
        found = _pythons.choose("ham 1", ">=3.14.5", None)
        assert (found.program, found.version, found.tag) == (
            "/x/python3.14",
            "3.14.7",
            "cpython-314",
        )
        assert _pythons.choose("ham 1", ">=3.11", None) == _pythons.ask(sys.executable)
        assert _pythons.choose("ham 1", None, str(later)) == found
        with pytest.raises(
            NativeModuleError, match=r"ham 1: choosing a Python: .*>=3\.98.*3\.14\.7"
        ):
            _pythons.choose("ham 1", ">=3.98", None)
        with pytest.raises(NativeModuleError, match=r">=3\.98, and .*python3\.14 is 3\.14\.7"):
            _pythons.choose("ham 1", ">=3.98", str(later))
        with pytest.raises(NativeModuleError, match="/bin/false is none that runs"):
            _pythons.choose("ham 1", None, "/bin/false")


class TestCompilers:
    """What build systems ask of the compilers, beyond compiling."""

    @pytest.fixture
    def tools(self, tmp_path: Path) -> Path:
        from eryx.native import _compile, _cross

        prefix = tmp_path / "prefix"
        (prefix / "lib").mkdir(parents=True)
        (prefix / "include").mkdir()
        (prefix / "include" / "ham.h").write_text("int ham(void);\n")
        cache = _compile._private_directory(_compile.default_cache())
        work = tmp_path / "tools"
        work.mkdir()
        _cross.write_compilers(work, cache, tmp_path, [], prefixes=[prefix])
        (tmp_path / "ham.c").write_text('#include "ham.h"\nint ham(void) { return 7; }\n')
        self.run(work / "cc", "-c", tmp_path / "ham.c", "-o", tmp_path / "ham.o")
        self.run(work / "ar", "rcs", prefix / "lib" / "libham.a", tmp_path / "ham.o")
        return work

    def run(self, *command: object, code: int = 0) -> str:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def test_libraries_of_a_prefix(self, tools: Path, tmp_path: Path) -> None:
        program = tmp_path / "program.c"
        program.write_text('#include "ham.h"\nint main(void) { return ham(); }\n')
        output = tmp_path / "program"
        self.run(tools / "cc", program, "-lham", "-lm", "-L/usr/lib", "-o", output)
        assert output.read_bytes()[:4] == b"\0asm"
        said = self.run(tools / "cc", program, "-lspam", "-o", output, code=1)
        assert said == "cc: -lspam: there is no libspam.a for wasm32-wasi\n"
        assert f"{tmp_path}/prefix/lib" in self.run(tools / "cc", "--print-search-dirs")

    def test_floating_point_flags_in_cxx(self, tools: Path, tmp_path: Path) -> None:
        source = tmp_path / "flags.cpp"
        source.write_text(
            "#include <cfenv>\n#include <cmath>\n"
            "int flags() { return std::fetestexcept(FE_INVALID | FE_OVERFLOW); }\n"
        )
        self.run(tools / "c++", "-c", source, "-o", tmp_path / "flags.o")
        assert b"eryx_float_flags" in (tmp_path / "flags.o").read_bytes()

    def test_a_shared_library_of_a_prefix_comes_into_the_wheel(
        self, tools: Path, tmp_path: Path
    ) -> None:
        """Modules of a wheel share it; what they do not need stays where it is."""
        from eryx.native._retag import retag

        library = tmp_path / "prefix" / "lib" / "libegg.so"
        self.run(tools / "cc", "-shared", tmp_path / "ham.o", "-o", library)
        (library.with_name("libspare.so")).write_bytes(library.read_bytes())
        files: dict[str, bytes] = {"ham-1.dist-info/WHEEL": b"", "ham-1.dist-info/RECORD": b""}
        for name, argument in (("one", "-legg"), ("two", str(library))):
            source = tmp_path / f"{name}.c"
            source.write_text(f"int ham(void);\nint {name}(void) {{ return ham() + 1; }}\n")
            self.run(tools / "cc", "-c", source, "-o", tmp_path / f"{name}.o")
            output = tmp_path / f"{name}.so"
            self.run(tools / "cc", "-shared", tmp_path / f"{name}.o", argument, "-o", output)
            files[f"ham/{name}.so"] = output.read_bytes()
        built = make_wheel(tmp_path / "ham-1-cp314-cp314-linux_x86_64.whl", files)
        wheel = retag(built, tmp_path / "result", [tmp_path / "none", tmp_path / "prefix"])
        with zipfile.ZipFile(wheel) as archive:
            assert archive.read("ham.libs/libegg.so") == library.read_bytes()
            assert b"ham.libs/libegg.so,sha256=" in archive.read("ham-1.dist-info/RECORD")
            assert len(archive.namelist()) == 5
        found = {module.name: module for module in native.from_wheel(wheel)}
        assert found["one.so"].needed == found["two.so"].needed == (found["libegg.so"],)

    def test_files_of_arguments(self, tools: Path, tmp_path: Path) -> None:
        (tmp_path / "words").write_text(
            f"-c '{tmp_path}/ham.c' -isystem /usr/include -I/usr/include"
        )
        self.run(tools / "cc", f"@{tmp_path}/words", "-o", tmp_path / "other.o")
        assert (tmp_path / "other.o").read_bytes()[:4] == b"\0asm"


class TestPatches:
    """Changes of a package's sources, each with its reason."""

    def test_one_that_is_for_the_version(self, tmp_path: Path) -> None:
        from eryx.native._find_source import Project
        from eryx.native._recipes import apply_patches, patches
        from eryx.native._steps import Steps

        folder = tmp_path / "patches" / "ham"
        folder.mkdir(parents=True)
        change = "--- a/ham.c\n+++ b/ham.c\n@@ -1 +1 @@\n-one\n+two\n"
        (folder / "a.patch").write_text(f"Reason: it counts\nVersions: >=2\n{change}")
        (tmp_path / "ham.c").write_text("one\n")
        assert patches("ham", "1.9", tmp_path / "patches") == []
        found = patches("ham", "2.0", tmp_path / "patches")
        assert [patch.reason for patch in found] == ["it counts"]
        with Steps("ham 2.0", tmp_path / "log") as steps:
            apply_patches(Project("ham 2.0", tmp_path), found, steps)
            assert (tmp_path / "ham.c").read_text() == "two\n"
            with pytest.raises(NativeModuleError, match=r"ham 2\.0: changing its sources: "):
                apply_patches(Project("ham 2.0", tmp_path), found, steps)
        assert "a.patch: it counts" in (tmp_path / "log").read_text()

    def test_one_without_a_reason(self, tmp_path: Path) -> None:
        from eryx.native._recipes import read_patch

        (tmp_path / "a.patch").write_text("--- a/x\n+++ b/x\n")
        with pytest.raises(NativeModuleError, match="a line `Reason:"):
            read_patch(tmp_path / "a.patch")

    def test_all_that_come_with_eryx_can_be_read(self) -> None:
        from eryx.native._recipes import PATCHES, read_patch

        for path in PATCHES.glob("*/*"):
            assert read_patch(path).reason


class TestFailures:
    """What is said of a build that fails."""

    @pytest.mark.parametrize(
        ("said", "advice"),
        [
            ("x.c:1: fatal error: 'jpeglib.h' file not found", "C library of jpeglib.h"),
            ('ERROR: Dependency "freetype2" not found', "it wants freetype2"),
            ("ModuleNotFoundError: No module named 'Cython'", "leave --no-isolation out"),
            ("error: cannot use 'throw' with exceptions disabled", "leave --no-exceptions out"),
            ("cc: -lz: there is no libz.a for wasm32-wasi", "the C library z"),
        ],
    )
    def test_what_helps(self, said: str, advice: str) -> None:
        from eryx.native._steps import hint

        assert advice in (hint(said) or "")

    def test_nothing_is_known(self) -> None:
        from eryx.native._steps import hint

        assert hint("Segmentation fault") is None


class TestCMake:
    """The toolchain file, with which CMake makes a module."""

    PROJECT = """\
cmake_minimum_required(VERSION 3.18)
project(spam LANGUAGES C CXX)
find_package(Threads REQUIRED)
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)
find_library(none NAMES z)
if(none OR NOT WASI OR Python_VERSION VERSION_LESS 3.14)
  message(FATAL_ERROR "${none} ${WASI} ${Python_VERSION}")
endif()
python_add_library(spam MODULE WITH_SOABI spam.cpp)
target_link_libraries(spam PRIVATE Threads::Threads ham)
"""
    PROGRAM = """\
#include <Python.h>
#include <stdexcept>
extern "C" int ham(void);

static PyObject *call(PyObject *, PyObject *)
{
    try {
        if (ham() != 8)
            throw std::runtime_error("thrown");
    } catch (const std::exception &error) {
        return PyUnicode_FromString(error.what());
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"call", call, METH_NOARGS, ""}, {}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "spam", nullptr, 0, methods};
PyMODINIT_FUNC PyInit_spam(void) { return PyModuleDef_Init(&definition); }
"""

    def test_a_module(self, tmp_path: Path) -> None:
        from eryx.native import _build, _cmake, _compile, _cross

        work, prefix, tree = (tmp_path / name for name in ("work", "prefix", "tree"))
        for folder in (work, prefix / "lib", tree):
            folder.mkdir(parents=True)
        configuration = _build.guest_configuration()
        _build.stage_headers(configuration, work / "include")
        cache = _compile._private_directory(_compile.default_cache())
        _cross.write_compilers(work, cache, work / "include", [], prefixes=[prefix])
        environment = {
            **_compile.zig_environment(cache),
            **_cmake.environment(work, sys.executable, configuration, [work, prefix]),
        }
        (tmp_path / "ham.c").write_text("int ham(void) { return 7; }\n")
        (tree / "spam.cpp").write_text(self.PROGRAM)
        (tree / "CMakeLists.txt").write_text(self.PROJECT)
        object_file, archive = tmp_path / "ham.o", prefix / "lib" / "libham.a"
        for command in (
            [work / "cc", "-c", tmp_path / "ham.c", "-o", object_file],
            [work / "ar", "rcs", archive, object_file],
            ["cmake", "-S", tree, "-B", tmp_path / "build"],
            ["cmake", "--build", tmp_path / "build"],
        ):
            done = subprocess.run(
                [*map(str, command)], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        made = tmp_path / "build" / f"spam{SUFFIX}"
        run = session(tmp_path / "build", native.translate(made))
        assert run.execute("import spam; print(spam.call())").stdout == "thrown"
