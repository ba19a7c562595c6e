"""Runs of a session that their caller gives up: the guest comes to its end, its state stays."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = {
    "computes": "while True: pass",
    "sleeps": "import time; time.sleep(60)",
    "awaits": "import asyncio; await asyncio.sleep(60)",
    "awaits a callback": "await slow()",
    "has a thread": (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "await slow()"
    ),
}

STUBBORN = """
import time
while True:
    try:
        time.sleep(60)
    except BaseException:
        pass
"""


class Trial:
    """A session whose programs say that they are on their way."""

    def __init__(self, isolation: Any, **options: Any) -> None:
        self._has_begun = threading.Event()
        callbacks = eryx.CallbackRegistry()
        callbacks.callback(sync=True)(self.begun)
        callbacks.callback(self.slow)
        self.session = eryx.Session(callbacks=callbacks, isolation=isolation, **options)
        self.session.execute("x = 0")

    def begun(self) -> None:
        self._has_begun.set()

    async def slow(self) -> None:
        await asyncio.sleep(60)

    def cancel(self, code: str) -> None:
        """Runs it in a task that is cancelled in the middle."""

        async def main() -> None:
            task = asyncio.ensure_future(self.session.execute_async(f"x = 1; begun()\n{code}"))
            assert await asyncio.to_thread(self._has_begun.wait, 60)
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())

    def interrupt(self, code: str) -> None:
        """Runs it, and has Ctrl-C pressed in the middle."""

        def press() -> None:
            assert self._has_begun.wait(60)
            time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGINT)

        presser = threading.Thread(target=press)
        presser.start()
        with pytest.raises(KeyboardInterrupt):
            self.session.execute(f"x = 1; begun()\n{code}")
        presser.join()


@pytest.fixture(params=[None, "process"], ids=["here", "worker"])
def isolation(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def trial(isolation: Any) -> Iterator[Trial]:
    trial = Trial(isolation)
    with trial.session:
        yield trial


class TestStateStays:
    @pytest.mark.parametrize("code", LONG.values(), ids=LONG)
    def test_of_a_cancelled_task(self, trial: Trial, code: str) -> None:
        trial.cancel(code)
        assert trial.session.execute("x").value == 1

    @pytest.mark.parametrize("code", LONG.values(), ids=LONG)
    def test_of_control_c(self, trial: Trial, code: str) -> None:
        trial.interrupt(code)
        assert trial.session.execute("x").value == 1

    def test_of_control_c_without_callbacks(self, isolation: Any) -> None:
        with eryx.Session(isolation=isolation) as session:
            session.execute("x = 1")
            timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                session.execute("x += 1\nwhile True: pass")
            assert session.execute("x").value == 2

    def test_of_a_time_limit_of_asyncio(self, trial: Trial) -> None:
        async def main() -> Any:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(trial.session.execute_async("await slow()"), 0.05)
            return (await trial.session.execute_async("x")).value

        assert asyncio.run(main()) == 0

    def test_of_a_function_that_wants_to_exit(self, trial: Trial) -> None:
        def leave(text: str) -> None:
            raise SystemExit(text)

        with pytest.raises(SystemExit, match="5"):
            trial.session.execute("x = 1; print(5)", on_stdout=leave)
        assert trial.session.execute("x").value == 1

    def test_as_the_program_leaves_it(self, trial: Trial) -> None:
        trial.cancel("try:\n await slow()\nfinally:\n x = 2")
        assert trial.session.execute("x").value == 2

    def test_but_not_its_threads(self, trial: Trial) -> None:
        trial.cancel(LONG["has a thread"])
        assert trial.session.threads == ()
        assert trial.session.execute("import threading; threading.active_count()").value == 1

    def test_while_others_fork_it_afterwards(self, trial: Trial) -> None:
        trial.cancel("await slow()")
        with trial.session.fork() as fork:
            assert fork.execute("x").value == 1


class TestStateIsLost:
    def test_of_a_program_that_goes_on(self, trial: Trial) -> None:
        began = time.monotonic()
        trial.cancel(STUBBORN)
        assert time.monotonic() - began < 20
        with pytest.raises(eryx.InitializationError, match="reset"):
            trial.session.execute("x")
        trial.session.reset()
        assert trial.session.execute("1").value == 1

    def test_but_not_if_it_is_transactional(self, isolation: Any) -> None:
        trial = Trial(isolation, transactional=True)
        with trial.session:
            trial.cancel(STUBBORN)
            assert trial.session.execute("x").value == 0


class TestNothingIsCalled:
    def test_at_its_end(self, trial: Trial) -> None:
        told: list[str] = []
        task_code = "try:\n await slow()\nfinally:\n print('late'); begun()"

        async def main() -> None:
            run = trial.session.execute_async(task_code, on_stdout=told.append)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(run, 0.05)

        asyncio.run(main())
        assert told == []
        assert not trial._has_begun.is_set()
