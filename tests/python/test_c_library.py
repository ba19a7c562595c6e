"""The C library, built and installed, and programs that use it as it was installed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import eryx
from c_library import HOSTS, ROOT, Done, Library, blocks, build, call, succeed

sys.path.insert(0, str(ROOT))

from tools import abi

GREETING = "hello from the sandbox\n"
ANSWERS = "add: 5 9\nfetch: ['data', 'data', 'data']\ntogether: True\ncaught: ValueError"
HEADERS = sorted((ROOT / "include" / "eryx").glob("*.h"))
DECLARATION = re.compile(r"^ERYX_API [^;(]*?\b(eryx_\w+)\(", re.MULTILINE)
VERSION = re.compile(r"^#define ERYX_VERSION_[A-Z]+ (\d+)$", re.MULTILINE)


def declared() -> set[str]:
    return {name for path in HEADERS for name in DECLARATION.findall(path.read_text())}


def version() -> str:
    return ".".join(VERSION.findall((ROOT / "include" / "eryx" / "version.h").read_text()))


@pytest.fixture(scope="module", params=["cc", "zig"])
def folder(request: pytest.FixtureRequest) -> Path:
    """Where it was built, by each compiler."""
    return build(request.param)


@pytest.fixture(scope="module")
def library(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Installed below a folder whose name has a space."""
    prefix = tmp_path_factory.mktemp("installed") / "some where"
    succeed("cmake", "--install", folder, "--prefix", prefix)
    return Library(prefix)


class TestInstallation:
    def test_everything_is_in_its_place(self, library: Library) -> None:
        files = {
            str(path.relative_to(library.prefix))
            for path in library.prefix.rglob("*")
            if not path.is_dir()
        }
        documents = {name for name in files if name.startswith("share/doc/eryx/")}
        assert files - documents == {
            *(f"include/eryx/{path.name}" for path in HEADERS),
            "lib/liberyx.a",
            *(f"lib/liberyx.so{end}" for end in ("", ".0.1", f".{version()}")),
            *("lib/pkgconfig/eryx.pc", "lib/pkgconfig/eryx-static.pc"),
            *(f"lib/cmake/eryx/eryxConfig{end}.cmake" for end in ("", "Version")),
            *(f"lib/cmake/eryx/eryxTargets{end}.cmake" for end in ("", "-release")),
            *(f"share/eryx/{name}.bin" for name in ("image", "seeds", "stdlib")),
        }
        licences = {f"LICENSES/{path.name}" for path in (ROOT / "LICENSES").iterdir()}
        expected = {"LICENSE", "eryx.cdx.json", *licences}
        assert documents == {f"share/doc/eryx/{name}" for name in expected}

    def test_bill_of_materials_is_true(self, library: Library) -> None:
        document = (library.prefix / "share" / "doc" / "eryx" / "eryx.cdx.json").read_text()
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
        components = {entry["name"]: entry for entry in json.loads(document)["components"]}
        assert "openssl" in components
        assert "packaging" not in components  # which is Python
        for place in (f"lib/liberyx.so.{version()}", "lib/liberyx.a", "share/eryx/image.bin"):
            path = library.prefix / place
            (digest,) = components[path.name]["hashes"]
            assert digest["content"] == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_shared_library_shows_the_api_alone(self, library: Library) -> None:
        symbols = succeed("nm", "-D", "--defined-only", library.prefix / "lib" / "liberyx.so")
        assert {line.split()[2] for line in symbols.splitlines()} == declared()

    def test_static_library_shows_the_api_alone(self, library: Library) -> None:
        symbols = succeed("nm", "-g", "--defined-only", library.prefix / "lib" / "liberyx.a")
        names = {line.split()[2] for line in symbols.splitlines() if len(line.split()) == 3}
        assert names == declared()

    def test_soname_is_that_of_the_abi(self, library: Library) -> None:
        dynamic = succeed("readelf", "--dynamic", library.prefix / "lib" / "liberyx.so")
        major, minor, _ = version().split(".")
        abi = f"{major}.{minor}" if major == "0" else major
        assert re.findall(r"soname: \[(.+)\]", dynamic) == [f"liberyx.so.{abi}"]
        assert "TEXTREL" not in dynamic
        assert "RPATH" not in dynamic
        assert "RUNPATH" not in dynamic
        assert "BIND_NOW" in dynamic

    def test_no_file_names_the_place_where_it_was_built(self, library: Library) -> None:
        files = [path for path in library.prefix.rglob("*") if path.is_file()]
        place = str(ROOT).encode()
        assert [path for path in files if place in path.read_bytes()] == []

    def test_of_python_there_is_nothing_but_the_interpreter(self, folder: Path) -> None:
        cache = (folder / "CMakeCache.txt").read_text()
        assert "Python_EXECUTABLE" in cache
        assert "Python_INCLUDE_DIR" not in cache


class TestAbi:
    """What docs/c.md promises of versions with the same soname."""

    def test_what_was_promised_is_there(self) -> None:
        record = abi.record_path().read_text().splitlines()
        assert abi.broken(record, abi.describe()) == []

    def test_what_is_new_was_recorded(self) -> None:
        """If this fails, and the other does not: python -m tools.abi."""
        record = abi.record_path().read_text().splitlines()
        assert [line for line in abi.describe() if line not in record] == []

    def test_functions_are_all_there(self) -> None:
        lines = abi.describe()
        named = {name for line in lines for name in re.findall(r"\b(eryx_\w+)\(", line)}
        assert named == declared()

    def test_what_breaks_it(self) -> None:
        now = abi.describe()
        assert abi.broken(now, now) == []
        for text in ("eryx_free(void *data)", "ERYX_TIMEOUT = 6", "size of eryx_event: "):
            (line,) = (line for line in now if text in line)
            assert abi.broken(now, [other for other in now if other != line]) == [line]
        (moved,) = (line for line in now if line.startswith("eryx_run_options.source_size:"))
        other = moved.replace("at 16", "at 24")
        assert abi.broken(now, [other if line == moved else line for line in now]) == [moved]

    def test_options_may_grow_but_not_shrink(self) -> None:
        now = abi.describe()
        (size,) = (line for line in now if line.startswith("size of eryx_run_options: "))
        for change, expected in ((8, []), (-8, [size])):
            changed = f"size of eryx_run_options: {int(size.split()[-1]) + change}"
            grown = [changed if line == size else line for line in now]
            assert abi.broken(now, grown) == expected


class TestPrograms:
    @pytest.mark.parametrize("package", ["eryx", "eryx-static"])
    def test_with_pkg_config(self, library: Library, tmp_path: Path, package: str) -> None:
        for name, expected in (("hello", GREETING), ("callbacks", ANSWERS)):
            source = ROOT / "examples" / "c" / f"{name}.c"
            program = library.compile(source, tmp_path / f"my {name}", package)
            data = {"ERYX_DATA": str(library.prefix / "share" / "eryx")}
            printed = library.run(program, **(data if package == "eryx-static" else {}))
            assert printed.startswith(expected)

    @pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
    def test_with_cmake(self, library: Library, tmp_path: Path, static: bool) -> None:
        succeed(
            *("cmake", "-S", ROOT / "examples" / "c", "-B", tmp_path / "my build"),
            *(f"-DCMAKE_PREFIX_PATH={library.prefix}", f"-DSTATIC={'ON' if static else 'OFF'}"),
        )
        succeed("cmake", "--build", tmp_path / "my build")
        data = {"ERYX_DATA": str(library.prefix / "share" / "eryx")} if static else {}
        program = tmp_path / "my build" / "hello"
        assert succeed(program, environment=data) == GREETING
        assert succeed(tmp_path / "my build" / "callbacks", environment=data).startswith(ANSWERS)
        needed = succeed("readelf", "--dynamic", program)
        assert ("liberyx" in needed) is not static

    def test_version_that_cmake_refuses(self, library: Library, tmp_path: Path) -> None:
        (tmp_path / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.18)\nproject(wants_other LANGUAGES C)\n"
            "find_package(eryx 0.2 REQUIRED)\n"
        )
        done = call(
            *("cmake", "-S", tmp_path, "-B", tmp_path / "b"),
            f"-DCMAKE_PREFIX_PATH={library.prefix}",
        )
        assert done.returncode != 0
        assert f"version: {version()}" in done.stderr

    def test_installed_for_a_package(self, folder: Path, tmp_path: Path) -> None:
        """With DESTDIR, as those do who make packages; and an installation can be moved."""
        stage = tmp_path / "the stage"
        succeed(
            *("cmake", "--install", folder, "--prefix", "/opt/some thing"),
            environment={"DESTDIR": str(stage)},
        )
        library = Library(tmp_path / "moved to")
        assert (stage / "opt/some thing/share/doc/eryx/eryx.cdx.json").is_file()
        shutil.move(stage / "opt/some thing", library.prefix)
        program = library.compile(ROOT / "examples" / "c" / "hello.c", tmp_path / "hello")
        assert library.run(program) == GREETING

    def test_other_folders_of_an_installation(self, tmp_path: Path) -> None:
        """As Debian has them: libraries one folder deeper."""
        build("cc")
        folder = tmp_path / "configured anew"
        source = ROOT / "build" / "c library" / "source tree"
        succeed(
            *("cmake", "-S", source, "-B", folder, "-DCMAKE_INSTALL_LIBDIR=lib/some-machine"),
            *("-DCMAKE_INSTALL_DATADIR=data", "-DERYX_PYTHON=OFF", "-DERYX_TESTS=OFF"),
            f"-DERYX_GUEST_DIR={ROOT / 'build' / 'guest'}",
            f"-DERYX_LIBRARIES_DIR={ROOT / 'build' / 'libraries'}",
        )
        described = (folder / "eryx.pc").read_text()
        assert "prefix=${pcfiledir}/../../..\n" in described
        assert "libdir=${prefix}/lib/some-machine\n" in described
        assert "datadir=${prefix}/data/eryx\n" in described
        commands = (folder / "compile_commands.json").read_text()
        assert "../../data/eryx" in commands


class TestData:
    """Where an engine without paths finds its files."""

    @pytest.fixture
    def hello(self, library: Library, tmp_path: Path) -> Path:
        return library.compile(ROOT / "examples" / "c" / "hello.c", tmp_path / "hello")

    def test_variable_goes_before_all_else(
        self, library: Library, hello: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "the data"
        shutil.copytree(library.prefix / "share" / "eryx", other)
        assert library.run(hello, ERYX_DATA=str(other)) == GREETING
        (other / "image.bin").write_bytes(b"no image")
        done = call(hello, environment={**library.environment, "ERYX_DATA": str(other)})
        assert done.stderr == f"{other}/image.bin: not an eryx image\n"

    def test_wrong_variable_is_told_and_nothing_else_is_taken(
        self, library: Library, hello: Path
    ) -> None:
        wrong = {**library.environment, "ERYX_DATA": "/nowhere at all"}
        done = call(hello, environment=wrong)
        assert done.returncode == 1
        assert done.stderr == "/nowhere at all/image.bin, of ERYX_DATA: No such file or directory\n"
        assert library.run(hello, ERYX_DATA="") == GREETING

    def test_message_names_all_places(self, library: Library, hello: Path, tmp_path: Path) -> None:
        shutil.copy(library.prefix / "lib" / "liberyx.so.0.1", tmp_path)
        done = call(hello, environment={"LD_LIBRARY_PATH": str(tmp_path)})
        assert done.returncode == 1
        places = f"{tmp_path}, {tmp_path}/../share/eryx, /usr/local/share/eryx"
        assert done.stderr == (
            f"no image.bin was found (ERYX_DATA can name its folder); looked in: {places}\n"
        )

    def test_next_to_the_library(self, library: Library, hello: Path, tmp_path: Path) -> None:
        shutil.copy(library.prefix / "lib" / "liberyx.so.0.1", tmp_path)
        for name in ("image.bin", "stdlib.bin", "seeds.bin"):
            (tmp_path / name).symlink_to(library.prefix / "share" / "eryx" / name)
        assert succeed(hello, environment={"LD_LIBRARY_PATH": str(tmp_path)}) == GREETING

    def test_next_to_a_static_program_that_is_found_in_the_path(
        self, library: Library, tmp_path: Path
    ) -> None:
        source = ROOT / "examples" / "c" / "hello.c"
        (tmp_path / "bin").mkdir()
        program = library.compile(source, tmp_path / "bin" / "hello-eryx", "eryx-static")
        (tmp_path / "share").mkdir()
        (tmp_path / "share" / "eryx").symlink_to(library.prefix / "share" / "eryx")
        path = {"PATH": f"{program.parent}:/usr/bin:/bin"}
        assert succeed("sh", "-c", "hello-eryx", environment=path, folder=Path("/")) == GREETING

    def test_library_that_was_opened_by_a_relative_path(
        self, library: Library, tmp_path: Path
    ) -> None:
        program = library.compile(HOSTS / "loading.c", tmp_path / "loading")
        printed = succeed(program, "./lib/liberyx.so", "/", folder=library.prefix)
        assert printed == "opened \n"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a program to another user")
    def test_program_with_the_rights_of_another_user_does_not_look_at_the_variable(
        self, library: Library, tmp_path: Path
    ) -> None:
        source = ROOT / "examples" / "c" / "hello.c"
        program = library.compile(source, tmp_path / "hello", "eryx-static")
        data = {"ERYX_DATA": str(library.prefix / "share" / "eryx")}
        assert succeed(program, environment=data) == GREETING
        os.chown(program, 65534, -1)
        program.chmod(0o4755)
        assert f"looked in: {tmp_path}, " in call(program, environment=data).stderr

    def test_place_that_the_build_chose(self, tmp_path: Path) -> None:
        code, status = (ROOT / "src" / "base" / name for name in ("data_folder.c", "status.c"))
        (tmp_path / "main.c").write_text(
            '#include "base/data_folder.h"\n#include <stdio.h>\n'
            "int main(void) { char *folder; eryx_error error;\n"
            "    return data_folder_find(&folder, &error) == ERYX_OK ? puts(folder) < 0 : 1; }\n"
        )
        place = tmp_path / "the place"
        place.mkdir()
        succeed(
            *("gcc", "-D_GNU_SOURCE", f'-DERYX_DATA_INSTALLED="{place}"', tmp_path / "main.c"),
            *(code, status, f"-I{ROOT / 'include'}"),
            *("-idirafter", ROOT / "src"),
            *("-o", tmp_path / "program"),
        )
        assert call(tmp_path / "program").returncode == 1
        (place / "image.bin").touch()
        assert succeed(tmp_path / "program") == f"{place}\n"

    def test_image_of_another_build(self, library: Library, hello: Path, tmp_path: Path) -> None:
        data = bytearray((library.prefix / "share" / "eryx" / "image.bin").read_bytes())
        data[16] ^= 1
        (tmp_path / "image.bin").write_bytes(data)
        (tmp_path / "stdlib.bin").symlink_to(library.prefix / "share" / "eryx" / "stdlib.bin")
        done = call(hello, environment={**library.environment, "ERYX_DATA": str(tmp_path)})
        assert done.stderr == (
            f"{tmp_path}/image.bin: the image was made by another build of eryx\n"
        )


class TestFactoryFiles:
    """What `eryx factory build` writes, read in C."""

    @pytest.fixture
    def factory(self, library: Library, tmp_path: Path) -> Callable[..., Done]:
        program = library.compile(HOSTS / "factory.c", tmp_path / "factory")

        def run(*words: str | Path, stdin: str = "print('run')") -> Done:
            return call(program, *words, environment=library.environment, stdin=stdin)

        return run

    @pytest.fixture
    def built(self, tmp_path: Path) -> Callable[..., Path]:
        package = tmp_path / "greet"
        package.mkdir()
        (package / "__init__.py").write_text("def hello(name): return f'Hello, {name}!'")
        (tmp_path / "setup.py").write_text(
            "import greet; x = [42]; open('/data/f', 'w').write('kept')"
        )

        def build_file(*words: str | Path) -> Path:
            output = tmp_path / "my factory"
            succeed(sys.executable, "-m", "eryx", "factory", "build", *words, "-o", output)
            return output

        return build_file

    def test_packages_imports_and_variables_are_there(
        self, factory: Callable[..., Done], built: Callable[..., Path], tmp_path: Path
    ) -> None:
        path = built(
            *("--package", tmp_path / "greet", "--import", "decimal"),
            *("--setup", tmp_path / "setup.py"),
        )
        code = """
            import sys
            print(greet.hello('C'), 'decimal' in sys.modules, x, open('/data/f').read())
            """
        done = factory(path, "everything", stdin=textwrap.dedent(code))
        assert (done.stdout, done.stderr) == ("Hello, C! True [42] kept\n", "")
        code = "import greet; print(greet.hello('C'), 'x' in globals())"
        done = factory(path, "packages", stdin=code)
        assert (done.stdout, done.stderr) == ("Hello, C! False\n", "")

    def test_key(
        self, factory: Callable[..., Done], built: Callable[..., Path], tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_text("secret")
        path = built("--key-file", tmp_path / "key", "--package", tmp_path / "greet")
        assert factory(path, "everything", "secret").stdout == "run\n"
        for words, reason in (
            (["other"], "it was altered, or the key is another"),
            ([], "it was made with a key"),
        ):
            for mode in ("everything", "packages"):
                done = factory(path, mode, *words)
                assert done.stderr == f"INITIALIZATION: {path}: {reason}\n"
        assert factory(built(), "everything", "secret").stderr == (
            f"INITIALIZATION: {path}: it was made without a key\n"
        )

    def test_without_packages(
        self, factory: Callable[..., Done], built: Callable[..., Path]
    ) -> None:
        path = built("--import", "decimal")
        assert factory(path, "everything").stdout == "run\n"
        assert factory(path, "packages").stderr == (
            f"INITIALIZATION: {path}: there are no packages in it\n"
        )

    def test_what_is_no_such_file(
        self, factory: Callable[..., Done], built: Callable[..., Path], tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "empty").touch()
        (tmp_path / "text").write_text("text" * 100)
        for path, reason in (
            (tmp_path / "missing", "No such file or directory"),
            (tmp_path, "it is not a regular file"),
            (tmp_path / "pipe", "it is not a regular file"),
            (tmp_path / "empty", "it is too short"),
            (tmp_path / "text", "it is not a factory file"),
        ):
            done = factory(path, "everything")
            assert (done.stderr, done.returncode) == (f"INITIALIZATION: {path}: {reason}\n", 1)
        good = built("--import", "decimal").read_bytes()
        for data, status, reason in (
            (good[:-1], "INITIALIZATION", "it is cut off or has something behind it"),
            (good[:-1] + bytes([good[-1] ^ 1]), "INITIALIZATION", "it is damaged"),
            (
                good[:12] + bytes(32) + good[44:],
                "WRONG_BUILD",
                "it was made by another build of eryx",
            ),
        ):
            (tmp_path / "changed").write_bytes(data)
            done = factory(tmp_path / "changed", "everything")
            assert done.stderr == f"{status}: {tmp_path / 'changed'}: {reason}\n"

    def test_more_memory_than_the_host_allows(
        self, factory: Callable[..., Done], tmp_path: Path
    ) -> None:
        path = tmp_path / "large"
        eryx.SandboxFactory(setup_code="x = bytearray(300_000_000)").save(path)
        done = factory(path, "everything")
        assert done.stderr.startswith(f"RESOURCE_LIMIT: {path}: the factory needs ")
        assert done.stderr.endswith(f"the limit is {256 << 20}\n")


class TestDocument:
    """What stands in docs/c.md; test_docs.py runs its commands."""

    def test_programs(self, library: Library, tmp_path: Path) -> None:
        factory = tmp_path / "my.factory"
        build_factory = ("-m", "eryx", "factory", "build", "--import", "decimal", "-o", factory)
        succeed(sys.executable, *build_factory)
        programs = blocks("c")
        assert len(programs) == 3
        for number, text in enumerate(programs):
            source = tmp_path / f"{number}.c"
            source.write_text(text)
            program = library.compile(source, tmp_path / f"program {number}")
            (expected,) = re.findall(r"^/\* prints: (.+?) \*/", text, re.DOTALL | re.MULTILINE)
            words = [factory] if "argv[1]" in text else []
            assert library.run(program, *words) == re.sub("\n +", "\n", expected) + "\n"

    def test_cmake(self, library: Library, tmp_path: Path) -> None:
        (tmp_path / "hello.c").write_text(blocks("c")[0])
        (described,) = blocks("cmake")
        (tmp_path / "CMakeLists.txt").write_text(described)
        prefix = f"-DCMAKE_PREFIX_PATH={library.prefix}"
        succeed("cmake", "-S", tmp_path, "-B", tmp_path / "b", prefix)
        succeed("cmake", "--build", tmp_path / "b")
        assert succeed(tmp_path / "b" / "hello").startswith("OK: hello\n")


class TestHosts:
    """Situations of host programs, each with both libraries."""

    @pytest.fixture(params=["eryx", "eryx-static"])
    def host(self, request: pytest.FixtureRequest, library: Library, tmp_path: Path) -> Host:
        return Host(library, tmp_path / "host", request.param)

    def test_in_cpp(self, host: Host) -> None:
        assert host.run("including.cpp") == 'written\nask\nOK {"answer": 42}\n'

    def test_with_threads(self, host: Host) -> None:
        assert host.run("threads.c").splitlines() == [
            "4 threads were right",
            "meanwhile: BUSY",
            "ended: CANCELLED",
            "after it: OK",
        ]

    def test_that_forks(self, host: Host) -> None:
        assert host.run("forking.c").splitlines() == [
            "parent: OK 1",
            "child with the parent's: FORKED",
            "child with its own: OK False",
            "parent again: OK 2",
        ]

    def test_with_small_stacks(self, host: Host, tmp_path: Path) -> None:
        printed = host.run("small_stack.c", "64", tmp_path / "saved")
        assert printed == "['a', 'b'] 900\nno such name\ndone\n"

    def test_with_functions_of_the_same_names(self, host: Host) -> None:
        assert host.run("same_names.c") == "refused\n0\n"


class TestHeaders:
    """The headers in the programs of others, who have other warnings and standards."""

    @pytest.mark.parametrize("standard", ["c99", "c11", "c17", "c2x", "c++11", "c++17", "c++20"])
    def test_each_one_alone_and_without_warnings(self, tmp_path: Path, standard: str) -> None:
        in_cpp = standard.startswith("c++")
        warnings = (
            *("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow"),
            *("-Wcast-qual", "-Wundef", "-Wredundant-decls", "-Werror"),
            *(("-Wold-style-cast",) if in_cpp else ("-Wstrict-prototypes", "-Wmissing-prototypes")),
        )
        for header in HEADERS:
            source = tmp_path / f"{header.stem}.{'cpp' if in_cpp else 'c'}"
            source.write_text(f"#include <eryx/{header.name}>\n#include <eryx/eryx.h>\n")
            compiler = "g++" if in_cpp else "gcc"
            include = f"-I{ROOT / 'include'}"
            succeed(compiler, f"-std={standard}", *warnings, include, "-fsyntax-only", source)


class TestPlugins:
    """Hosts that open the library themselves."""

    def test_closed_library_leaves_nothing_that_is_gone(
        self, library: Library, tmp_path: Path
    ) -> None:
        program = library.compile(HOSTS / "unloading.c", tmp_path / "host")
        printed = succeed(program, library.prefix / "lib" / "liberyx.so")
        assert printed == "run\nrun\nchild: 0\ngoes on\n"

    def test_two_copies_in_one_process(self, library: Library, tmp_path: Path) -> None:
        """Each has its signal, and hands on what is the other's."""
        program = library.compile(HOSTS / "two_copies.c", tmp_path / "host")
        copy = tmp_path / "copy.so"
        shutil.copy(library.prefix / "lib" / "liberyx.so", copy)
        data = {"ERYX_DATA": str(library.prefix / "share" / "eryx")}
        printed = succeed(program, library.prefix / "lib" / "liberyx.so", copy, environment=data)
        # A guest that a busy machine gives no time to say so is ended all the same.
        lines = printed.replace(" 6eryx.ExecutionTimeout ", " 6 ").splitlines()
        assert lines == [" 0 6 4RecursionError 4RecursionError"] * 4


class Host:
    """A program of tests/hosts."""

    def __init__(self, library: Library, program: Path, package: str) -> None:
        self._library = library
        self._program = program
        self._package = package

    def run(self, name: str, *words: str | Path) -> str:
        """Compiles it; what it prints."""
        self._library.compile(HOSTS / name, self._program, self._package)
        data = str(self._library.prefix / "share" / "eryx")
        return self._library.run(self._program, *words, ERYX_DATA=data)
