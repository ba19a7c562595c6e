"""What a worker can do that its guest has taken over: nothing outside of itself.

The worker of these tests has a hole on purpose (src/worker/planted_bug.h): what a guest prints can
be an order, which is followed with all that the process has. It is built with the C tests.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx import _processes

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = Path(_processes._PROGRAM)

# Numbers of system calls of x86-64 Linux.
READ, WRITE, OPEN, MMAP, MPROTECT, IOCTL = 0, 1, 2, 9, 10, 16
SOCKET, CONNECT, CLONE, EXECVE, KILL, PTRACE = 41, 42, 56, 59, 62, 101
STAT, RENAME, UNLINK, SOCKETPAIR, PRCTL, PRLIMIT = 4, 82, 87, 53, 157, 302
OPENAT, PROCESS_VM_READV, PROCESS_VM_WRITEV, PIDFD_OPEN, PIDFD_GETFD = 257, 310, 311, 434, 438
MEMFD_EXEC, EXECVEAT, IO_URING_SETUP, CLONE3, BPF, SECCOMP, TGKILL = (
    319,
    322,
    425,
    435,
    321,
    317,
    234,
)
GETPID = 39

PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
MAP_PRIVATE_ANONYMOUS = 0x22


@pytest.fixture(scope="module")
def planted() -> Path:
    """The program with the hole, next to the package or where the C tests were built."""
    for folder in (PROGRAM.parents[2], ROOT / "build" / "test", ROOT / "build" / "dev"):
        found = folder / "eryx-worker-planted"
        if found.is_file():
            return found
    subprocess.run(
        [
            *("cmake", "-S", str(ROOT), "-B", str(ROOT / "build" / "planted"), "-DERYX_PYTHON=OFF"),
            *("-DCMAKE_BUILD_TYPE=Release", "-DERYX_EXAMPLES=OFF"),
        ],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [
            *("cmake", "--build", str(ROOT / "build" / "planted"), "--parallel", "2"),
            *("--target", "eryx-worker-planted"),
        ],
        check=True,
        capture_output=True,
    )
    return ROOT / "build" / "planted" / "eryx-worker-planted"


@pytest.fixture
def workers(planted: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[eryx.Workers]:
    monkeypatch.setattr(_processes, "_PROGRAM", str(planted))
    with eryx.Workers(processes=2, per_tenant=True) as made:
        yield made


def process_of(session: eryx.Sandbox) -> _processes.Process:
    core: Any = session._core
    process: _processes.Process = core._process
    return process


def order(session: eryx.Session, text: str) -> tuple[int, int]:
    """What an order gave: the result of the call, and errno."""
    answers: list[str] = []
    session.execute(
        f"import sys\n_ = sys.stdout.write({'PLANTED BUG: ' + text!r})\nsys.stdout.flush()",
        on_stdout=answers.append,
    )
    found = re.search(r"gave (-?\d+), errno (\d+)", "".join(answers))
    assert found is not None, answers
    return int(found[1]), int(found[2])


class TestTakenOver:
    def test_the_hole_is_there(self, workers: eryx.Workers) -> None:
        session = workers.session(tenant="mallory")
        assert order(session, f"call {GETPID}")[0] == workers.pids[0]

    @pytest.mark.parametrize(
        "call",
        [
            f"{OPEN} text:/etc/passwd 0",
            f"{OPENAT} -100 text:/etc/passwd 0",
            f"{OPENAT} -100 text:/tmp/written-by-a-worker 0x41 0x1a4",
            f"{STAT} text:/etc/passwd 0",
            f"{RENAME} text:/tmp/a text:/tmp/b",
            f"{UNLINK} text:/tmp/a",
            f"{SOCKET} 2 1 0",
            f"{SOCKET} 1 1 0",
            f"{SOCKETPAIR} 1 1 0 0",
            f"{CONNECT} 3 0 0",
            f"{CLONE} 17 0",
            f"{CLONE3} 0 0",
            f"{EXECVE} text:/bin/sh 0 0",
            f"{EXECVEAT} 3 text: 0 0 0x1000",
            f"{PTRACE} 16 1",
            f"{PROCESS_VM_READV} 1 0 0 0 0 0",
            f"{PROCESS_VM_WRITEV} 1 0 0 0 0 0",
            f"{PIDFD_OPEN} 1 0",
            f"{PIDFD_GETFD} 3 0 0",
            f"{IO_URING_SETUP} 1 0",
            f"{BPF} 0 0 0",
            f"{PRCTL} 4 1",
            f"{SECCOMP} 1 0 0",
            f"{MMAP} 0 4096 {PROT_READ | PROT_WRITE | PROT_EXEC} {MAP_PRIVATE_ANONYMOUS} -1 0",
            f"{MMAP} 0 4096 {PROT_READ | PROT_EXEC} {MAP_PRIVATE_ANONYMOUS} -1 0",
            f"{IOCTL} 3 0x5401 0",
            f"{PRLIMIT} 0 7 0x1000 0",
            "0x40000027",
        ],
    )
    def test_a_call_that_is_not_on_the_list_ends_it(self, workers: eryx.Workers, call: str) -> None:
        session, other = workers.session(tenant="mallory"), workers.session(tenant="alice")
        other.execute("x = 'alive'")
        with pytest.raises(eryx.WorkerCrashedError):
            order(session, f"call {call}")
        assert other.execute("x").value == "alive"
        assert not Path("/tmp/written-by-a-worker").exists()
        session.reset()
        assert session.execute("'again'").value == "again"

    @pytest.mark.parametrize("number", [KILL, TGKILL])
    def test_it_signals_nobody(self, workers: eryx.Workers, number: int) -> None:
        session = workers.session(tenant="mallory")
        before = signal.signal(signal.SIGUSR1, lambda *_: pytest.fail("a worker sent a signal"))
        try:
            with pytest.raises(eryx.WorkerCrashedError):
                order(session, f"call {number} {os.getpid()} {signal.SIGUSR1.value} 0")
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_memory_cannot_become_code(self, workers: eryx.Workers) -> None:
        session = workers.session(tenant="mallory")
        where, _ = order(
            session, f"call {MMAP} 0 4096 {PROT_READ | PROT_WRITE} {MAP_PRIVATE_ANONYMOUS} -1 0"
        )
        assert where > 0
        with pytest.raises(eryx.WorkerCrashedError):
            order(session, f"call {MPROTECT} {where} 4096 {PROT_READ | PROT_EXEC}")

    def test_descriptors_are_sockets_of_the_parent_and_data(self, workers: eryx.Workers) -> None:
        session = workers.session(tenant="mallory")
        session.execute("1")
        folder = Path(f"/proc/{workers.pids[0]}/fd")
        try:
            targets = {os.readlink(entry) for entry in folder.iterdir()}
        except PermissionError:
            pytest.skip("only root sees the descriptors of a process that is not dumpable")
        rest = [
            target
            for target in targets
            if not re.fullmatch(
                r"/dev/null|socket:\[\d+\]|anon_inode:.*|/memfd:eryx.*|/proc/\d+/pagemap"
                r"|.*/(image|stdlib|seeds)\.bin|.*/images/[0-9a-f]{16}\.image",
                target,
            )
        ]
        assert rest == []

    def test_files_that_it_has_cannot_be_written(self, workers: eryx.Workers) -> None:
        session = workers.session(tenant="mallory")
        for descriptor in range(3, 20):
            if descriptor in sockets_of(workers.pids[0]):
                continue
            result, _ = order(session, f"call {WRITE} {descriptor} text:spoilt 6")
            # Of eventfd and memfd nobody else has.
            assert result in (-1, 6)
        image = Path(eryx.__file__).parent / "image.bin"
        assert b"spoilt" not in image.read_bytes()[:64]

    def test_a_write_to_anywhere_ends_it_alone(self, workers: eryx.Workers) -> None:
        session, other = workers.session(tenant="mallory"), workers.session(tenant="alice")
        other.execute("x = 'alive'")
        here = ctypes.c_uint64(0x1234)
        with pytest.raises(eryx.WorkerCrashedError):
            order(session, f"write {ctypes.addressof(here)} 99")
        assert here.value == 0x1234
        assert other.execute("x").value == "alive"

    def test_what_it_says_then_is_not_believed(self, workers: eryx.Workers) -> None:
        """It writes what it likes to its sockets: the run fails, and nothing else."""
        for text in ("rubbish" * 20, "\x7f" * 200):
            session = workers.session(tenant="mallory")
            sockets = sockets_of(process_of(session).pid)
            with pytest.raises(eryx.WorkerCrashedError, match=r"should not|died"):
                _ = [
                    order(session, f"call {WRITE} {descriptor} text:{text} {len(text)}")
                    for descriptor in sockets
                ]
        assert workers.session(tenant="alice").execute("1").value == 1

    def test_nobody_elses_secret_is_in_it(self, workers: eryx.Workers) -> None:
        """Of another tenant, of the parent, and of the parent's environment."""
        os.environ["ERYX_TEST_SECRET_OF_PARENT"] = "parents-" + "environment-4711"
        secret = "alices-" + "secret-8c1f22"
        kept = bytearray(b"parents-" + b"memory-77aa")
        alice, mallory = workers.session(tenant="alice"), workers.session(tenant="mallory")
        alice.execute("secret = name", inputs={"name": secret})
        mallory.execute("own = 'mallory-' + 'owns-this'")
        pids = {
            name: process_of(session).pid
            for name, session in (("alice", alice), ("mallory", mallory))
        }
        assert pids["alice"] != pids["mallory"]
        try:
            memory = memory_of(pids["mallory"])
        except PermissionError:
            pytest.skip("only root reads the memory of a process that is not dumpable")
        assert b"mallory-owns-this" in memory
        for missing in (secret.encode(), bytes(kept), b"parents-environment-4711"):
            assert missing not in memory
        assert secret.encode() in memory_of(pids["alice"])
        assert Path(f"/proc/{pids['mallory']}/environ").read_bytes() == b""


# Kinds of messages about files (src/worker/service.h).
FIND, READ_FILE, WRITE_FILE, SET_SIZE, OPEN_FILE, MAKE, REMOVE = 4, 8, 9, 10, 11, 14, 16
ITS_ROOT = 0


def message(kind: int, *parts: int | bytes) -> bytes:
    """One that asks for files: numbers of 32 bits, bytes, and those that are counted."""
    payload = b"".join(
        struct.pack("=I", part) if isinstance(part, int) else struct.pack("=I", len(part)) + part
        for part in parts
    )
    return struct.pack("=III", len(payload), kind, 1) + payload


def sockets_of(pid: int) -> set[int]:
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:
        pytest.skip("only root sees the descriptors of a process that is not dumpable")
    return {int(each.name) for each in entries if os.readlink(each).startswith("socket:")}


class TestTakenOverWithFiles:
    """A worker whose sandbox has a volume asks for what it likes."""

    @pytest.fixture
    def host(self, tmp_path: Path) -> Path:
        (tmp_path / "secret").write_text("outside")
        (tmp_path / "volume").mkdir()
        (tmp_path / "volume" / "f").write_text("inside")
        (tmp_path / "volume" / "out").symlink_to("../secret")
        return tmp_path

    def say(
        self, workers: eryx.Workers, host: Path, mode: str, *messages: bytes, times: int = 1
    ) -> eryx.Session:
        """Has the worker say that, where it asks for files."""
        session = workers.session(tenant="mallory", volumes=[(host / "volume", "/v", mode)])
        session.execute("open('/v/f').read()")
        socket_of_files = max(sockets_of(process_of(session).pid))
        said = b"".join(messages)
        for _ in range(times):
            order(session, f"call {WRITE} {socket_of_files} hex:{said.hex()} {len(said)}")
        return session

    @pytest.mark.parametrize(
        "said",
        [
            message(FIND, ITS_ROOT, b".."),
            message(FIND, ITS_ROOT, b"../secret"),
            message(FIND, ITS_ROOT, b"/etc/passwd"),
            message(FIND, ITS_ROOT, b"a\0b"),
            message(FIND, ITS_ROOT, b""),
            message(FIND, 77, b"f"),
            message(FIND, 2**32 - 1, b"f"),
            message(READ_FILE, 77, 0, 0, 10),
            message(READ_FILE, ITS_ROOT, 0, 0, 2**31),
            message(MAKE, ITS_ROOT, b"../made", 6, b""),
            message(REMOVE, ITS_ROOT, b"../secret", ITS_ROOT),
            message(99),
            b"\xff" * 64,
        ],
    )
    def test_what_no_guest_can_ask_ends_it(
        self, workers: eryx.Workers, host: Path, said: bytes
    ) -> None:
        alice = workers.session(tenant="alice")
        alice.execute("x = 'alive'")
        with pytest.raises(eryx.WorkerCrashedError, match=r"should not|died"):
            self.say(workers, host, "rw", said).execute("import time\ntime.sleep(1)\nopen('/v/f')")
        assert (host / "secret").read_text() == "outside"
        assert sorted(os.listdir(host)) == ["secret", "volume"]
        assert sorted(os.listdir(host / "volume")) == ["f", "out"]
        assert alice.execute("x").value == "alive"

    def test_what_is_read_only_stays(self, workers: eryx.Workers, host: Path) -> None:
        """It asks for nodes by number: 1 is what it finds first, the file."""
        self.say(
            workers,
            host,
            "ro",
            message(FIND, ITS_ROOT, b"f"),
            message(OPEN_FILE, 1, 2 | 1 << 11),
            message(WRITE_FILE, 1, 0, 0, b"spoilt"),
            message(SET_SIZE, 1, 0, 0),
            message(MAKE, ITS_ROOT, b"made", 6, b""),
            message(REMOVE, ITS_ROOT, b"f", 1),
        )
        assert (host / "volume" / "f").read_text() == "inside"
        assert sorted(os.listdir(host / "volume")) == ["f", "out"]

    def test_a_link_leads_nowhere(self, workers: eryx.Workers, host: Path) -> None:
        self.say(
            workers,
            host,
            "rw",
            message(FIND, ITS_ROOT, b"out"),
            message(OPEN_FILE, 1, 2 | 1 << 11),
            message(WRITE_FILE, 1, 0, 0, b"spoilt"),
            message(SET_SIZE, 1, 0, 0),
        )
        assert (host / "secret").read_text() == "outside"

    def test_a_flood_is_waited_for_by_nobody_else(self, workers: eryx.Workers, host: Path) -> None:
        """It asks and takes no answers: the parent takes no more questions then."""
        alice = workers.session(tenant="alice", volumes=[(host / "volume", "/v", "ro")])
        said = message(FIND, ITS_ROOT, b"f") * 15
        mallory = self.say(workers, host, "rw", said, times=200)
        assert alice.execute("open('/v/f').read()").value == "inside"
        del mallory
        assert alice.execute("open('/v/f').read()").value == "inside"


# A message about the network, and operations of it (src/net/far.h).
NETWORK = 20
OPEN_SOCKET, CHECK, START, FINISH, READ_SOCKET = 1, 3, 5, 6, 10


def question(operation: int, number: int, port: int = 0, host: str = "0.0.0.0") -> bytes:
    """A question about a connection, as the worker would write it."""
    address = socket.inet_aton(host) + bytes(12)
    payload = struct.pack("=IIQB16sIIII", operation, number, 0, 0, address, port, 0, 2**32 - 1, 64)
    return struct.pack("=III", len(payload), NETWORK, 1) + payload


class TestTakenOverWithNetwork:
    """A worker whose sandbox may reach one server asks for another."""

    @pytest.fixture
    def listeners(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        good = socket.create_server(("127.0.0.1", 0))
        bad = socket.create_server(("127.0.0.2", 0))
        with good, bad:
            yield good, bad

    def ask(self, workers: eryx.Workers, config: eryx.NetConfig, *said: bytes) -> eryx.Session:
        session = workers.session(
            tenant="mallory",
            network=config,
            secrets={"KEY": {"value": "not-for-the-worker-4711", "allowed_hosts": ["a.example"]}},
        )
        session.execute("1")
        where = max(sockets_of(process_of(session).pid))
        for each in said:
            order(session, f"call {WRITE} {where} hex:{each.hex()} {len(each)}")
        return session

    def accepts(self, listener: socket.socket) -> bool:
        listener.settimeout(0.3)
        try:
            listener.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def test_the_rules_hold_whatever_it_skips(
        self, workers: eryx.Workers, listeners: tuple[socket.socket, socket.socket]
    ) -> None:
        good, bad = (each.getsockname()[1] for each in listeners)
        config = eryx.NetConfig(allow_all_hosts=False, allowed_networks=["127.0.0.1/32"])
        session = self.ask(
            workers,
            config,
            question(OPEN_SOCKET, 0)
            + question(START, 1, bad, "127.0.0.2")
            + question(OPEN_SOCKET, 0)
            + question(CHECK, 2, bad, "127.0.0.2")
            + question(START, 2, bad, "127.0.0.2")
            + question(OPEN_SOCKET, 0)
            + question(CHECK, 3, good, "127.0.0.1")
            + question(START, 3, bad, "127.0.0.2"),
        )
        assert not self.accepts(listeners[1])
        assert not self.accepts(listeners[0])
        pid = process_of(session).pid
        try:
            assert b"not-for-the-worker-4711" not in memory_of(pid)
        except PermissionError:
            pytest.skip("only root reads the memory of a process that is not dumpable")

    def test_who_is_to_be_asked_is_asked(
        self, workers: eryx.Workers, listeners: tuple[socket.socket, socket.socket]
    ) -> None:
        good = listeners[0].getsockname()[1]
        config = eryx.NetConfig(on_connect=lambda *_: True).allow_localhost()
        said = question(OPEN_SOCKET, 0) + question(CHECK, 1, good, "127.0.0.1")
        self.ask(workers, config, said + question(START, 1, good, "127.0.0.1"))
        assert not self.accepts(listeners[0])

    @pytest.mark.parametrize(
        "said",
        [
            question(READ_SOCKET, 7),
            question(FINISH, 2**32 - 1),
            question(99, 1),
            message(FIND, ITS_ROOT, b"f"),
            b"\xff" * 64,
        ],
    )
    def test_connections_that_are_not_its_own_end_it(
        self, workers: eryx.Workers, said: bytes
    ) -> None:
        with pytest.raises(eryx.WorkerCrashedError, match=r"should not|died"):
            self.ask(workers, eryx.NetConfig(), said).execute("import time; time.sleep(1)")
        assert workers.session(tenant="alice").execute("1").value == 1


def memory_of(pid: int) -> bytes:
    """All that a process could read, but for what it shares with files."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in span.split("-"))
            if rights[0] != "r" or end - begin > 2**31 or line.endswith("[vvar]\n"):
                continue
            try:
                memory.seek(begin)
                found.append(memory.read(end - begin))
            except (OSError, OverflowError, ValueError):
                pass
    return b"".join(found)


class TestProgram:
    def test_what_is_shipped_has_no_hole(self) -> None:
        with eryx.Workers(processes=1) as workers:
            done = workers.sandbox().execute("print('PLANTED BUG: call 39')")
            assert done.stdout == "PLANTED BUG: call 39"
        for path in (PROGRAM, Path(_processes._DATA[-1])):
            assert b"PLANTED BUG" not in path.read_bytes()

    def test_it_is_confined(self) -> None:
        with eryx.Workers(processes=1) as workers:
            workers.sandbox()
            status = Path(f"/proc/{workers.pids[0]}/status").read_text()
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
        assert re.search(r"^Threads:\t1$", status, re.MULTILINE)

    def test_no_two_have_the_same_addresses(self) -> None:
        with eryx.Workers(processes=3) as workers:
            boxes = [workers.sandbox() for _ in range(3)]
            starts = set()
            for pid in workers.pids:
                try:
                    maps = Path(f"/proc/{pid}/maps").read_text()
                except PermissionError:
                    pytest.skip("only root sees the addresses of a process that is not dumpable")
                starts.add(maps.split("-")[0])
            assert len(starts) == len(boxes)

    def test_memory_is_not_writable_and_code(self) -> None:
        segments = subprocess.run(
            ["readelf", "--wide", "--segments", "--dynamic", str(PROGRAM)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        flags = re.findall(r"^\s+LOAD\s+(?:0x\w+\s+){5}([R ][W ][E ])", segments, re.MULTILINE)
        assert flags
        assert [each for each in flags if "W" in each and "E" in each] == []
        assert "BIND_NOW" in segments
        assert "PIE" in segments
        needed = re.findall(r"\(NEEDED\).*\[(.+)\]", segments)
        of_c = r"(libc|libm|libpthread|libdl|librt|libutil|libgcc_s|ld-linux-x86-64)\.so\.\d"
        assert [name for name in needed if not re.fullmatch(of_c, name)] == []

    def test_by_hand_it_says_who_starts_it(self) -> None:
        done = subprocess.run([str(PROGRAM)], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == "eryx-worker is started by eryx itself\n"

    def test_malformed_messages_of_the_parent_end_a_socket_alone(self) -> None:
        with eryx.Workers(processes=1) as workers:
            session = workers.session()
            session.execute("x = 1")
            control = socket.socket(fileno=os.dup(process_of(session).control))
            for text in (b"\xff" * 12, b"\0" * 12, b"\0\0\0\0\x01\0\0\0\x01\0\0\0"):
                ours, theirs = socket.socketpair()
                with ours, theirs:
                    opening = b"\0\0\0\0\x0a\0\0\0\0\0\0\0"
                    socket.send_fds(control, [opening], [theirs.fileno()])
                    theirs.close()
                    ours.settimeout(10)
                    ours.sendall(text)
                    assert ours.recv(100) == b""
            control.close()
            assert session.execute("x").value == 1

    def test_image_of_another_build(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "image.bin").write_bytes(b"no image")
        monkeypatch.setattr(
            _processes, "_DATA", (str(tmp_path / "image.bin"), *_processes._DATA[1:])
        )
        with pytest.raises(eryx.InitializationError, match="not an eryx image"):
            eryx.Workers().sandbox()

    def test_module_that_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        module = tmp_path / "module.so"
        module.write_bytes(b"no module")
        monkeypatch.setattr(_processes, "_DATA", (*_processes._DATA[:-1], str(module)))
        with pytest.raises(eryx.InitializationError, match=r"cannot run sandboxes: .*module\.so"):
            eryx.Workers().sandbox()

    def test_no_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_processes, "_PROGRAM", "/nowhere/eryx-worker")
        with pytest.raises(eryx.InitializationError, match="no worker process: /nowhere"):
            eryx.Workers().sandbox()
        monkeypatch.setattr(_processes, "_PROGRAM", "/bin/true")
        with pytest.raises(eryx.InitializationError, match="died while it started"):
            eryx.Workers().sandbox()
        assert sys.platform == "linux"
