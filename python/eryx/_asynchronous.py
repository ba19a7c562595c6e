"""Runs a guest on an event loop; only a guest that computes for long needs a thread."""

from __future__ import annotations

import _thread
import asyncio
import time

from eryx._eryx import Core, Outcome, deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# How long a guest may compute on the event loop's own thread before it moves to a worker thread.
PAUSE_MS = 2


class Driver:
    """Drives one run that has begun with pauses every `PAUSE_MS`."""

    __slots__ = ("_abandoned", "_core", "_loop", "_on_output", "_woken", "_worker")

    def __init__(self, core: Core, on_output: Callable[[int, bytes], object] | None) -> None:
        """To be made on the event loop that will run it."""
        self._core = core
        self._on_output = on_output
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._worker = _thread.allocate_lock()  # held while a worker thread is in the sandbox
        self._abandoned = False

    def wake(self) -> None:
        """Makes a run that waits look at its sandbox again; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            pass  # the loop is closed, so nobody waits

    async def run(self) -> Outcome:
        """Runs to the end. If that is given up no thread is in the sandbox any more."""
        try:
            wake_ns = self._core.step(self._on_output, False)
            while wake_ns is not None:
                if wake_ns == 0:
                    wake_ns = await self._step_in_thread()
                else:
                    await self._wait_until(wake_ns)
                    wake_ns = self._core.step(self._on_output, False)
        except BaseException:
            self._abandoned = True
            self._core.cancel()
            with self._worker:
                raise
        return self._core.outcome()

    async def _wait_until(self, wake_ns: int) -> None:
        timer = self._loop.call_later((wake_ns - time.monotonic_ns()) / 1e9, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
            self._woken.clear()

    async def _step_in_thread(self) -> int | None:
        future = self._loop.run_in_executor(None, self._work, self._output_in_thread())
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait((future,))
            except asyncio.CancelledError as error:
                # The guest ends soon; until then the loop can go on with other things.
                cancelled = error
                self._core.cancel()
        if cancelled is not None:
            future.exception()
            raise cancelled
        return future.result()

    def _work(self, on_output: Callable[[int, bytes], object] | None) -> int | None:
        """What a worker thread does."""
        with self._worker:
            return None if self._abandoned else self._core.step(on_output, True)

    def _output_in_thread(self) -> Callable[[int, bytes], object] | None:
        """Handlers are called on the thread of the event loop, wherever the guest runs."""
        on_output = self._on_output
        if on_output is None:
            return None
        return lambda stream, data: self._loop.call_soon_threadsafe(
            deliver, on_output, stream, data
        )
