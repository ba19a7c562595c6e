"""Parts of the standard library that the guest's package lacks and eryx adds."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

import eryx
from toolchain.guest_packages import wheels

PYTEST_FILE = """
import os


def test_directory(tmp_path):
    (tmp_path / "a").write_text("x")


def test_directories(tmp_path_factory):
    tmp_path_factory.mktemp("b")


def test_what_is_printed(capsys):
    print("hi")
    assert capsys.readouterr().out == "hi\\n"


def test_what_is_written(capfd):
    os.write(1, b"hi")
    assert capfd.readouterr().out == "hi"


def test_that_fails():
    os.write(1, b"what is shown")
    assert False
"""


def output(code: str) -> str:
    return eryx.Sandbox().execute(code).stdout


class TestCompression:
    @pytest.mark.parametrize("module", ["bz2", "lzma", "compression.zstd"])
    def test_round_trip(self, module: str) -> None:
        code = f"""
import importlib, os
module = importlib.import_module({module!r})
for data in (b"", b"a", b"spam " * 50_000, os.urandom(300_000)):
    assert module.decompress(module.compress(data)) == data
print("whole")
"""
        assert output(code) == "whole"

    def test_they_are_those_of_the_host(self) -> None:
        code = "import {0}; result = {0}.compress(b'eryx ' * 1000).hex()"
        assert eryx.Sandbox().execute(code.format("bz2")).result == (
            bz2.compress(b"eryx " * 1000).hex()
        )
        packed = bytes.fromhex(str(eryx.Sandbox().execute(code.format("lzma")).result))
        assert lzma.decompress(packed) == b"eryx " * 1000

    def test_a_bomb_ends_at_the_limit_of_memory(self) -> None:
        packed = lzma.compress(bytes(1 << 28), preset=0)
        limits = eryx.ResourceLimits(max_memory_bytes=64 << 20)
        sandbox = eryx.Sandbox(resource_limits=limits)
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            sandbox.execute("import lzma; lzma.decompress(packed)", inputs={"packed": packed})

    def test_it_is_counted_and_stopped(self) -> None:
        limits = eryx.ResourceLimits(max_fuel=5_000_000)
        code = "import lzma, os; lzma.compress(os.urandom(1 << 20), preset=3)"
        with pytest.raises(eryx.ResourceLimitError):
            eryx.Sandbox(resource_limits=limits).execute(code)

    def test_they_are_there_when_a_sandbox_begins(self) -> None:
        code = "import sys; print({'bz2', 'lzma', 'compression.zstd'} <= set(sys.modules))"
        assert output(code) == "True"


class TestDigests:
    def test_scrypt(self) -> None:
        code = "import hashlib; print(hashlib.scrypt(b'a', salt=b'b', n=1024, r=8, p=2).hex())"
        assert output(code) == hashlib.scrypt(b"a", salt=b"b", n=1024, r=8, p=2).hex()

    def test_scrypt_ends_with_the_deadline(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=200, max_memory_bytes=512 << 20)
        session = eryx.Session(resource_limits=limits)
        code = "import hashlib; hashlib.scrypt(b'', salt=b'', n=1 << 18, r=8, p=9, maxmem=1 << 30)"
        with pytest.raises(eryx.TimeoutError):
            session.execute(code)

    @pytest.mark.parametrize(
        "name", ["md5", "sha1", "SHA224", "sha256", "sha384", "sha512", "sha3_256", "blake2b"]
    )
    @pytest.mark.parametrize("rounds", [1, 2, 5000])
    def test_pbkdf2(self, name: str, rounds: int) -> None:
        for password in (b"", b"secret", bytes(range(256))):
            code = "import hashlib; print(hashlib.pbkdf2_hmac(*arguments).hex())"
            arguments = (name, password, b"salt", rounds, 100)
            done = eryx.Sandbox().execute(
                f"name, rounds = {name!r}, {rounds}\n"
                "arguments = (name, password, b'salt', rounds, 100)\n" + code,
                inputs={"password": password},
            )
            assert done.stdout == hashlib.pbkdf2_hmac(*arguments).hex()

    def test_pbkdf2_is_counted_and_stopped(self) -> None:
        code = "import hashlib; hashlib.pbkdf2_hmac('sha512', b'', b'', 2**31 - 1)"
        with pytest.raises(eryx.ResourceLimitError):
            eryx.Sandbox(resource_limits=eryx.ResourceLimits(max_fuel=20_000_000)).execute(code)
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        with pytest.raises(eryx.TimeoutError):
            eryx.Sandbox(resource_limits=limits).execute(code)

    def test_what_the_host_does_not_take(self) -> None:
        code = """
import _eryx
whole = bytes(128 + 64)
for operation, rounds, data, room in (
    (0, 1, whole, 64), (6, 1, whole, 64), (2**32 - 1, 1, whole, 64), (3, 2049, whole, 64),
    (3, 2**32 - 1, whole, 64), (3, 1, whole[1:], 64), (3, 1, whole + b"a", 64), (3, 1, b"", 64),
    (3, 1, whole, 63), (3, 1, whole, 0),
):
    print(_eryx.ask(5, operation, rounds, data, room), end=" ")
print(len(_eryx.ask(5, 3, 0, whole, 64)), len(_eryx.ask(5, 3, 2048, whole, 1000)))
"""
        assert output(code) == "-1 " * 10 + "64 64"

    @pytest.mark.parametrize(
        ("name", "digest"),
        [
            ("ripemd160", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            ("sm3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
            ("sha512_224", "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
            ("sha512_256", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
            (
                "md5-sha1",
                "900150983cd24fb0d6963f7d28e17f72a9993e364706816aba3e25717850c26c9cd0d89d",
            ),
        ],
    )
    def test_of_openssl(self, name: str, digest: str) -> None:
        code = f"""
import hashlib
whole = hashlib.new({name!r}, b"a")
other = whole.copy()
whole.update(b"bc")
print(whole.hexdigest(), other.digest() != whole.digest(), {name!r} in hashlib.algorithms_available)
"""
        assert output(code) == f"{digest} True True"


class TestTimeZones:
    def test_they_are_there(self) -> None:
        code = """
import zoneinfo
from datetime import datetime
print(datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Oslo")).isoformat())
print(len(zoneinfo.available_timezones()) > 500)
"""
        assert output(code) == "2026-07-01T12:00:00+02:00\nTrue"


class TestSystem:
    def test_who_the_program_is(self) -> None:
        code = """
import getpass, os, pwd, pathlib
print(getpass.getuser(), os.getuid(), os.getegid(), os.getppid(), pathlib.Path.home())
print(pwd.getpwuid(os.stat("/data").st_uid).pw_name, pathlib.Path("~/a").expanduser())
print(pathlib.Path("/tmp").owner(), pathlib.Path("/").group(), os.fstat(1).st_gid)
"""
        assert output(code) == "user 1000 1000 0 /data\nuser /data/a\nuser user 1000"

    def test_files_of_volumes_are_the_program_s(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        code = """
import os, pathlib
owners = [pathlib.Path(f"/{name}/f").owner() for name in ("read", "overlay")]
print(*owners, os.lstat("/read").st_uid)
"""
        volumes = [(str(tmp_path), "/read", "ro"), (str(tmp_path), "/overlay", "overlay")]
        assert eryx.Sandbox(volumes=volumes).execute(code).stdout == "user user 1000"

    def test_passwords_of_the_program_s_own_file(self) -> None:
        code = """
import netrc, os, pathlib
path = pathlib.Path.home() / ".netrc"
path.write_text("machine example login me password secret")
path.chmod(0o600)
print(netrc.netrc().authenticators("example"))
"""
        assert output(code) == "('me', '', 'secret')"

    def test_a_file_that_runs_knows_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "program.py").write_text("print(__file__)")
        code = "import runpy; runpy.run_path('/code/program.py')"
        done = eryx.Sandbox(volumes=[(str(tmp_path), "/code", True)]).execute(code)
        assert done.stdout == "/code/program.py"

    def test_the_file_of_a_command_knows_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "program.py"
        path.write_text("print(__file__)")
        command = [sys.executable, "-m", "eryx", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == f"{path}\n"


class TestPytest:
    def test_it_runs_as_it_is(self) -> None:
        files = wheels("pytest", "pluggy", "iniconfig", "packaging", "pygments")
        session = eryx.SandboxFactory(packages=files).create_session()
        session.files.write_text("test_it.py", PYTEST_FILE)
        done = session.execute("import pytest; pytest.main(['-q', 'test_it.py'])")
        assert "1 failed, 4 passed" in done.stdout
        assert "what is shown" in done.stdout
        assert session.execute("print(1)").stdout == "1"


class TestPipes:
    def test_between_threads(self) -> None:
        code = """
import io, os, select, stat, threading
r, w = os.pipe()
print(os.write(w, b"abc"), os.read(r, 10), stat.S_ISFIFO(os.fstat(r).st_mode))
print(io.FileIO(r, closefd=False).seekable(), select.select([r], [w], [], 0)[1] == [w])
threading.Timer(0.05, os.write, (w, b"later")).start()
print(os.read(r, 10))
total = []
reader = threading.Thread(target=lambda: total.append(len(open(r, "rb").read())))
reader.start()
with open(w, "wb") as file:
    file.write(bytes(1_000_000))
reader.join()
print(total)
r, w = os.pipe()
os.close(r)
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print(type(error).__name__)
"""
        assert output(code) == "3 b'abc' True\nFalse True\nb'later'\n[1000000]\nBrokenPipeError"

    def test_what_is_not_blocking(self) -> None:
        code = """
import os, select
r, w = os.pipe2(os.O_NONBLOCK)
try:
    os.read(r, 1)
except BlockingIOError:
    print("nothing", select.select([r], [], [], 0.01)[0])
print(os.write(w, bytes(100_000)), select.select([], [w], [], 0)[1])
try:
    os.write(w, b"x")
except BlockingIOError:
    print("full")
print(len(os.read(r, 4095)), select.select([], [w], [], 0)[1])
print(len(os.read(r, 1)), select.select([], [w], [], 0)[1] == [w])
poll = select.poll()
poll.register(r, select.POLLIN)
print(poll.poll(0) == [(r, select.POLLIN)], os.write(w, b""))
os.close(w)
while os.read(r, 50_000):
    pass
print(poll.poll(0) == [(r, select.POLLHUP)])
"""
        assert output(code).splitlines() == [
            *("nothing []", "65536 []", "full", "4095 []", "1 True", "True 0", "True"),
        ]

    def test_copies_of_an_end(self) -> None:
        code = """
import os
r, w = os.pipe()
copy = os.dup(w)
os.close(w)
os.write(copy, b"abc")
other = os.dup(r)
print(os.read(r, 1), os.read(other, 5))
os.close(copy)
print(os.read(r, 1), os.read(other, 1))
for call in (lambda: os.pread(r, 1, 0), lambda: os.lseek(r, 0, 0), lambda: os.write(r, b"x")):
    try:
        call()
    except OSError as error:
        print(os.strerror(error.errno))
"""
        assert output(code).splitlines() == [
            *("b'a' b'bc'", "b'' b''", "Invalid seek", "Invalid seek", "Bad file descriptor"),
        ]

    def test_they_go_along_with_a_session(self, tmp_path: Path) -> None:
        session = eryx.Session()
        session.execute("import os; r, w = os.pipe(); os.write(w, b'abc')")
        fork = session.fork()
        again = eryx.Session()
        session.save(tmp_path / "saved")
        again.load(tmp_path / "saved")
        for each in (session, fork, again):
            each.execute("os.write(w, b'd'); os.close(w)")
            assert each.execute("os.read(r, 10), os.read(r, 10)").value_repr == "(b'abcd', b'')"

    def test_many_take_memory_of_the_sandbox(self) -> None:
        limits = eryx.ResourceLimits(max_memory_bytes=64 << 20)
        code = "import os\nwhile True: os.pipe()"
        with pytest.raises(eryx.ExecutionError, match=r"OSError|MemoryError"):
            eryx.Sandbox(resource_limits=limits).execute(code)

    def test_a_read_that_nobody_can_end_says_so(self) -> None:
        with pytest.raises(eryx.ExecutionError, match="RuntimeError"):
            eryx.Sandbox().execute("import os; os.read(os.pipe()[0], 1)")
