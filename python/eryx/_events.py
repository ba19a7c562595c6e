"""A run as a row of events, in which calls can be answered, refused and put off."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial

from eryx._annotations import late_annotations
from eryx._audit import audit_callback
from eryx._callbacks import Callback, CallbackTable
from eryx._copying import OneOfAKind
from eryx._errors import EryxError, SuspendCallback, ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, Literal, Self

    from eryx._result import ExecuteResult
    from eryx._tracing import TraceEvent

# Output that nobody has taken: a guest that writes more waits.
_MOST_WAITING = 100


class _Data:
    """Base of events that hold data."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Equal if all that they hold is."""
        if type(other) is not type(self):
            return NotImplemented
        names: tuple[str, ...] = type(self).__slots__
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]


class Output(_Data):
    """Text that the guest has written: a line, or what it had of one when it waited."""

    __module__ = "eryx"
    __slots__ = ("stream", "text")

    stream: Literal["stdout", "stderr"]
    text: str

    def __init__(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        """Events are made by runs."""
        self.stream = stream
        self.text = text

    def __repr__(self) -> str:
        """Stream and text."""
        return f"Output({self.stream!r}, {self.text!r})"


class Trace(_Data):
    """What the tracer saw."""

    __module__ = "eryx"
    __slots__ = ("event",)

    event: TraceEvent

    def __init__(self, event: TraceEvent) -> None:
        """Events are made by runs."""
        self.event = event

    def __repr__(self) -> str:
        """The event of the tracer."""
        return f"Trace({self.event!r})"


class Call(OneOfAKind):
    """The guest calls a function. If nothing is decided until the next event, it is called."""

    __module__ = "eryx"
    __slots__ = ("_callback", "_decision", "arguments", "name")

    _why = "a guest waits for its answer"
    _instead = "`name` and `arguments` are data"

    name: str
    arguments: dict[str, Any]
    """As the guest gave them; they can be changed."""

    def __init__(self, callback: Callback, arguments: dict[str, Any]) -> None:
        """Events are made by runs."""
        self._callback = callback
        self._decision: asyncio.Future[Callable[[], Any]] = (
            asyncio.get_running_loop().create_future()
        )
        self.name = callback.name
        self.arguments = arguments

    def allow(self) -> None:
        """The function is called, with `arguments`."""
        self._decide(partial(_call, self._callback, self.arguments))

    def answer(self, value: Any) -> None:
        """The guest gets that value, and no function is called."""
        self._decide(lambda: value)

    def refuse(self, reason: str = "the call was refused") -> None:
        """The guest gets an exception with that text, and no function is called."""
        self._decide(partial(_raise, ToolError(reason)))
        audit_callback(self.name, "the host refused the call")

    def defer(self, reason: str = "") -> None:
        """The run ends here. With the journal of `Done` a later one comes to this call again."""
        self._decide(partial(_raise, SuspendCallback(reason)))

    @property
    def is_decided(self) -> bool:
        """Whether one of these was called, or the run has ended."""
        return self._decision.done()

    def _decide(self, what: Callable[[], Any]) -> None:
        if self._decision.done():
            raise EryxError(f"the call of {self.name!r} was decided already")
        self._decision.set_result(what)

    def __repr__(self) -> str:
        """Name and arguments."""
        return f"Call({self.name!r}, {self.arguments!r})"


class Done(_Data):
    """The run has ended."""

    __module__ = "eryx"
    __slots__ = ("error", "journal", "result")

    result: ExecuteResult | None
    """What it left, if it ended well."""
    error: EryxError | None
    """What ended it otherwise; a `SuspendCallback` if a call was deferred."""
    journal: dict[str, Any]
    """For `start` of a later run of the same program: the answers that the guest got."""

    def __init__(
        self, result: ExecuteResult | None, error: EryxError | None, journal: dict[str, Any]
    ) -> None:
        """Events are made by runs."""
        self.result = result
        self.error = error
        self.journal = journal

    @property
    def is_suspended(self) -> bool:
        """Whether a call was deferred."""
        return isinstance(self.error, SuspendCallback)

    @property
    def text(self) -> str:
        """The run as a language model should see it."""
        return self.result.text if self.result is not None else str(self.error and self.error.text)

    def __repr__(self) -> str:
        """How it ended."""
        return f"Done({self.result if self.error is None else self.error!r})"


Event = Output | Trace | Call | Done


class EventRun(OneOfAKind):
    """A run whose events are taken one by one; made by `Sandbox.start`.

    >>> import asyncio, eryx
    >>> def pay(amount: int) -> str: return "paid"
    >>> async def main():
    ...     async with eryx.Session(callbacks=[pay]).start("await pay(amount=500)") as run:
    ...         async for event in run:
    ...             match event:
    ...                 case eryx.Call(arguments={"amount": amount}) if amount > 100:
    ...                     event.refuse("that is too much")
    ...                 case eryx.Done(error=error):
    ...                     print(str(error).splitlines()[-1])
    >>> asyncio.run(main())
    eryx.CallbackError: that is too much
    """

    __module__ = "eryx"
    __slots__ = ("_call", "_events", "_execute", "_recording", "_room", "_task")

    _why = "it stands for a run in this process"
    _instead = "`Done.journal` is data"

    def __init__(
        self,
        request: Any,
        recording: Any,
        execute: Callable[[], Coroutine[Any, Any, ExecuteResult]],
    ) -> None:
        """Runs are made by `Sandbox.start`. request: of this run alone."""
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._room = asyncio.Event()
        self._recording = recording
        self._execute = execute
        self._task: asyncio.Task[None] | None = None
        self._call: Call | None = None
        request.take_handlers(partial(self._write, "stdout"), partial(self._write, "stderr"))
        request.has_async_output = True
        if request.callbacks is not None:
            request.callbacks = self._table(request.callbacks)
        if request.trace_mode is not None:
            request.on_trace = lambda event: self._events.put_nowait(Trace(event))

    def _table(self, table: CallbackTable) -> CallbackTable:
        """The same functions, each of which is an event first."""
        made = object.__new__(CallbackTable)
        made.declarations = table.declarations
        made.by_name = {}
        for name, callback in table.by_name.items():
            asking = object.__new__(Callback)
            for slot in Callback.__slots__:
                setattr(asking, slot, getattr(callback, slot))
            asking.fn = partial(self._ask, callback)
            asking.hints, asking.positional_only, asking.thread = {}, (), False
            made.by_name[name] = asking
        return made

    async def _ask(self, callback: Callback, /, **arguments: Any) -> Any:
        call = Call(callback, arguments)
        self._events.put_nowait(call)
        value = (await call._decision)()
        return await value if hasattr(value, "__await__") else value

    async def _write(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        while self._events.qsize() >= _MOST_WAITING:
            self._room.clear()
            await self._room.wait()
        self._events.put_nowait(Output(stream, text))

    async def _run(self) -> None:
        result: ExecuteResult | None = None
        error: EryxError | None = None
        try:
            result = await self._execute()
        except EryxError as raised:
            error = raised
        self._events.put_nowait(Done(result, error, self._recording.journal()))

    async def __aenter__(self) -> Self:
        """Begins the run."""
        if self._task is not None:
            raise EryxError("the run has begun already")
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the run, if it has not."""
        task = self._task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    def __aiter__(self) -> Self:
        """The events in order; `Done` is the last."""
        return self

    async def __anext__(self) -> Event:
        """Waits for the next event; a `Call` that nothing was decided about is allowed."""
        if self._task is None:
            raise EryxError("the run has not begun: use `async with`")
        if self._call is not None and not self._call.is_decided:
            self._call.allow()
        self._call = None
        if self._task.done() and self._events.empty():
            if not self._task.cancelled() and self._task.exception() is not None:
                self._task.result()
            raise StopAsyncIteration
        event = await self._next()
        self._room.set()
        if isinstance(event, Call):
            self._call = event
        return event

    async def _next(self) -> Event:
        """The next event, or the exception that the host has ended the run with."""
        assert self._task is not None
        getting = asyncio.ensure_future(self._events.get())
        try:
            await asyncio.wait([getting, self._task], return_when=asyncio.FIRST_COMPLETED)
            if not getting.done() and self._events.empty():
                self._task.result()
                raise StopAsyncIteration
            return await getting
        finally:
            getting.cancel()

    def __repr__(self) -> str:
        """How far it is."""
        task = self._task
        state = "not begun" if task is None else "ended" if task.done() else "running"
        return f"<EventRun, {state}>"


def _call(callback: Callback, arguments: dict[str, Any]) -> Any:
    if callback.thread:
        from eryx._workers import call

        return call(partial(copy_context().run, callback.call, arguments))
    return callback.call(arguments)


def _raise(error: Exception) -> Any:
    raise error


late_annotations(globals(), Output, Trace, Call, Done, EventRun)
