"""What a failing callback leaves on the host: a message for the log, and the cause of an error."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import weakref
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import stable_id

if TYPE_CHECKING:
    from collections.abc import Callable

LOGGER = "eryx.callbacks"


class OwnError(Exception):
    pass


def fail(reason: str) -> None:
    raise OwnError(reason)


async def fail_later(reason: str) -> None:
    await asyncio.sleep(0)
    raise OwnError(reason)


def sandbox_with(
    fn: Callable[..., object], *, thread: bool = False, timeout_ms: int = 10_000
) -> eryx.Sandbox:
    limits = eryx.ResourceLimits(callback_timeout_ms=timeout_ms)
    return eryx.Sandbox(
        callbacks=[{"name": "fail", "fn": fn, "thread": thread}], resource_limits=limits
    )


def frames_of(error: BaseException) -> list[str]:
    names, traceback = [], error.__traceback__
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    return names


KINDS = pytest.mark.parametrize(
    ("fn", "thread"), [(fail, False), (fail, True), (fail_later, False)], ids=stable_id
)
CODE = "await fail(reason='a reason')"


@pytest.fixture
def no_log(caplog: pytest.LogCaptureFixture) -> None:
    """pytest keeps all messages and with them what their tracebacks hold."""
    caplog.set_level(logging.CRITICAL, logger=LOGGER)


class TestLog:
    """It left nothing at all."""

    @KINDS
    @pytest.mark.parametrize("is_async", [False, True])
    def test_has_the_traceback(
        self,
        caplog: pytest.LogCaptureFixture,
        fn: Callable[..., object],
        thread: bool,
        is_async: bool,
    ) -> None:
        sandbox = sandbox_with(fn, thread=thread)
        outcome = sandbox.execute_with_journal(CODE)
        if is_async:
            caplog.clear()
            outcome = asyncio.run(sandbox.execute_with_journal_async(CODE))
        assert isinstance(outcome.error, eryx.ExecutionError)
        (record,) = (each for each in caplog.records if each.name == LOGGER)
        assert record.levelno == logging.WARNING
        assert record.getMessage() == "callback 'fail' failed"
        assert record.exc_info is not None
        error = record.exc_info[1]
        assert isinstance(error, OwnError)
        assert frames_of(error) == [fn.__name__]  # none of ours before it

    def test_also_if_the_program_catches_it(self, caplog: pytest.LogCaptureFixture) -> None:
        code = f"try:\n    {CODE}\nexcept Exception as error:\n    print(error)"
        assert sandbox_with(fail).execute(code).stdout == "OwnError: a reason"
        assert [record.name for record in caplog.records] == [LOGGER]

    def test_of_a_value_that_is_not_json(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(eryx.ExecutionError):
            sandbox_with(object).execute("await fail()")
        assert "JSON cannot hold" in caplog.text

    @pytest.mark.parametrize("thread", [False, True])
    def test_of_an_answer_that_came_too_late(
        self, caplog: pytest.LogCaptureFixture, thread: bool
    ) -> None:
        sandbox = sandbox_with(lambda: time.sleep(0.3), thread=thread, timeout_ms=100)
        with pytest.raises(eryx.ExecutionError, match="timed out"):
            sandbox.execute("await fail()")
        assert "callback 'fail' gave no answer in time" in caplog.text

    def test_of_an_exception_that_came_too_late(self, caplog: pytest.LogCaptureFixture) -> None:
        def fail_late() -> None:
            time.sleep(0.3)
            raise OwnError("late")

        with pytest.raises(eryx.ExecutionError, match="timed out"):
            sandbox_with(fail_late, thread=True, timeout_ms=100).execute("await fail()")
        end = time.monotonic() + 10
        while "OwnError: late" not in caplog.text and time.monotonic() < end:
            time.sleep(0.01)
        assert "OwnError: late" in caplog.text

    def test_says_nothing_of_what_is_the_guests_fault(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        sandbox = sandbox_with(fail)
        code = "try:\n    await invoke('nothing')\nexcept Exception as error:\n    print(error)"
        assert "nothing" in sandbox.execute(code).stdout
        assert not caplog.records

    def test_suspension_is_no_failure(self, caplog: pytest.LogCaptureFixture) -> None:
        def suspend() -> None:
            raise eryx.SuspendCallback("later")

        assert sandbox_with(suspend).execute_with_journal("await fail()").suspended
        assert not caplog.records

    @pytest.mark.parametrize("thread", [False, True])
    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_what_ends_the_process_is_no_failure(
        self, caplog: pytest.LogCaptureFixture, kind: type[BaseException], thread: bool
    ) -> None:
        def leave() -> None:
            raise kind

        with pytest.raises(kind):
            sandbox_with(leave, thread=thread).execute("await fail()")
        assert not caplog.records

    def test_nothing_is_printed_unasked(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import contextlib, io, logging, eryx
            errors = io.StringIO()
            def fail(): raise ValueError
            with contextlib.redirect_stderr(errors):
                try:
                    eryx.Sandbox(callbacks=[{"name": "fail", "fn": fail}]).execute("await fail()")
                except eryx.ExecutionError:
                    print("failed", repr(errors.getvalue()))
            """
        )
        assert output == "failed ''"

    def test_logging_is_not_imported_for_it(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import sys, eryx
            def fail(): raise ValueError
            try:
                eryx.Sandbox(callbacks=[{"name": "fail", "fn": fail}]).execute("await fail()")
            except eryx.ExecutionError:
                print("logging" in sys.modules)
            """
        )
        assert output == "False"

    def test_a_broken_filter_does_not_harm_the_run(self) -> None:
        def broken(record: logging.LogRecord) -> bool:
            raise RuntimeError("broken filter")

        logger = logging.getLogger(LOGGER)
        logger.addFilter(broken)
        try:
            with pytest.raises(eryx.ExecutionError, match="OwnError: a reason"):
                sandbox_with(fail).execute(CODE)
        finally:
            logger.removeFilter(broken)


class TestCause:
    @KINDS
    @pytest.mark.parametrize("kind", [eryx.Sandbox, eryx.Session])
    def test_is_the_exception_that_ended_the_run(
        self, kind: type[eryx.Sandbox], fn: Callable[..., object], thread: bool
    ) -> None:
        sandbox = kind(callbacks=[{"name": "fail", "fn": fn, "thread": thread}])
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute(CODE)
        assert isinstance(caught.value.__cause__, OwnError)
        assert frames_of(caught.value.__cause__) == [fn.__name__]
        with pytest.raises(eryx.ExecutionError) as caught:
            asyncio.run(sandbox.execute_async(CODE))
        assert isinstance(caught.value.__cause__, OwnError)

    def test_of_several_the_right_one(self) -> None:
        code = (
            "import asyncio\n"
            "calls = [asyncio.ensure_future(fail(reason=str(n))) for n in range(4)]\n"
            "await asyncio.wait(calls)\n"
            "calls[1].result()"
        )
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox_with(fail).execute(code)
        assert str(caught.value.__cause__) == "1"

    @pytest.mark.parametrize(
        "code",
        [
            f"try:\n    {CODE}\nexcept Exception:\n    pass\n1/0",
            f"try:\n    {CODE}\nexcept Exception as error:\n    raise KeyError from error",
            "raise RuntimeError('OwnError: a reason')",
            "await invoke('nothing')",
        ],
    )
    def test_none_if_something_else_ended_it(self, code: str) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox_with(fail).execute(code)
        assert caught.value.__cause__ is None

    @pytest.mark.usefixtures("no_log")  # what is captured could not be told to another process
    @pytest.mark.parametrize(
        "text",
        ["", "a\0b", "\ud800", "\N{SNOWMAN}" * 100_000, "a: b"],
        ids=["empty", "null", "surrogate", "long", "colon"],
    )
    def test_whatever_the_text_is(self, text: str) -> None:
        def fail_so() -> None:
            raise OwnError(text)

        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox_with(fail_so).execute("await fail()")
        assert isinstance(caught.value.__cause__, OwnError)

    def test_of_the_error_in_a_journal(self) -> None:
        outcome = sandbox_with(fail).execute_with_journal(CODE)
        assert isinstance(outcome.error, eryx.ExecutionError)
        assert isinstance(outcome.error.__cause__, OwnError)
        again = sandbox_with(fail).execute_with_journal(CODE, outcome.journal)
        assert again.error is not None
        assert again.error.__cause__ is None  # nothing was called

    @pytest.mark.usefixtures("no_log")
    def test_arguments_of_failed_calls_do_not_pile_up(self) -> None:
        """Their tracebacks hold them; a guest could fill the memory of the host with them."""
        alive: weakref.WeakSet[Held] = weakref.WeakSet()

        class Held:
            pass

        def refuse(text: str) -> None:
            held = Held()
            alive.add(held)
            raise OwnError(len(text))

        code = (
            "import asyncio\n"
            "for _ in range(40):\n"
            "    try:\n"
            "        await fail(text='x' * 200_000)\n"
            "    except Exception:\n"
            "        pass\n"
            "await look()"
        )
        counts: list[int] = []

        def look() -> None:
            gc.collect()
            counts.append(len(alive))

        callbacks = [{"name": "fail", "fn": refuse}, {"name": "look", "fn": look}]
        eryx.Sandbox(callbacks=callbacks).execute(code)
        assert 1 <= counts[0] <= 16
        gc.collect()
        assert not alive

    @KINDS
    @pytest.mark.usefixtures("no_log")
    def test_memory_is_free_at_once(self, fn: Callable[..., object], thread: bool) -> None:
        def run() -> weakref.ref[eryx.Sandbox]:
            sandbox = sandbox_with(fn, thread=thread)
            with pytest.raises(eryx.ExecutionError):
                sandbox.execute(CODE)
            return weakref.ref(sandbox)

        gc.disable()
        try:
            gone = run()
            end = time.monotonic() + 5
            while gone() is not None and time.monotonic() < end:
                time.sleep(0.01)  # a worker thread is about to let go of it
            assert gone() is None
        finally:
            gc.enable()
