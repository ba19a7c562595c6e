"""Sandboxes in worker processes: the same answers, and what becomes of a worker's death."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx import _processes
from eryx._process_core import ProcessCore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Endings of workers; `make test-workers` asks for many more.
CRASHES = int(os.environ.get("ERYX_WORKER_CRASHES", "60"))


@pytest.fixture(scope="module")
def workers() -> Iterator[eryx.Workers]:
    with eryx.Workers(processes=2) as made:
        yield made


def kill(pid: int) -> None:
    """Ends a worker and waits until the system knows."""
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOWAIT)
    os.close(handle)


def process_of(sandbox: eryx.Sandbox) -> _processes.Process:
    core: Any = sandbox._core
    process: _processes.Process = core._process
    return process


def write_and_close(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)
    os.close(descriptor)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


class TestRuns:
    def test_answers_are_those_of_this_process(self, workers: eryx.Workers) -> None:
        code = "import sys; print('out'); print('err', file=sys.stderr); result = [1]; 6 * 7"
        there, here = workers.sandbox().execute(code), eryx.Sandbox().execute(code)
        for name in ("stdout", "stderr", "result", "value", "value_repr", "stdout_bytes"):
            assert getattr(there, name) == getattr(here, name)
        assert there.peak_memory_bytes == here.peak_memory_bytes

    def test_every_run_of_a_sandbox_is_clean(self, workers: eryx.Workers) -> None:
        sandbox = workers.sandbox()
        sandbox.execute("x = 1")
        with pytest.raises(eryx.ExecutionError, match="NameError"):
            sandbox.execute("x")

    def test_inputs_environment_arguments_and_limits(self, workers: eryx.Workers) -> None:
        done = workers.sandbox().execute(
            "import os, sys; (os.environ['A'], sys.argv[1:], len(blob), row['n'])",
            inputs={"blob": b"\0" * 100_000, "row": {"n": 3}},
            env={"A": "b"},
            arguments=["x", "y"],
        )
        assert done.value == ["b", ["x", "y"], 100_000, 3]
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            workers.sandbox(
                resource_limits=eryx.ResourceLimits(max_memory_bytes=32 * 1024 * 1024)
            ).execute("b = bytearray(64 * 1024 * 1024)")

    def test_output_comes_while_it_is_written(self, workers: eryx.Workers) -> None:
        came: list[tuple[float, str]] = []
        workers.sandbox(on_stdout=lambda text: came.append((time.monotonic(), text))).execute(
            "import time\nfor i in range(3):\n    print(i)\n    time.sleep(0.1)"
        )
        assert "".join(text for _, text in came) == "0\n1\n2\n"
        assert came[-1][0] - came[0][0] > 0.1

    def test_much_output_has_a_slow_reader(self, workers: eryx.Workers) -> None:
        sizes: list[int] = []

        def read(text: str) -> None:
            sizes.append(len(text))
            time.sleep(0.001)

        workers.sandbox(on_stdout=read).execute(
            "import sys\nfor i in range(300):\n    sys.stdout.write('x' * 9_999 + '\\n')"
        )
        assert sum(sizes) == 3_000_000

    def test_large_results_and_displays(self, workers: eryx.Workers) -> None:
        done = workers.sandbox().execute(
            "display({'text/plain': 'y' * 1_000_000}, raw=True)\nresult = 'z' * 3_000_000"
        )
        assert len(done.result) == 3_000_000
        assert len(done.display[0].mime["text/plain"]) == 1_000_000

    def test_files_that_a_run_has_changed(self, workers: eryx.Workers) -> None:
        session = workers.session()
        done = session.execute(
            "import os\nopen('/data/a', 'w').write('text')\nopen('/data/b', 'w').close()\n"
            "os.mkdir('/data/c')"
        )
        assert [(each.path, each.kind, each.type, each.size) for each in done.files] == [
            ("/data/a", "made", "file", 4),
            ("/data/b", "made", "file", 0),
            ("/data/c", "made", "directory", 0),
        ]
        assert done.read("a") == b"text"
        assert done.read("b") == b""
        done = session.execute("os.remove('/data/a')")
        assert [(each.path, each.kind) for each in done.files] == [("/data/a", "removed")]
        assert session.execute("1").files == []

    def test_many_files(self, workers: eryx.Workers) -> None:
        """The C library sorts that many in another way, which looks at the machine."""
        code = "for n in range(2_000):\n    open(f'/data/{n}', 'w').close()"
        assert len(workers.session().execute(code).files) == 2_000

    def test_standard_input(self, workers: eryx.Workers) -> None:
        answers = iter(["Ada", "36", None])
        code = "import sys\nfirst = input()\nrest = sys.stdin.read()\nfirst + '|' + rest"
        assert workers.sandbox().execute(code, stdin="a\nb\nc").value == "a|b\nc"
        assert workers.sandbox().execute(code, stdin=lambda: next(answers)).value == "Ada|36\n"
        reading, writing = os.pipe()
        with os.fdopen(reading) as source:
            threading.Timer(0.1, write_and_close, [writing, b"q\nr"]).start()
            assert workers.sandbox().execute(code, stdin=source).value == "q|r"

    def test_of_a_file_no_more_is_read_than_asked_for(
        self, workers: eryx.Workers, tmp_path: Path
    ) -> None:
        path = tmp_path / "input"
        path.write_bytes(b"0123456789" * 10_000)
        with path.open("rb", buffering=0) as source:
            done = workers.sandbox().execute("import os; os.read(0, 10).decode()", stdin=source)
            assert done.value == "0123456789"
            assert source.tell() <= 8192

    def test_time_limit_and_cancellation(self, workers: eryx.Workers) -> None:
        session = workers.session()
        session.execute("kept = 1")
        with pytest.raises(eryx.TimeoutError):
            session.execute("while True: pass", timeout_ms=200)
        threading.Timer(0.2, session.cancel).start()
        with pytest.raises(eryx.CancelledError):
            session.execute("while True: pass", timeout_ms=60_000)
        assert session.execute("kept").value == 1

    def test_no_cancellation_is_lost(self, workers: eryx.Workers) -> None:
        """It comes from another thread, while the one of the run is just about to say something."""
        started = threading.Event()
        session = workers.session(callbacks={"started": started.set})
        for _ in range(50):
            started.clear()

            def cancel() -> None:
                started.wait()
                session.cancel()

            thread = threading.Thread(target=cancel)
            thread.start()
            with pytest.raises(eryx.CancelledError):
                session.execute("await started()\nwhile True: pass", timeout_ms=30_000)
            thread.join()

    def test_guests_of_one_worker_take_turns(self) -> None:
        with eryx.Workers(processes=1) as one:
            busy, quick = one.sandbox(), one.sandbox()

            def compute() -> None:
                with contextlib.suppress(eryx.CancelledError):
                    busy.execute("while True: pass", timeout_ms=60_000)

            def is_over() -> bool:
                busy.cancel()
                return not thread.is_alive()

            thread = threading.Thread(target=compute)
            thread.start()
            try:
                for _ in range(5):
                    assert quick.execute("1 + 1").value == 2
            finally:
                until(is_over)

    def test_on_an_event_loop(self, workers: eryx.Workers) -> None:
        async def main() -> list[Any]:
            boxes = [workers.sandbox() for _ in range(8)]
            runs = [
                box.execute_async(f"import asyncio\nawait asyncio.sleep(0.05)\n{number}")
                for number, box in enumerate(boxes)
            ]
            return [done.value for done in await asyncio.gather(*runs)]

        assert asyncio.run(main()) == list(range(8))

    def test_a_run_whose_task_is_cancelled_is_over(self, workers: eryx.Workers) -> None:
        async def main() -> object:
            sandbox = workers.sandbox()
            task = asyncio.create_task(sandbox.execute_async("while True: pass"))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await sandbox.execute_async("'again'")).value

        assert asyncio.run(main()) == "again"


class TestCallbacks:
    def test_sync_and_async(self, workers: eryx.Workers) -> None:
        async def slow(n: int) -> int:
            await asyncio.sleep(0.01)
            return n + 1

        def fail() -> None:
            raise eryx.ToolError("not today")

        sandbox = workers.sandbox(
            callbacks=[
                {"name": "add", "fn": lambda a, b: a + b},
                {"name": "slow", "fn": slow},
                {"name": "fail", "fn": fail},
            ]
        )
        code = """
import asyncio
print(await add(a=1, b=2), await asyncio.gather(*[slow(n=i) for i in range(5)]))
try:
    await fail()
except RuntimeError as error:
    print(error)
"""
        wanted = "3 [1, 2, 3, 4, 5]\nnot today"
        assert sandbox.execute(code).stdout == wanted
        assert asyncio.run(sandbox.execute_async(code)).stdout == wanted

    def test_a_callback_that_is_late(self, workers: eryx.Workers) -> None:
        limits = eryx.ResourceLimits(callback_timeout_ms=50)
        sandbox = workers.sandbox(
            resource_limits=limits,
            callbacks=[{"name": "wait", "fn": lambda: time.sleep(0.3)}],
        )
        code = "try:\n    await wait()\nexcept TimeoutError as error:\n    print('late')"
        assert sandbox.execute(code).stdout == "late"

    def test_events(self, workers: eryx.Workers) -> None:
        async def main() -> list[str]:
            session = workers.session(callbacks={"pay": lambda amount: amount})
            async with session.start("print('a')\nawait pay(amount=3)") as run:
                return [type(event).__name__ async for event in run]

        assert asyncio.run(main()) == ["Output", "Call", "Done"]

    def test_trace(self, workers: eryx.Workers) -> None:
        there = workers.sandbox(trace=True).execute("x = 1\ny = 2")
        here = eryx.Sandbox(trace=True).execute("x = 1\ny = 2")
        assert [event.event for event in there.trace] == [event.event for event in here.trace]


class TestSessions:
    def test_state_forks_checkpoints(self, workers: eryx.Workers) -> None:
        session = workers.session()
        session.execute("words = iter('abc'); next(words)")
        fork = session.fork()
        before = session.checkpoint()
        assert session.execute("next(words)").value == "b"
        assert fork.execute("next(words)").value == "b"
        session.rollback(before)
        assert session.execute("next(words)").value == "b"

    def test_save_and_load(self, workers: eryx.Workers, tmp_path: Path) -> None:
        session = workers.session()
        session.execute("x = 42")
        session.save(tmp_path / "state")
        here, there = eryx.Session(), workers.session()
        here.load(tmp_path / "state")
        there.load(tmp_path / "state")
        assert here.execute("x").value == there.execute("x").value == 42
        assert (tmp_path / "state").stat().st_mode & 0o77 == 0

    def test_load_refuses_what_is_no_session(self, workers: eryx.Workers, tmp_path: Path) -> None:
        session = workers.session()
        session.execute("x = 1")
        session.save(tmp_path / "state")
        os.truncate(tmp_path / "state", 2**42)
        (tmp_path / "other").write_text("nothing")
        for name, problem in (("state", "damaged"), ("other", "not a saved"), ("no", "No such")):
            with pytest.raises(eryx.InitializationError, match=problem):
                session.load(tmp_path / name)
        assert session.execute("x").value == 1

    def test_transactional_snapshots_and_files(self, workers: eryx.Workers) -> None:
        session = workers.session(transactional=True)
        session.execute("x = 1")
        with pytest.raises(eryx.ExecutionError):
            session.execute("x = 2; 1 / 0")
        assert session.execute("x").value == 1
        other = workers.session()
        other.restore_state(session.snapshot_state())
        assert other.execute("x").value == 1
        other.execute("open('/data/f', 'w').write('text')")
        assert other.files.read_text("f") == "text"
        other.clear_state()
        with pytest.raises(eryx.ExecutionError, match="NameError"):
            other.execute("x")

    def test_factories_and_pools(self, workers: eryx.Workers, tmp_path: Path) -> None:
        factory = eryx.SandboxFactory(imports=["decimal"], setup_code="rate = 7")
        assert factory.create_session(isolation=workers).execute("rate").value == 7
        assert factory.create_sandbox(isolation=workers).execute("rate + 1").value == 8
        loaded = eryx.SandboxFactory.from_bytes(factory.to_bytes())
        assert loaded.create_sandbox(isolation="process").execute("rate").value == 7
        (tmp_path / "spare_parts.py").write_text("wheels = 4")
        more = factory.create_sandbox(site_packages=tmp_path, isolation=workers)
        assert more.execute("import spare_parts; rate * spare_parts.wheels").value == 28
        with (
            factory.create_pool(max_size=2, isolation=workers) as pool,
            pool.acquire() as sandbox,
        ):
            assert sandbox.execute("rate * 6").value == 42


class TestRefusals:
    def test_saving_with_storages(self, workers: eryx.Workers, tmp_path: Path) -> None:
        session = eryx.Session(isolation=workers, files=eryx.VfsStorage())
        session.execute("x = 1")
        with pytest.raises(eryx.EryxError, match="without its storages"):
            session.save(tmp_path / "saved", include_storage=True)
        session.save(tmp_path / "saved")
        session.execute("x = 2")
        session.load(tmp_path / "saved")
        assert session.execute("x").value == 1

    def test_other_values(self, workers: eryx.Workers) -> None:
        wrong: Any = "thread"
        with pytest.raises(TypeError, match='isolation must be "process"'):
            eryx.Sandbox(isolation=wrong)
        for options in ({"processes": 0}, {"max_runs": 0}, {"idle_seconds": -1.0}):
            with pytest.raises(ValueError, match="must be"):
                eryx.Workers(**options)
        with pytest.raises(ValueError, match="per tenant"):
            eryx.Workers(per_tenant=True).sandbox()

    def test_closed(self) -> None:
        workers = eryx.Workers()
        session = workers.session()
        workers.close()
        workers.close()
        with pytest.raises(eryx.WorkerCrashedError):
            session.execute("1")
        with pytest.raises(eryx.EryxError, match="closed"):
            workers.sandbox()


class TestFilesOfTheParent:
    """What the tests of volumes, storages and providers do not say (they run in workers, too)."""

    def test_after_the_death_of_the_worker(self, tmp_path: Path) -> None:
        with eryx.Workers(processes=1) as workers:
            storage = eryx.VfsStorage()
            volumes = [(tmp_path, "/v", "rw")]
            session = eryx.Session(isolation=workers, files=storage, volumes=volumes)
            session.execute(
                "import os\nf = open('/v/f', 'w')\nf.write('kept'); f.flush()\n"
                "open('/data/x.db', 'w').close()\nos.mkdir('/data/x.db.lock')"
            )
            kill(workers.pids[0])
            with pytest.raises(eryx.WorkerCrashedError):
                session.execute("f.write('lost')")
            session.reset()
            look = "print(open('/v/f').read(), os.listdir('/data'))"
            # What it has locked is not locked any more.
            assert session.execute("import os\n" + look).stdout == "kept ['x.db']"

    def test_a_death_in_the_middle_of_file_work(
        self, workers: eryx.Workers, tmp_path: Path
    ) -> None:
        """The parent goes on answering others, and has nothing open of the dead in the end."""
        busy = "import os\nwhile True:\n open('/v/f', 'w').write('x' * 5000); os.listdir('/v')"
        sandbox = eryx.Sandbox(volumes=[(tmp_path, "/v", "rw")], isolation=workers)

        def kill(pid: int) -> None:
            until((tmp_path / "f").exists)
            os.kill(pid, signal.SIGKILL)

        for _ in range(10):
            sandbox.execute("1")
            (tmp_path / "f").unlink(missing_ok=True)
            killer = threading.Thread(target=kill, args=[process_of(sandbox).pid])
            killer.start()
            with pytest.raises(eryx.WorkerCrashedError):
                sandbox.execute(busy)
            killer.join()
        inside = str(tmp_path)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
            targets = [os.readlink(link) for link in links if os.path.islink(link)]
            if not any(target.startswith(inside + "/") for target in targets):
                break
            time.sleep(0.01)
        else:
            pytest.fail(f"files are still open: {targets}")
        assert sandbox.execute("print(len(open('/v/f').read()) in (0, 5000))").stdout == "True"

    def test_forks_share_them(self, workers: eryx.Workers, tmp_path: Path) -> None:
        storage = eryx.VfsStorage()
        session = eryx.Session(
            isolation=workers, files=storage, volumes=[(tmp_path, "/v", "overlay")]
        )
        (tmp_path / "f").write_text("host")
        session.execute("f = open('/v/f'); open('/v/own', 'w').write('before')")
        forks = [session.fork() for _ in range(3)]
        del session
        for number, fork in enumerate(forks):
            fork.execute(
                f"open('/data/{number}', 'w').write('x'); open('/v/own', 'a').write('{number}')"
            )
            assert fork.execute("f.seek(0); print(f.read(), open('/v/own').read())").stdout == (
                f"host before{number}"
            )
        assert storage.list() == ["0", "1", "2"]
        assert os.listdir(tmp_path) == ["f"]

    def test_who_has_none_has_no_thread_for_them(self, child: Callable[[str], str]) -> None:
        done = child(
            """
            import eryx, os
            before = len(os.listdir("/proc/self/task"))
            with eryx.Workers(processes=1) as workers:
                workers.sandbox().execute("open('/tmp/f', 'w').write('x')")
                print(len(os.listdir("/proc/self/task")) - before)
            """
        )
        assert done == "0"


class TestDeath:
    def test_output_until_then_is_in_the_error(self) -> None:
        with eryx.Workers(processes=1) as workers:
            session = workers.session()
            code = "import time\nprint('so far', flush=True)\ntime.sleep(60)"
            (pid,) = workers.pids
            threading.Timer(1.0, kill, [pid]).start()
            with pytest.raises(eryx.WorkerCrashedError, match="died") as caught:
                session.execute(code)
            assert caught.value.stdout == "so far"
            assert caught.value.to_dict()["error"]["type"] == "WorkerCrashedError"

    def test_others_go_on_and_it_is_replaced(self, tmp_path: Path) -> None:
        with eryx.Workers(processes=2) as workers:
            first, second = workers.session(), workers.session()
            for session in (first, second):
                session.execute("x = 5")
            first.save(tmp_path / "state")
            pids = workers.pids
            assert len(pids) == 2
            kill(pids[0])
            with pytest.raises(eryx.WorkerCrashedError):
                first.execute("x")
            assert second.execute("x").value == 5
            with pytest.raises(eryx.EryxError):
                first.execute("x")
            first.load(tmp_path / "state")
            assert first.execute("x").value == 5
            assert pids[0] not in workers.pids

    def test_a_sandbox_does_not_notice_between_two_runs(self) -> None:
        with eryx.Workers(processes=1) as workers:
            sandbox = workers.sandbox()
            sandbox.execute("1")
            kill(workers.pids[0])
            assert sandbox.execute("6 * 7").value == 42

    def test_reset_of_a_session(self) -> None:
        with eryx.Workers(processes=1) as workers:
            session = workers.session()
            session.execute("x = 1")
            kill(workers.pids[0])
            with pytest.raises(eryx.WorkerCrashedError):
                session.execute("x")
            session.reset()
            assert session.execute("'again'").value == "again"

    def test_on_an_event_loop(self) -> None:
        async def main() -> None:
            with eryx.Workers(processes=2) as workers:
                boxes = [workers.sandbox() for _ in range(4)]
                runs = [
                    asyncio.create_task(
                        box.execute_async("import asyncio; await asyncio.sleep(1.5); 'lived'")
                    )
                    for box in boxes
                ]
                await asyncio.sleep(0.5)
                kill(workers.pids[0])
                ends = await asyncio.gather(*runs, return_exceptions=True)
                crashed = [end for end in ends if isinstance(end, eryx.WorkerCrashedError)]
                lived = [end for end in ends if isinstance(end, eryx.ExecuteResult)]
                assert len(crashed) == len(lived) == 2
                assert {done.value for done in lived} == {"lived"}

        asyncio.run(main())

    def test_at_any_moment(self) -> None:
        """The worker dies at every step of what is said, and nothing hangs or is mixed up."""
        with eryx.Workers(processes=1) as workers:
            kinds = {"done": 0, "crashed": 0}
            for number in range(CRASHES):
                session = workers.session(callbacks={"twice": lambda n: 2 * n})
                (pid,) = workers.pids
                delay = (number % 30) * 0.0002
                timer = threading.Timer(delay, os.kill, [pid, signal.SIGKILL])
                timer.start()
                try:
                    for step in range(20):
                        assert session.execute(f"print(await twice(n={step}))").stdout == str(
                            2 * step
                        )
                        session.fork().close()
                        session.rollback(session.checkpoint())
                    kinds["done"] += 1
                except eryx.WorkerCrashedError:
                    kinds["crashed"] += 1
                finally:
                    timer.join()
                session.close()
                del session
            assert kinds["crashed"] > CRASHES // 2
            assert workers.sandbox().execute("1 + 1").value == 2
        assert workers.pids == ()

    @pytest.mark.parametrize("before", [True, False])
    @pytest.mark.parametrize(
        "method",
        [
            *("begin", "run", "step", "outcome", "callback_return", "fork", "checkpoint"),
            *("rollback", "save", "load", "set_limits", "begin_command", "reset"),
        ],
    )
    def test_at_each_step(
        self, tmp_path: Path, method: str, before: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed right before or right after each thing that is asked of it."""
        with eryx.Workers(processes=1) as workers:
            session = workers.session(callbacks={"twice": lambda n: 2 * n})
            session.execute("x = 1")
            session.save(tmp_path / "state")
            core: Any = session._core
            pids = list(workers.pids)
            original = getattr(core, method)

            def hurt(*arguments: Any, **options: Any) -> Any:
                if before and pids:
                    kill(pids.pop())
                try:
                    return original(*arguments, **options)
                finally:
                    if pids:
                        kill(pids.pop())

            if method in ProcessCore.__slots__:
                setattr(core, method, hurt)
            else:
                monkeypatch.setattr(ProcessCore, method, lambda _, *a, **o: hurt(*a, **o))
            with contextlib.suppress(eryx.WorkerCrashedError, eryx.InitializationError):
                session.execute("1", limits=eryx.ResourceLimits())
                session.execute("await twice(n=4)")
                checkpoint = session.checkpoint()
                session.fork().close()
                session.rollback(checkpoint)
                session.save(tmp_path / "other")
                session.load(tmp_path / "other")
                session.clear_state()
                session.reset()
            assert pids == []
            monkeypatch.undo()
            if method in ProcessCore.__slots__:
                setattr(core, method, original)
            session.load(tmp_path / "state")
            assert session.execute("x").value == 1
            assert workers.sandbox().execute("'fine'").value == "fine"

    def test_none_is_left_behind(self) -> None:
        workers = eryx.Workers(processes=3)
        boxes = [workers.sandbox() for _ in range(3)]
        pids = workers.pids
        assert len(pids) == 3
        del workers, boxes
        gc.collect()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))

    def test_they_end_with_this_process(self, child: Callable[[str], str]) -> None:
        text = child(
            "import eryx, os\n"
            "workers = eryx.Workers(processes=1)\n"
            "session = workers.session()\n"
            "session.execute('1')\n"
            "print(workers.pids[0], flush=True)\n"
            "os._exit(0)\n"
        )
        pid = int(text)
        until(lambda: not Path(f"/proc/{pid}").exists())

    def test_a_child_of_this_process_has_its_own(self, child: Callable[[str], str]) -> None:
        text = child(
            "import eryx, os\n"
            "workers = eryx.Workers(processes=1)\n"
            "session = workers.session()\n"
            "session.execute('x = 1')\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    try:\n"
            "        session.execute('x')\n"
            "    except eryx.EryxError as error:\n"
            "        print(error, workers.sandbox().execute('2').value, flush=True)\n"
            "    os._exit(0)\n"
            "os.waitpid(pid, 0)\n"
            "print(session.execute('x').value)\n"
        )
        assert text.split("\n") == ["the sandbox belongs to the parent of this process 2", "1"]


class TestRecycling:
    def test_after_so_many_runs(self) -> None:
        with eryx.Workers(processes=1, max_runs=3) as workers:
            sandbox = workers.sandbox()
            pids = []
            for _ in range(9):
                sandbox.execute("1")
                pids.append(workers.pids[0])
            assert len(set(pids)) >= 3

    def test_a_session_stays_until_it_is_reset(self) -> None:
        with eryx.Workers(processes=1, max_runs=2) as workers:
            session = workers.session()
            (first,) = workers.pids
            for _ in range(5):
                session.execute("x = 1")
            assert workers.pids == (first,)
            session.reset()
            session.execute("y = 1")
            until(lambda: not Path(f"/proc/{first}").exists())

    def test_by_age(self) -> None:
        with eryx.Workers(processes=1, max_age_seconds=0.05) as workers:
            sandbox = workers.sandbox()
            (first,) = workers.pids
            time.sleep(0.1)
            sandbox.execute("1")
            sandbox.execute("1")
            assert workers.pids != (first,)

    def test_by_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_processes, "_LOOK_EVERY", 1)
        with eryx.Workers(processes=1, max_memory_bytes=40_000_000) as workers:
            session = workers.session()
            session.execute("x = 1")
            assert workers.sandbox() is not None
            (first,) = workers.pids
            session.execute("b = bytearray(60_000_000)")
            session.execute("b[0]")
            workers.sandbox().execute("1")
            assert set(workers.pids) != {first}

    def test_idle_ones_end(self) -> None:
        with eryx.Workers(processes=2, idle_seconds=0.05) as workers:
            boxes = [workers.sandbox(), workers.sandbox()]
            assert len(workers.pids) == 2
            del boxes
            gc.collect()
            time.sleep(0.1)
            assert workers.sandbox().execute("1").value == 1
            assert len(workers.pids) == 1


class TestTenants:
    def test_they_share_no_process(self) -> None:
        with eryx.Workers(processes=2, per_tenant=True) as workers:
            of: dict[str, set[int]] = {}
            kept = []
            for name in ("alice", "bob", "alice", "carol", "bob"):
                before = set(workers.pids)
                sandbox = workers.sandbox(tenant=name)
                kept.append(sandbox)
                process = process_of(sandbox)
                assert process.tenant == name
                assert process.pid not in before or process.pid in of[name]
                of.setdefault(name, set()).add(process.pid)
            assert not of["alice"] & of["bob"]
            assert not (of["alice"] | of["bob"]) & of["carol"]

    def test_a_worker_that_was_one_tenants_is_never_anothers(self) -> None:
        with eryx.Workers(processes=1, per_tenant=True) as workers:
            first = workers.session(tenant="alice")
            first.execute("secret = 'alice'")
            (pid,) = workers.pids
            first.close()
            del first
            gc.collect()
            other = workers.session(tenant="bob")
            assert process_of(other).pid != pid
