"""The stop that needs no cooperation: code that never looks at anything, in any surroundings."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import LATENESS_MS, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_MS = 200

# Exponential or endless work in functions without loops, and long work in single operations.
NO_LOOPS = {
    "hash of nested slices": "x = None\nfor i in range(50): x = slice(x, x, x)\nhash(x)",
    "comparison of nested slices": "x = y = None\nfor i in range(50): x, y = slice(x, x, x), "
    "slice(y, y, y)\nx == y",
    "comparison of nested lists": "x, y = [], []\n"
    "for i in range(60): x, y = [x, x], [y, y]\nx == y",
    "repr of nested tuples": "x = ()\nfor i in range(60): x = (x, x)\nrepr(x)",
    "pickle of nested tuples": "import pickle\nx = ()\nfor i in range(60): x = (x, x, [])\n"
    "pickle.dumps(x)\nwhile True: repr(x)",
    "fill of much memory": "x = bytearray(64 << 20)\nwhile True: x[:] = b'1' * len(x)",
    "copy of much memory": "x = bytearray(48 << 20)\nwhile True: bytes(x)",
}

# A crash of the guest's own making, and a stack overflow.
CRASH = """
import dis
op = dis.opmap
def f(): pass
code = [op["RESUME"], 0, op["EXTENDED_ARG"], 127, op["EXTENDED_ARG"], 255, op["EXTENDED_ARG"], 255,
        op["LOAD_FAST"], 200, op["RETURN_VALUE"], 0]
f.__code__ = f.__code__.replace(co_code=bytes(code))
f()
"""
OVERFLOW = "x = iter([1])\nfor i in range(1_000_000): x = map(int, x)\nprint(next(x))"


def nested(depth: int) -> str:
    return f"x = None\nfor i in range({depth}): x = slice(x, x, x)\n"


class TestDeadline:
    @pytest.mark.parametrize("name", NO_LOOPS)
    def test_holds_in_code_without_loops(self, name: str) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS, max_memory_bytes=1 << 30)
        sandbox = eryx.Sandbox(resource_limits=limits)
        begin = time.monotonic()
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute(NO_LOOPS[name])
        took_ms = (time.monotonic() - begin) * 1e3
        assert took_ms + 1 >= TIMEOUT_MS
        assert took_ms <= TIMEOUT_MS + LATENESS_MS
        assert sandbox.execute("print(1)").stdout == "1"

    def test_holds_on_an_event_loop(self) -> None:
        async def main() -> float:
            limits = eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS)
            begin = time.monotonic()
            with pytest.raises(eryx.TimeoutError):
                await eryx.Sandbox(resource_limits=limits).execute_async(nested(50) + "hash(x)")
            return (time.monotonic() - begin) * 1e3

        assert asyncio.run(main()) <= TIMEOUT_MS + LATENESS_MS

    def test_soft_stop_leaves_a_session_its_state(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=20)
        with eryx.Session(resource_limits=limits) as session:
            session.execute("kept = 42")
            for _ in range(20):
                with pytest.raises(eryx.TimeoutError):
                    session.execute("while True: pass")
            assert session.execute("print(kept)").stdout == "42"

    def test_cancellation_is_seen(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=30_000)
        sandbox = eryx.Sandbox(resource_limits=limits)
        threading.Timer(0.1, sandbox.cancel).start()
        begin = time.monotonic()
        with pytest.raises(eryx.CancelledError):
            sandbox.execute(nested(50) + "hash(x)")
        assert time.monotonic() - begin < 10

    def test_task_cancellation_is_seen(self) -> None:
        async def main() -> None:
            sandbox = eryx.Sandbox(resource_limits=eryx.ResourceLimits(execution_timeout_ms=30_000))
            task = asyncio.ensure_future(sandbox.execute_async(nested(50) + "hash(x)"))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        begin = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - begin < 10

    def test_keyboard_interrupt_is_seen(self) -> None:
        program = f"""
            import os, signal, threading, eryx
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            try:
                eryx.Sandbox().execute({nested(50) + "hash(x)"!r})
            except KeyboardInterrupt:
                print("interrupted")
        """
        done = run_python(program)
        assert done.stdout == "interrupted\n", done.stderr

    def test_guest_cannot_hide_at_the_end_of_its_stack(self) -> None:
        code = nested(50) + (
            "y = iter([1])\n"
            "class H:\n"
            "    def __init__(self, value): pass\n"
            "    def __hash__(self): return hash(x)\n"
            "import itertools\n"
            "y = map(hash, [x])\n"
            "for i in range(200_000): y = itertools.chain(y)\n"
            "next(y)"
        )
        limits = eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS)
        begin = time.monotonic()
        with pytest.raises(eryx.EryxError):  # the stack may be at its end before the time is
            eryx.Sandbox(resource_limits=limits).execute(code)
        assert time.monotonic() - begin < 5


class TestProcessorTime:
    def test_limit_in_c_is_unlimited_by_default(self) -> None:
        assert eryx.Sandbox().execute("print(sum(range(1000)))").stdout == "499500"


class TestSurroundings:
    @pytest.mark.parametrize("blocked", ["SIGSEGV", "SIGBUS", "all"])
    def test_threads_that_block_signals(self, blocked: str) -> None:
        program = f"""
            import signal, threading, eryx
            which = signal.valid_signals() if {blocked!r} == "all" else [signal.{
            blocked if blocked != "all" else "SIGSEGV"
        }]
            signal.pthread_sigmask(signal.SIG_BLOCK, which)
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
            limits = eryx.ResourceLimits(max_memory_bytes=10**9, execution_timeout_ms=500)
            def work():
                sandbox = eryx.Sandbox(resource_limits=limits)
                for code in ({CRASH!r}, {OVERFLOW!r}, {CRASH!r}, {nested(50) + "hash(x)"!r}):
                    try:
                        sandbox.execute(code)
                    except eryx.EryxError as error:
                        print(type(error).__name__)
            work()
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            print(signal.pthread_sigmask(signal.SIG_BLOCK, []) == before)
        """
        done = run_python(program)
        assert done.returncode == 0, done.stderr
        names = done.stdout.split()
        assert len(names) == 9
        assert names[-1] == "True"
        assert names[3] == names[7] == "TimeoutError"

    def test_signal_that_is_taken_is_left_alone(self) -> None:
        program = f"""
            import os, signal, eryx
            seen = []
            taken = range(signal.SIGRTMIN + 3, signal.SIGRTMAX - 1)
            for number in taken:
                if number != signal.SIGRTMIN + 9:
                    signal.signal(number, lambda number, frame: seen.append(number))
            limits = eryx.ResourceLimits(execution_timeout_ms=100)
            try:
                eryx.Sandbox(resource_limits=limits).execute({nested(50) + "hash(x)"!r})
            except eryx.TimeoutError:
                print("stopped")
            os.kill(os.getpid(), signal.SIGRTMIN + 4)
            print(seen == [signal.SIGRTMIN + 4])
        """
        done = run_python(program)
        assert done.stdout == "stopped\nTrue\n", done.stderr

    def test_child_of_a_fork_stops_its_own_guests(self) -> None:
        program = f"""
            import os, eryx
            limits = eryx.ResourceLimits(execution_timeout_ms=100)
            def stop(name):
                try:
                    eryx.Sandbox(resource_limits=limits).execute({nested(50) + "hash(x)"!r})
                except eryx.TimeoutError:
                    os.write(1, f"{{name}}{{chr(10)}}".encode())
            stop("parent")
            child = os.fork()
            stop("child" if child == 0 else "parent again")
            if child:
                assert os.waitpid(child, 0)[1] == 0
        """
        done = run_python(program)
        assert sorted(done.stdout.splitlines()) == ["child", "parent", "parent again"], done.stderr

    def test_system_calls_of_the_host_are_not_disturbed(self) -> None:
        """The timer of a run that waits may expire while the thread does something else."""
        limits = eryx.ResourceLimits(execution_timeout_ms=60_000)
        sandbox = eryx.Sandbox(
            resource_limits=limits,
            callbacks=[{"name": "sleep", "fn": lambda: time.sleep(0.2)}],
        )
        begin = time.monotonic()
        sandbox.execute("await sleep()")
        assert time.monotonic() - begin >= 0.2


class TestInterrupt:
    """`signal.set_wakeup_fd()` once made the interrupt of a host wait call the host again."""

    @pytest.fixture
    def port(self) -> Iterator[int]:
        received: list[bytes] = []

        def serve(listener: socket.socket) -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=drain, args=(connection,), daemon=True).start()

        def drain(connection: socket.socket) -> None:
            with closing(connection):
                while data := connection.recv(100):
                    received.append(data)

        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
            yield listener.getsockname()[1]
            listener.shutdown(socket.SHUT_RDWR)
        assert received == []

    @pytest.mark.parametrize("target", ["s.fileno()", "f", "1"])
    @pytest.mark.parametrize(
        "wait",
        [
            "select.select([s2], [], [], 100)",
            "time.sleep(100)",
            "s3.recv(10)",
            "while True: pass",
        ],
    )
    def test_writes_to_no_descriptor(self, port: int, target: str, wait: str) -> None:
        code = (
            "import os, select, signal, socket, time\n"
            f"s, s2, s3 = (socket.create_connection(('127.0.0.1', {port})) for _ in range(3))\n"
            "s.setblocking(False)\n"
            "f = os.open('/data/w', os.O_CREAT | os.O_RDWR | os.O_NONBLOCK)\n"
            f"try: signal.set_wakeup_fd({target}, warn_on_full_buffer=False)\n"
            "except (ValueError, OSError): pass\n" + wait
        )
        sandbox = eryx.Sandbox(
            network=eryx.NetConfig().allow_localhost(),
            resource_limits=eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS),
        )
        with pytest.raises(eryx.TimeoutError) as caught:
            sandbox.execute(code)
        assert caught.value.stdout == ""


class TestStrayStopSignals:
    def test_do_nothing_outside_of_guests(self) -> None:
        eryx.Sandbox().execute("1")
        for number in range(signal.SIGRTMIN + 3, signal.SIGRTMAX - 1):
            with open("/proc/self/status") as status:
                caught = next(line for line in status if line.startswith("SigCgt:"))
            if int(caught.split()[1], 16) >> (number - 1) & 1:
                os.kill(os.getpid(), number)
        assert eryx.Sandbox().execute("print(2)").stdout == "2"
