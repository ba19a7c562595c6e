"""asyncio without signals or pipes: the event loop of the sandbox."""

import _thread
import asyncio
import selectors
import time
from asyncio import base_events, events, selector_events, tasks, unix_events
from collections.abc import Coroutine
from typing import Any, NoReturn

import _eryx
from _eryx_runtime import callbacks, network, processes, tracing


class _Selector(selectors.DefaultSelector):
    """Waits for sockets, for answers of the host and for other threads.

    It only sleeps where there is none of them.
    """

    woken = False  # by another thread, since the last select
    _bell: Any = None  # a lock that another thread releases

    def wake(self) -> None:
        """End the present select, or the next one; from any thread."""
        self.woken = True
        bell = self._bell
        if bell is not None and bell.locked():
            bell.release()
        _eryx.poke()

    def _listen(self, timeout: float | None) -> None:
        """Wait for another thread, in a way that is seen where they all wait for each other."""
        if self._bell is None:
            self._bell = _allocate_lock()
        self._bell.acquire(False)
        if not self.woken:
            self._bell.acquire(True, -1 if timeout is None else max(timeout, 0))
        self.woken = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if callbacks.open_calls or network.lookups:
            return self._select_with_answers(timeout)
        if _thread_count():
            if self.get_map():
                return self._select_with_answers(timeout)
            self._listen(timeout)
            return []
        if self.get_map():
            ready: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
            return ready
        if timeout is None:
            # Nothing in this process could ever end the wait.
            raise RuntimeError(
                "this would wait for ever: the event loop has nothing left to do, yet something is"
                " awaited"
            )
        if timeout > 0:
            time.sleep(timeout)
        return []

    def _select_with_answers(
        self, timeout: float | None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = []
        if tracing.buffer and timeout != 0:
            tracing.flush()
        # The wait ends as soon as there is an answer, or another thread pokes, from here on.
        _eryx.watch_answers()
        if self.woken:
            timeout = 0
        if self.get_map():
            ready = super().select(timeout)
            callbacks.wait(0)
        else:
            callbacks.wait(timeout)
        self.woken = False
        if network.lookups:
            network.deliver()
        return ready


_thread_count = _eryx.thread_count
_allocate_lock = _thread.allocate_lock

# What a program may choose without a reason that counts here.
_PLAIN_SELECTORS = (selectors.DefaultSelector, selectors.SelectSelector)


class EventLoop(selector_events.BaseSelectorEventLoop):
    """The loop that asyncio.run() and top-level await use."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        if selector is None or type(selector) in _PLAIN_SELECTORS:
            selector = _Selector()
        super().__init__(selector)

    # Other threads wake it through the host, so there is no pipe to itself.
    def _make_self_pipe(self) -> None:
        pass

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        selector = self._selector  # type: ignore[attr-defined]
        if isinstance(selector, _Selector):
            selector.wake()

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        return await network.getaddrinfo(self, host, port, family, flags)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        return network.getnameinfo(sockaddr, flags)

    async def _make_subprocess_transport(self, *arguments: Any, **options: Any) -> NoReturn:
        processes.refuse()


def install() -> None:
    """Make it the loop that asyncio makes of itself."""
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = EventLoop  # type: ignore[attr-defined]
    asyncio.SelectorEventLoop = EventLoop  # type: ignore[assignment]
    asyncio.EventLoop = EventLoop  # type: ignore[assignment]


_session_loop: EventLoop | None = None

_task_factory: Any = None


def _make_unnumbered(
    loop: base_events.BaseEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
) -> tasks.Task[Any]:
    options["name"] = "image"
    return tasks.Task(coroutine, loop=loop, **options)


def number_tasks(numbers: bool) -> None:
    """Say whether the tasks of programs take the numbers that tasks without a name get."""
    global _task_factory
    _task_factory = None if numbers else _make_unnumbered


def forget_session() -> None:
    """Close the loop that runs of a session share."""
    global _session_loop
    if _session_loop is not None:
        _session_loop.close()
        _session_loop = None
    events.set_event_loop(None)


def _cancel_tasks(loop: base_events.BaseEventLoop) -> None:
    pending = tasks.all_tasks(loop)
    if pending:
        for task in pending:
            task.cancel()
        loop.run_until_complete(tasks.gather(*pending, return_exceptions=True))


def run(coroutine: Coroutine[Any, Any, Any], keep_loop: bool) -> Any:
    """Run the coroutine that a program with top-level await is.

    With keep_loop, tasks that are left go on in the next run of the session.
    """
    global _session_loop
    loop = _session_loop
    if loop is None or loop.is_closed() or loop.is_running():
        loop = EventLoop()
        if _task_factory is not None:
            loop.set_task_factory(_task_factory)
    if keep_loop:
        _session_loop = loop
    events.set_event_loop(loop)
    main = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(main)
    except BaseException as error:
        # An interrupt leaves the task where it was: it gets to clean up, like in asyncio.run().
        if not main.done():
            main.cancel()
            try:
                loop.run_until_complete(main)
            except asyncio.CancelledError as end:
                # Its traceback shows where the program waited.
                end.__context__ = None
                if error.__context__ is None:
                    error.__context__ = end
        raise
    finally:
        if not keep_loop:
            try:
                _cancel_tasks(loop)
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
            finally:
                events.set_event_loop(None)
                loop.close()
