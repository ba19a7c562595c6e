"""The end of a run comes while the host is in a function of the caller, or computes for it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from conftest import run_python

if TYPE_CHECKING:
    from collections.abc import Callable

STEP_SECONDS = 0.05
LIMIT_MS = 300
# In the limit there is room for six steps; a slow machine has fewer.
MOST = 7

SWALLOWS = "for i in range(80):\n  try: {}\n  except BaseException: pass"
CALLS = {
    "await": "while True: await c()",
    "swallows": "while True:\n  try: await c()\n  except BaseException: pass",
    "sync": "while True: c.sync()",
    "sync swallows": SWALLOWS.format("c.sync()"),
    "gather": "import asyncio\nawait asyncio.gather(*[c() for _ in range(60)])",
    "tasks": "import asyncio\nawait asyncio.wait([asyncio.ensure_future(c()) for _ in range(60)])",
    "raw": "import _eryx\nfor i in range(80): _eryx.call('c', '{}')",
    "raw swallows": "import _eryx\n" + SWALLOWS.format("_eryx.call('c', '{}')"),
}
PRINTS = {
    "plain": "for i in range(80): print(i, flush=True)",
    "swallows": SWALLOWS.format("print(i, flush=True)"),
}

modes = pytest.mark.parametrize("mode", ["execute", "execute_async"])


def run(sandbox: eryx.Sandbox, code: str, mode: str) -> eryx.ExecuteResult:
    if mode == "execute":
        return sandbox.execute(code)
    return asyncio.run(sandbox.execute_async(code))


def limits(timeout_ms: int | None = LIMIT_MS) -> eryx.ResourceLimits:
    return eryx.ResourceLimits(execution_timeout_ms=timeout_ms, max_callback_invocations=None)


class Slow:
    """A function that takes its time and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.at_first: Callable[[], object] = lambda: None

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls == 1:
            self.at_first()
        time.sleep(STEP_SECONDS)

    async def later(self, *_: object) -> None:
        self.calls += 1
        if self.calls == 1:
            self.at_first()
        await asyncio.sleep(STEP_SECONDS)

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        return [{"name": "c", "fn": lambda: self()}]


@pytest.fixture
def slow() -> Slow:
    return Slow()


class TestDeadline:
    @modes
    @pytest.mark.parametrize("code", CALLS.values(), ids=CALLS)
    def test_no_call_begins_after_it(self, slow: Slow, code: str, mode: str) -> None:
        sandbox = eryx.Sandbox(callbacks=slow.callbacks, resource_limits=limits())
        with pytest.raises(eryx.TimeoutError):
            run(sandbox, code, mode)
        assert slow.calls <= MOST

    @modes
    @pytest.mark.parametrize("code", PRINTS.values(), ids=PRINTS)
    def test_no_output_is_handed_over_after_it(self, slow: Slow, code: str, mode: str) -> None:
        sandbox = eryx.Sandbox(on_stdout=slow, resource_limits=limits())
        with pytest.raises(eryx.TimeoutError) as caught:
            run(sandbox, code, mode)
        assert slow.calls <= MOST
        assert caught.value.stdout.startswith("0")

    @pytest.mark.parametrize("code", PRINTS.values(), ids=PRINTS)
    def test_no_output_is_handed_to_an_async_handler_after_it(self, slow: Slow, code: str) -> None:
        sandbox = eryx.Sandbox(on_stdout=slow.later, resource_limits=limits())
        with pytest.raises(eryx.TimeoutError):
            asyncio.run(sandbox.execute_async(code))
        assert slow.calls <= MOST

    def test_an_async_handler_that_never_ends_is_cancelled(self) -> None:
        ends: list[str] = []

        async def never(_: str) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ends.append("cancelled")
                raise

        sandbox = eryx.Sandbox(on_stdout=never, resource_limits=limits())
        with pytest.raises(eryx.TimeoutError):
            asyncio.run(sandbox.execute_async("print(1, flush=True)\nprint(2)"))
        assert ends == ["cancelled"]

    @modes
    def test_no_event_of_the_tracer_is_handed_over_after_it(self, slow: Slow, mode: str) -> None:
        sandbox = eryx.Sandbox(trace=True, on_trace=slow, resource_limits=limits())
        code = "x = 0\nfor i in range(70):\n  x += i"
        try:
            events = run(sandbox, code, mode).trace
        except eryx.TimeoutError as error:
            events = list(error.trace)
        assert slow.calls <= MOST < len(events)


class TestCancel:
    """Of a run whose host is in a function of the caller."""

    @modes
    @pytest.mark.parametrize(
        "code", [CALLS["gather"], CALLS["sync swallows"], CALLS["raw swallows"], CALLS["await"]]
    )
    def test_no_call_begins_after_it(self, slow: Slow, code: str, mode: str) -> None:
        sandbox = eryx.Sandbox(callbacks=slow.callbacks, resource_limits=limits(60_000))
        slow.at_first = sandbox.cancel
        with pytest.raises(eryx.CancelledError):
            run(sandbox, code, mode)
        assert slow.calls == 1

    @modes
    @pytest.mark.parametrize("code", PRINTS.values(), ids=PRINTS)
    def test_no_output_is_handed_over_after_it(self, slow: Slow, code: str, mode: str) -> None:
        sandbox = eryx.Sandbox(on_stdout=slow, resource_limits=limits(60_000))
        slow.at_first = sandbox.cancel
        with pytest.raises(eryx.CancelledError):
            run(sandbox, code, mode)
        assert slow.calls == 1

    def test_async_handlers_are_cancelled_at_once(self) -> None:
        async def never(_: str) -> None:
            sandbox.cancel()
            await asyncio.Event().wait()

        sandbox = eryx.Sandbox(on_stdout=never, resource_limits=limits(60_000))
        with pytest.raises(eryx.CancelledError):
            asyncio.run(sandbox.execute_async("print(1, flush=True)\nprint(2)"))

    @pytest.mark.parametrize("kind", ["callback", "output", "async output"])
    def test_so_does_the_task(self, slow: Slow, kind: str) -> None:
        every: dict[str, dict[str, Any]] = {
            "callback": {"callbacks": slow.callbacks},
            "output": {"on_stdout": slow},
            "async output": {"on_stdout": slow.later},
        }
        code = CALLS["gather"] if kind == "callback" else PRINTS["swallows"]
        sandbox = eryx.Sandbox(resource_limits=limits(60_000), **every[kind])

        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(LIMIT_MS / 1000):
                    await sandbox.execute_async(code)
            assert (await sandbox.execute_async("print(1)")).stdout == "1"

        asyncio.run(main())
        assert slow.calls <= MOST + 2

    def test_close_ends_the_run_of_another_thread(self) -> None:
        for delay in (0.0, 0.0, 0.001, 0.003, 0.05):
            session = eryx.Session(resource_limits=limits(600_000))
            ends: list[BaseException] = []

            def execute(session: eryx.Session, ends: list[BaseException]) -> None:
                try:
                    session.execute("while True: pass")
                except eryx.EryxError as error:
                    ends.append(error)

            thread = threading.Thread(target=execute, args=(session, ends))
            thread.start()
            time.sleep(delay)
            session.close()
            thread.join(60)
            assert len(ends) == 1
            with pytest.raises(eryx.EryxError, match="closed"):
                session.execute("1")

    @pytest.mark.parametrize("code", ["while True: pass", "import time\ntime.sleep(600)"])
    def test_close_ends_the_run_of_another_task(self, code: str) -> None:
        async def main() -> None:
            session = eryx.Session(resource_limits=limits(600_000))
            run_of_a_task = asyncio.create_task(session.execute_async(code))
            await asyncio.sleep(0.05)
            with pytest.raises(eryx.EryxError, match="already running"):
                session.close()
            with pytest.raises(eryx.CancelledError):
                await run_of_a_task
            session.close()

        asyncio.run(main())

    @pytest.mark.parametrize(
        "code", ["while True: pass", "import time\ntime.sleep(600)", "while True: c.sync()"]
    )
    @modes
    def test_so_does_ctrl_c(self, code: str, mode: str) -> None:
        done = run_python(
            f"""
            import asyncio, eryx, os, signal, threading, time
            calls = []
            def c():
                calls.append(1)
                time.sleep(0.05)
            sandbox = eryx.Sandbox(
                callbacks=[{{"name": "c", "fn": c}}],
                resource_limits=eryx.ResourceLimits(
                    execution_timeout_ms=600_000, max_callback_invocations=None
                ),
            )
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                if {mode!r} == "execute":
                    sandbox.execute({code!r})
                else:
                    asyncio.run(sandbox.execute_async({code!r}))
            except KeyboardInterrupt:
                print("interrupted", len(calls) < 20)
            print(sandbox.execute("print(1)").stdout)
            """
        )
        assert done.stdout == "interrupted True\n1\n", done.stderr

    def test_a_lease_that_is_released_before_its_run_begins(self) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            for _ in range(20):
                lease = pool.acquire(resource_limits=limits(600_000))
                ends: list[BaseException] = []

                def execute(lease: eryx.PooledSandbox, ends: list[BaseException]) -> None:
                    try:
                        lease.execute("while True: pass")
                    except eryx.EryxError as error:
                        ends.append(error)

                thread = threading.Thread(target=execute, args=(lease, ends))
                thread.start()
                lease.release()
                thread.join(60)
                assert len(ends) == 1
            with pool.acquire() as lease:
                assert lease.execute("print(1)").stdout == "1"


def in_a_thread(function: Callable[[], str]) -> str:
    """What a thread that knows nothing of its origin gives."""
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(function()), daemon=True)
    thread.start()
    thread.join()
    return answers[0]


def in_an_executor(function: Callable[[], str]) -> str:
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        return executor.submit(function).result()


class TestReentrance:
    """A function of the host that uses the sandbox which waits for it."""

    @pytest.mark.parametrize("way", [in_a_thread, in_an_executor])
    @pytest.mark.parametrize("kind", ["callback", "thread callback", "on_stdout", "on_trace"])
    @modes
    def test_by_way_of_a_thread(
        self, way: Callable[[Callable[[], str]], str], kind: str, mode: str
    ) -> None:
        answers: list[str] = []

        def back() -> str:
            try:
                return sandbox.execute("print(2)").stdout
            except eryx.EryxError as error:
                return str(error)

        def function(*_: object) -> str:
            if not answers:
                answers.append(way(back))
            return answers[0]

        code = "print(1)"
        options: dict[str, Any] = {"on_stdout": function}
        if kind == "on_trace":
            options = {"on_trace": function, "trace": True}
        elif kind != "on_stdout":
            thread = kind == "thread callback"
            options = {"callbacks": [{"name": "c", "fn": function, "thread": thread}]}
            code = "await c()"
        sandbox = eryx.Sandbox(resource_limits=limits(60_000), **options)
        run(sandbox, code, mode)
        assert "already running" in answers[0]
        assert sandbox.execute("print(1)").stdout == "1"

    def test_by_way_of_an_executor_of_the_loop(self) -> None:
        async def back() -> str:
            loop = asyncio.get_running_loop()
            try:
                return (await loop.run_in_executor(None, sandbox.execute, "print(2)")).stdout
            except eryx.EryxError as error:
                return str(error)

        sandbox = eryx.Sandbox(callbacks=[{"name": "back", "fn": back}])
        result = asyncio.run(sandbox.execute_async("print(await back())"))
        assert "already running" in result.stdout

    def test_other_threads_wait_while_the_guest_computes(self) -> None:
        quick = {"name": "quick", "fn": lambda: 1}
        sandbox = eryx.Sandbox(callbacks=[quick], resource_limits=limits(60_000))
        code = "for i in range(20):\n  await quick()\n  for j in range(5_000): pass\nprint(i)"
        with concurrent.futures.ThreadPoolExecutor(4) as executor:
            runs = [executor.submit(sandbox.execute, code) for _ in range(12)]
        assert {done.result().stdout for done in runs} == {"19"}

    def test_close_waits_for_a_callback_of_another_thread(self) -> None:
        begun = threading.Event()

        def callback() -> None:
            begun.set()
            time.sleep(0.3)

        session = eryx.Session(callbacks=[{"name": "c", "fn": callback}])
        ends: list[BaseException] = []

        def execute() -> None:
            try:
                session.execute("while True: await c()")
            except eryx.EryxError as error:
                ends.append(error)

        thread = threading.Thread(target=execute)
        thread.start()
        assert begun.wait(60)
        session.close()
        thread.join(60)
        assert [type(end) for end in ends] == [eryx.CancelledError]


request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="nobody's")


class TestContextVariables:
    CODE = (
        "await s(); await t(); await a()\nprint(1, flush=True)\n"
        "x = 0\nfor i in range(400_000): x += i\nprint(2, flush=True)\n"
        "for i in range(400_000): x += i\nprint(3, flush=True)\nawait s(); await t(); await a()"
    )

    @pytest.fixture
    def seen(self) -> dict[str, set[str]]:
        return {}

    @pytest.fixture
    def options(self, seen: dict[str, set[str]]) -> dict[str, Any]:
        def note(name: str) -> Callable[..., None]:
            return lambda *_: seen.setdefault(name, set()).add(request_id.get())

        async def later() -> None:
            note("async")()
            await asyncio.sleep(0)
            note("async")()

        return {
            "callbacks": [
                {"name": "s", "fn": lambda: note("sync")()},
                {"name": "t", "fn": lambda: note("thread")(), "thread": True},
                {"name": "a", "fn": later},
            ],
            "on_stdout": note("on_stdout"),
        }

    @pytest.mark.parametrize("mode", ["execute", "execute_async", "execute in a loop"])
    def test_they_reach_all_functions(
        self, options: dict[str, Any], seen: dict[str, set[str]], mode: str
    ) -> None:
        sandbox = eryx.Sandbox(resource_limits=limits(60_000), **options)

        def execute() -> None:
            request_id.set("ours")
            sandbox.execute(self.CODE)

        async def main() -> None:
            request_id.set("ours")
            if mode == "execute_async":
                await sandbox.execute_async(self.CODE)
            else:
                execute()

        if mode == "execute":
            contextvars.copy_context().run(execute)
        else:
            asyncio.run(main())
        names = ("sync", "thread", "async", "on_stdout")
        assert seen == {name: {"ours"} for name in names}

    def test_each_of_many_runs_has_its_own(self) -> None:
        async def one(name: str) -> set[str]:
            request_id.set(name)
            seen: set[str] = set()
            sandbox = eryx.Sandbox(
                on_stdout=lambda _: seen.add(request_id.get()),
                on_trace=lambda _: seen.add(request_id.get()),
                resource_limits=limits(60_000),
            )
            await sandbox.execute_async("x = 0\nfor i in range(200_000): x += i\nprint(x)")
            await sandbox.execute_async("x = 0", trace=True)
            return seen

        async def main() -> list[set[str]]:
            return await asyncio.gather(*[one(str(number)) for number in range(4)])

        assert asyncio.run(main()) == [{str(number)} for number in range(4)]
