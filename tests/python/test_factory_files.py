"""Factories as files, in the cache, and on the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
import zlib
from pathlib import Path

import pytest

import eryx
from conftest import private_bytes, run_python
from eryx import _factory_template
from eryx._archive import pack, unpack
from eryx.packages import _bytecode
from factory_helpers import GREETER, SETUP, output, wheel


@pytest.fixture(scope="module")
def factory() -> eryx.SandboxFactory:
    return eryx.SandboxFactory(imports=["http.client"], setup_code=SETUP)


@pytest.fixture(scope="module")
def greeter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(tmp_path_factory.mktemp("wheels"), "greeter", "1.2", GREETER)


class TestFiles:
    def test_save_and_load(self, factory: eryx.SandboxFactory, tmp_path: Path) -> None:
        path = tmp_path / "factory"
        factory.save(path)
        assert path.stat().st_size == factory.size_bytes == len(factory.to_bytes())
        assert path.stat().st_mode & 0o077 == 0
        assert sorted(tmp_path.iterdir()) == [path]
        for load in (path, str(path)):
            loaded = eryx.SandboxFactory.load(load)
            assert repr(loaded) == repr(factory)
            assert loaded.to_bytes() == factory.to_bytes()
            assert output(loaded.create_sandbox(), "print(gross(100))") == "119.00"

    def test_equal_factories_have_equal_bytes_after_a_round_trip(
        self, factory: eryx.SandboxFactory
    ) -> None:
        again = eryx.SandboxFactory.from_bytes(factory.to_bytes())
        assert again.to_bytes(key=b"k") == factory.to_bytes(key=b"k")
        assert again.size_bytes == factory.size_bytes

    def test_in_another_process(self, factory: eryx.SandboxFactory, tmp_path: Path) -> None:
        factory.save(tmp_path / "factory")
        done = run_python(
            f"""
            import eryx
            factory = eryx.SandboxFactory.load({str(tmp_path / "factory")!r})
            print(factory.create_sandbox().execute("print(gross(100))").stdout)
            """
        )
        assert done.stdout == "119.00\n", done.stderr

    def test_key(self, factory: eryx.SandboxFactory, tmp_path: Path) -> None:
        path = tmp_path / "factory"
        factory.save(path, key=b"secret")
        loaded = eryx.SandboxFactory.load(path, key=b"secret")
        assert output(loaded.create_sandbox(), "print(rate)") == "1.19"
        for key in (b"other", None):
            with pytest.raises(eryx.InitializationError, match=f"{path}: .* key"):
                eryx.SandboxFactory.load(path, key=key)
        with pytest.raises(eryx.InitializationError, match="without a key"):
            eryx.SandboxFactory.from_bytes(factory.to_bytes(), key=b"secret")
        with pytest.raises(TypeError):
            factory.save(path, key="text")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="empty"):
            factory.to_bytes(key=b"")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(eryx.InitializationError, match=f"{tmp_path}/nowhere: No such file"):
            eryx.SandboxFactory.load(tmp_path / "nowhere")
        with pytest.raises(eryx.InitializationError, match=str(tmp_path)):
            eryx.SandboxFactory.load(tmp_path)
        with pytest.raises(eryx.InitializationError, match="/nowhere/factory: No such file"):
            eryx.SandboxFactory().save("/nowhere/factory")

    def test_damaged(self, factory: eryx.SandboxFactory, tmp_path: Path) -> None:
        """Row 180: nothing of a file that is not as it was is looked at."""
        good = factory.to_bytes()
        step = max(1, len(good) // 97)
        damaged = [good[:-1], good + b"x", b"", b"x" * 1000, good[: len(good) // 2]]
        for position in (*range(120), *range(120, len(good), step)):
            flipped = bytearray(good)
            flipped[position] ^= 1
            damaged.append(bytes(flipped))
        path = tmp_path / "factory"
        for data in damaged:
            path.write_bytes(data)
            with pytest.raises(eryx.InitializationError, match=str(path)):
                eryx.SandboxFactory.load(path)

    def test_made_up_inside(self, factory: eryx.SandboxFactory) -> None:
        """The checksums are right, and what is in them is not: refused, or harmless."""
        template = factory._template()
        frozen = template.frozen

        def sealed(
            description: object = template.description,
            archive: bytes = b"",
            data: bytes = frozen,
        ) -> bytes:
            made = _factory_template.Template(description, archive, data)  # type: ignore[arg-type]
            return _factory_template.SEAL.seal(made.pack(), None)

        assert eryx.SandboxFactory.from_bytes(sealed()).create_sandbox()
        bad = [
            sealed(description=5),
            sealed(description={}),
            sealed(description={**template.description, "imports": [5]}),
            sealed(description={**template.description, "packages": [["a"]]}),
            sealed(archive=b"no archive"),
            sealed(archive=pack({"a": b"1"})[:-1]),
            sealed(data=b""),
            sealed(data=frozen[:-1]),
            sealed(data=frozen[:100]),
            sealed(data=b"x" * 1000),
            _factory_template.SEAL.seal(b"", None),
            _factory_template.SEAL.seal(b"\xff" * 24, None),
            _factory_template.SEAL.seal(b"\0" * 24 + b"no zlib", None),
        ]
        for data in bad:
            with pytest.raises(eryx.InitializationError):
                eryx.SandboxFactory.from_bytes(data)

    def test_only_pages_that_differ_are_stored(self) -> None:
        """The image of the plain interpreter, 15 MB, is not in a file."""
        image = (Path(eryx.__file__).parent / "image.bin").stat().st_size
        sizes = {}
        for size in (0, 100_000, 1_000_000):
            setup = f"import os; noise = os.urandom({size})"  # cannot be compressed
            factory = eryx.SandboxFactory(setup_code=setup)
            sizes[size] = factory.size_bytes
            stored = len(factory._template().frozen)
            assert size <= stored < size + 1_000_000 < image / 5
        assert 0 < sizes[0] < 100_000
        for size in (100_000, 1_000_000):
            assert size < sizes[size] - sizes[0] < size + 50_000

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        """Pipes are not waited for, and what never ends is not read."""
        pipe, endless, great = tmp_path / "pipe", Path("/dev/zero"), tmp_path / "great"
        os.mkfifo(pipe)
        with great.open("wb") as stream:
            stream.truncate(2**40)
        for path, reason in (
            (pipe, "is not a regular file"),
            (endless, "is not a regular file"),
            (great, "is larger than 2048 MiB"),
        ):
            with pytest.raises(eryx.InitializationError, match=f"{path}: {reason}"):
                eryx.SandboxFactory.load(path)

    def test_bomb(self) -> None:
        """What is packed must not unpack to more than it says."""
        bomb = zlib.compress(bytes(200_000_000), 9)
        data = _factory_template.SIZES.pack(10, 0, 10) + bomb
        before = private_bytes()
        with pytest.raises(eryx.InitializationError, match="sizes"):
            eryx.SandboxFactory.from_bytes(_factory_template.SEAL.seal(data, None))
        assert private_bytes() - before < 100_000_000
        huge = _factory_template.SIZES.pack(2**60, 2**60, 2**60) + bomb
        with pytest.raises(eryx.InitializationError, match="too large"):
            eryx.SandboxFactory.from_bytes(_factory_template.SEAL.seal(huge, None))

    def test_memory_limit(self, tmp_path: Path) -> None:
        """What sandboxes would begin with is refused where it is more than they may have."""
        path = tmp_path / "large.factory"
        large = eryx.SandboxFactory(setup_code="data = bytearray(200 << 20)")
        large.save(path)
        with pytest.raises(
            eryx.ResourceLimitError, match=r"large\.factory.* the limit is 104857600"
        ):
            eryx.SandboxFactory.load(path, max_memory_bytes=100 << 20)
        with pytest.raises(eryx.ResourceLimitError, match="the limit is 104857600"):
            eryx.SandboxFactory.from_bytes(large.to_bytes(), max_memory_bytes=100 << 20)
        factory = eryx.SandboxFactory.load(path, max_memory_bytes=300 << 20)
        with pytest.raises(eryx.ResourceLimitError, match="a sandbox of the factory needs"):
            factory.create_sandbox()
        limits = eryx.ResourceLimits(max_memory_bytes=300 << 20)
        result = factory.create_sandbox(resource_limits=limits).execute("print(len(data) >> 20)")
        assert result.stdout == "200"
        for unlimited in (eryx.SandboxFactory.load(path), large):
            assert unlimited.create_sandbox(resource_limits=limits)
        with pytest.raises(ValueError, match="max_memory_bytes"):
            eryx.SandboxFactory.load(path, max_memory_bytes=-1)

    def test_packed_bytes_count(self) -> None:
        """What is unpacked is bounded by the same limit."""
        data = _factory_template.SIZES.pack(0, 2_000_000, 0) + zlib.compress(bytes(2_000_000), 9)
        with pytest.raises(eryx.ResourceLimitError, match="it needs 2000000 bytes"):
            eryx.SandboxFactory.from_bytes(
                _factory_template.SEAL.seal(data, None), max_memory_bytes=1_000_000
            )

    def test_no_native_code(self, factory: eryx.SandboxFactory) -> None:
        template = factory._template()
        assert b"\x7fELF" not in template.frozen + template.archive

    @pytest.mark.parametrize("wrong", [5, "text", None, bytearray(b"x")])
    def test_wrong_types(self, wrong: object) -> None:
        with pytest.raises(TypeError):
            eryx.SandboxFactory.from_bytes(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            eryx.SandboxFactory.load("x", cache=wrong)  # type: ignore[arg-type]


class TestCache:
    def test_second_factory_comes_from_the_cache(self, tmp_path: Path, greeter: Path) -> None:
        def build() -> eryx.SandboxFactory:
            return eryx.SandboxFactory(
                packages=[greeter],
                imports=["greeter"],
                # Differs each time it is really run.
                setup_code="import random; number = random.random()",
                cache=tmp_path / "cache",
            )

        first, second = build(), build()
        assert len(list((tmp_path / "cache").iterdir())) == 1
        code = "print(number)"
        assert output(first.create_sandbox(), code) == output(second.create_sandbox(), code)
        # Row 174: isolated also on a cache hit.
        output(second.create_sandbox(), "number = 5; import greeter; greeter.HELLO = 1")
        assert output(build().create_sandbox(), code) == output(first.create_sandbox(), code)

    def test_nothing_is_compiled_for_what_is_in_the_cache(
        self, tmp_path: Path, greeter: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a folder of its own a factory compiled its packages to know which one it was."""
        eryx.SandboxFactory(packages=[greeter], cache=tmp_path)

        def fail(*_: object) -> None:
            raise AssertionError("compiled again")

        monkeypatch.setattr(_bytecode, "_kept", {})
        monkeypatch.setattr(_bytecode, "_compile_all", fail)
        factory = eryx.SandboxFactory(packages=[greeter], cache=tmp_path)
        code = "import greeter; print(greeter.__spec__.cached, greeter.greet('you'))"
        assert output(factory.create_sandbox(), code) == (
            "/site-packages/greeter/__pycache__/__init__.cpython-314.pyc Hello, you!"
        )
        assert any(path.endswith(".pyc") for path in unpack(factory._template().archive))

    def test_entry_under_the_name_of_another(self, tmp_path: Path) -> None:
        """It is made anew, too: the file says which packages it was made of."""
        first = wheel(tmp_path, "p", "1", {"p.py": "x = 1"})
        data = eryx.SandboxFactory(packages=[first]).to_bytes()
        second = wheel(tmp_path, "p", "1", {"p.py": "x = 2"})
        for _ in range(2):
            factory = eryx.SandboxFactory(packages=[second], cache=tmp_path / "cache")
            assert output(factory.create_sandbox(), "import p; print(p.x)") == "2"
            (entry,) = (tmp_path / "cache").iterdir()
            entry.write_bytes(data)

    def test_other_contents_make_another_factory(self, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        made = [
            eryx.SandboxFactory(cache=cache),
            eryx.SandboxFactory(imports=["json"], cache=cache),
            eryx.SandboxFactory(setup_code="x = 1", cache=cache),
            eryx.SandboxFactory(setup_code="x = 2", cache=cache),
            eryx.SandboxFactory(callbacks=[{"name": "a", "fn": lambda: 1}], cache=cache),
            eryx.SandboxFactory(packages=[wheel(tmp_path, "p", "1", {"p.py": "x=1"})], cache=cache),
            eryx.SandboxFactory(packages=[wheel(tmp_path, "p", "1", {"p.py": "x=2"})], cache=cache),
        ]
        assert len(list(cache.iterdir())) == len(made)

    def test_damaged_entry_is_made_anew(self, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        eryx.SandboxFactory(setup_code="x = 1", cache=cache)
        (entry,) = cache.iterdir()
        for damage in (b"", b"nonsense", entry.read_bytes()[:-5]):
            entry.write_bytes(damage)
            factory = eryx.SandboxFactory(setup_code="x = 1", cache=cache)
            assert output(factory.create_sandbox(), "print(x)") == "1"
            assert len(entry.read_bytes()) > 1000

    def test_folder_of_the_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ERYX_CACHE_DIR", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        eryx.SandboxFactory(cache=True)
        (entry,) = (tmp_path / "eryx" / "factories").iterdir()
        assert entry.stat().st_mode & 0o077 == 0

    def test_folder_that_others_can_write_to(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o777)
        with pytest.raises(eryx.InitializationError, match="other users"):
            eryx.SandboxFactory(cache=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(eryx.InitializationError, match=f"{tmp_path}/file/cache"):
            eryx.SandboxFactory(cache=tmp_path / "file" / "cache")


def command(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "eryx", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, done.stderr
    return done


def on_a_terminal(*words: str | Path, columns: int = 80) -> tuple[str, str, int]:
    """Runs the command line with stderr on a terminal: stdout, what that shows, and the status."""
    primary, secondary = pty.openpty()
    termios.tcsetwinsize(secondary, (24, columns))
    with subprocess.Popen(
        [sys.executable, "-m", "eryx", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=secondary,
        text=True,
    ) as process:
        os.close(secondary)
        shown = b""
        try:
            while data := os.read(primary, 4096):
                shown += data
        except OSError:
            pass  # nobody has the other end any more
        output, _ = process.communicate(timeout=120)
    os.close(primary)
    return output, shown.decode(), process.returncode


class TestCommandLine:
    CODE = "import greeter; print(greeter.greet('cli'))"

    def test_package_and_import(self, greeter: Path) -> None:
        words = ("--package", greeter, "--import", "greeter", "--import", "json")
        code = f"import sys; print('greeter' in sys.modules); {self.CODE}"
        assert command(*words, "-c", code).stdout == "True\nHello, cli!\n"

    def test_cache(self, greeter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path))
        for _ in range(2):
            done = command("--cache", "--package", greeter, "-c", self.CODE)
            assert done.stdout == "Hello, cli!\n"
        assert len(list((tmp_path / "factories").iterdir())) == 1

    def test_build_inspect_and_use(self, greeter: Path, tmp_path: Path) -> None:
        setup, path = tmp_path / "setup.py", tmp_path / "factory"
        setup.write_text("word = greeter_word = 'set'\n")
        done = command(
            *("factory", "build", "--package", greeter, "--import", "greeter", "--setup", setup),
            *("--verify", "import greeter; assert word == 'set'", "-o", path),
        )
        assert done.stdout.startswith(f"{path}: ")
        assert done.stderr == ""
        done = command("factory", "inspect", path)
        assert done.stdout.splitlines()[1:] == [
            "packages: greeter 1.2",
            "imports: greeter",
            "callbacks: none",
            "set-up code: yes",
        ]
        shown = json.loads(command("factory", "inspect", "--json", path).stdout)
        assert shown["packages"] == [{"name": "greeter", "version": "1.2"}]
        assert shown["size_bytes"] == path.stat().st_size
        done = command("--factory", path, "-c", f"{self.CODE}; print(word)")
        assert done.stdout == "Hello, cli!\nset\n"

    def test_key(self, tmp_path: Path) -> None:
        key, path = tmp_path / "key", tmp_path / "factory"
        key.write_bytes(b"secret")
        command("factory", "build", "--key-file", key, "-o", path)
        assert "none" in command("factory", "inspect", "--key-file", key, path).stdout
        assert "with a key" in command("factory", "inspect", path, status=1).stderr
        key.write_bytes(b"")
        assert (
            "empty" in command("factory", "build", "--key-file", key, "-o", path, status=1).stderr
        )

    def test_site_packages(self, tmp_path: Path) -> None:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "single.py").write_text("value = 7")
        words = ("--site-packages", tmp_path / "site", "--import", "single")
        command("factory", "build", *words, "-o", tmp_path / "factory")
        done = command(
            "--factory", tmp_path / "factory", "-c", "import single; print(single.value)"
        )
        assert done.stdout == "7\n"

    def test_progress_bar_on_a_terminal(self, greeter: Path, tmp_path: Path) -> None:
        other = wheel(tmp_path, "o" * 60, "1", {"other.py": ""})
        words = ("factory", "build", "--package", greeter, "--package", other, "-o")
        output, shown, status = on_a_terminal(*words, tmp_path / "factory", columns=60)
        assert (status, output[: len(str(tmp_path))]) == (0, str(tmp_path))
        steps = shown.split("\r\x1b[K")
        assert steps[0] == steps[-1] == ""
        assert [step[26:] for step in steps[1:-1]] == [
            " reading greeter-1.2-py3-none-any",
            f" reading {'o' * 24}",
            " importing",
            " verifying",
            " writing",
        ]
        bars = [step[:26] for step in steps[1:-1]]
        assert bars == [f"[{'#' * done}{'.' * (24 - done)}]" for done in (0, 4, 9, 14, 19)]
        assert max(map(len, steps)) < 60

    def test_progress_bar_of_a_run(self, greeter: Path, tmp_path: Path) -> None:
        """It is gone when the program begins, and names of files do not command the terminal."""
        evil = tmp_path / f"\x1b]0;owned\x07-{greeter.name}"
        evil.mkdir()
        (evil / greeter.name).write_bytes(greeter.read_bytes())
        code = "import sys; print('on', file=sys.stderr)"
        output, shown, status = on_a_terminal("--package", evil / greeter.name, "-c", code)
        assert (output, status) == ("", 0)
        assert shown.endswith("importing\r\x1b[Kon\r\n")
        assert "reading greeter-1.2" in shown
        assert "owned" not in shown
        (tmp_path / "bad\x1b[2J.whl").write_bytes(b"junk")
        _, shown, status = on_a_terminal("--package", tmp_path / "bad\x1b[2J.whl", "-c", "1")
        assert status == 1
        assert r"] reading 'bad\x1b[2J.whl'" in shown
        assert shown.partition("\r\x1b[Keryx: ")[2].endswith("it has no start or no end\r\n")

    def test_no_progress_bar_elsewhere(self, greeter: Path, tmp_path: Path) -> None:
        words = ("factory", "build", "--package", greeter, "-o", tmp_path / "factory")
        assert command(*words).stderr == ""
        output, shown, _ = on_a_terminal("--package", greeter, "-c", "print(1)")
        assert output == "1\n"
        assert shown.endswith("\r\x1b[K")

    def test_failures(self, greeter: Path, tmp_path: Path) -> None:
        path = tmp_path / "factory"
        build = ("factory", "build", "-o", path)
        done = command(*build, "--import", "nowhere", status=1)
        assert "No module named 'nowhere'" in done.stderr
        done = command(*build, "--package", tmp_path / "nowhere.whl", status=1)
        assert "nowhere.whl" in done.stderr
        done = command(*build, "--verify", "assert False, 'not so'", status=1)
        assert "not so" in done.stderr
        assert [entry for entry in tmp_path.iterdir() if entry.suffix != ".whl"] == []
        path.write_text("no factory")
        assert str(path) in command("factory", "inspect", path, status=1).stderr
        assert str(path) in command("--factory", path, "-c", "1", status=1).stderr
        command("factory", status=2)
        command("factory", "build", status=2)
        done = command("--factory", path, "--package", greeter, "-c", "1", status=2)
        assert "cannot be given together" in done.stderr
