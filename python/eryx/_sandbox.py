"""The sandbox."""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx._copying import Closable
from eryx._engine import Place, shared_engine
from eryx._errors import (
    CancelledError,
    EryxError,
    ExecutionError,
    ResourceLimitError,
    SuspendCallback,
    TimeoutError,  # noqa: A004  (ours)
    WorkerCrashedError,
)
from eryx._limits import DEFAULT_DISPLAY_BYTES, DEFAULT_TRACE_EVENTS, ResourceLimits
from eryx._options import Equipment, Request, among
from eryx._result import ExecuteResult, finish, finish_async, has_large_result
from eryx._turn import Turn, running_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import EllipsisType, TracebackType
    from typing import Any, Literal, Self

    from eryx._asynchronous import Driver
    from eryx._blocking import BlockingRun
    from eryx._calls import Calls
    from eryx._check import Diagnostic
    from eryx._deterministic import Deterministic
    from eryx._eryx import Core, Outcome
    from eryx._events import EventRun
    from eryx._journal import Recording, ReplayOutcome
    from eryx._network import NetConfig
    from eryx._option_types import Callbacks, Isolation, StandardInput
    from eryx._run_options import Given
    from eryx._storage import CoreMounts, Volumes
    from eryx._tracing import TraceEvent
    from eryx._volumes import MountedVolume
    from eryx.mcp import MCPManager
    from eryx.native import NativeModule

# What most runs have of their own.
_NOTHING = (None, None, None, None, None, None, ..., None)

# Stands where there is no sandbox (any more).
_NO_CORE: Core = None  # type: ignore[assignment]

# How a run can end without a result.
_RUN_ERRORS = (
    ExecutionError,
    TimeoutError,
    ResourceLimitError,
    CancelledError,
    SuspendCallback,
    WorkerCrashedError,
)

# How long a signal such as Ctrl-C may go unnoticed while the guest computes.
_PAUSE_MS = 25

# A sandbox that used more than this gives its memory back at the end of the run, not at the next.
_KEPT_MEMORY_BYTES = 64 * 1024 * 1024


class Sandbox(Closable):
    """A place in which untrusted Python runs.

    Every run starts from the same clean state and may use no more than the limits allow. Sandboxes
    share nothing with each other or with the host. A sandbox can be used by any thread; runs of one
    sandbox wait for each other, runs of two go on side by side.

    >>> sandbox = Sandbox(resource_limits=ResourceLimits(execution_timeout_ms=5_000))
    >>> done = sandbox.execute("result = {'sum': sum(range(10))}")
    >>> done.result
    {'sum': 45}
    """

    __module__ = "eryx"
    _KEEP_STATE = False  # for a later run
    __slots__ = (
        "__weakref__",
        "_closed",
        "_core",
        "_driver",
        "_ending",
        "_equipment",
        "_has_run_limits",  # the core has those of a run that was given its own
        "_place",  # where it starts; only of factories
        "_request",
        "_turn",
        "_used",
    )

    def __init__(
        self,
        *,
        resource_limits: ResourceLimits | None = None,
        network: NetConfig | None = None,
        callbacks: Callbacks | None = None,
        mcp: MCPManager | None = None,
        secrets: Mapping[str, Mapping[str, Any]] | None = None,
        scrub_stdout: bool | None = None,
        scrub_stderr: bool | None = None,
        scrub_result: bool | None = None,
        scrub_files: bool | None = None,
        volumes: Volumes | None = None,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        result_variable: str | None = None,
        trace: bool | Literal["all"] | None = None,
        on_trace: Callable[[TraceEvent], object] | None = None,
        max_trace_events: int = DEFAULT_TRACE_EVENTS,
        native_modules: Iterable[NativeModule] | None = None,
        meter: bool = False,
        print_traceback: bool | None = None,
        isolation: Isolation | None = None,
        deterministic: Deterministic | None = None,
    ) -> None:
        """Makes a sandbox in which Python has started.

        resource_limits: what a run may use; None for ``ResourceLimits()``. Copied.
        callbacks: functions that the guest may call as ``await name(...)``: a `CallbackRegistry` or
            a list of registries and dicts with name, fn, description, schema and thread; the last
            three may be left out. See `CallbackRegistry.add`.
        network: what the guest may reach; None for nothing.
        secrets: values for the headers of HTTP requests, by the name of the environment variable
            in which the guest finds a placeholder: ``{"API_KEY": {"value": "...", "allowed_hosts":
            ["api.example.com"]}}``. Without hosts of its own a secret may go to those of
            ``NetConfig.allowed_hosts``.
        scrub_stdout, scrub_stderr, scrub_files, scrub_result: whether placeholders become
            ``[REDACTED]`` in what the guest writes; stderr includes the texts of exceptions. None
            for yes, but no for the result.
        mcp: servers whose tools the guest may call as ``await mcp.server.tool(...)``.
        volumes: directories and files of the host that the guest sees, as tuples (host path, guest
            path, read_only), or with ``"ro"``, ``"rw"`` or ``"overlay"`` in the third place: what
            the guest writes to an overlay stays in memory, see `volumes`. A `FileProvider` may be
            in the place of the host path. Guest paths are absolute and do not overlap. Links that
            lead out of a volume are not followed.
        on_stdout, on_stderr: called with each piece of text while the guest writes it, newlines and
            all. What a handler raises is reported with ``sys.unraisablehook`` and does not stop the
            run. Async handlers are awaited in order by `execute_async` and not for `execute`.
        result_variable: name of the global whose value becomes `ExecuteResult.result`; None for
            ``result``.
        trace: whether `ExecuteResult.trace` is to tell each line, call, return and exception of the
            program, and its callbacks; "all": those of the standard library as well. None: if there
            is an `on_trace`.
        on_trace: called with each event while the program runs.
        max_trace_events: after so many, events are left out.
        native_modules: extension modules that the guest may import, translated by `eryx.native`;
            their files have to be where the guest finds them, such as in a volume.
        meter: whether to count the work of each run, for `ExecuteResult.fuel_consumed`. With
            ``ResourceLimits.max_fuel`` it is counted in any case. A run that is not metered is a
            few percent faster.
        print_traceback: whether the traceback of an exception that ends a run is printed to stderr
            as well, as CPython does; None for yes.
        isolation: where it runs: None for this process, ``"process"`` for a worker process of its
            own kind, or `Workers` or what `Workers.tenant` gives. See docs/workers.md.
        deterministic: a clock and random numbers that are the same each time, in place of the
            host's; None for the host's. Its runs are metered.

        Raises TypeError and ValueError for arguments that are wrong, InitializationError if there
        is not enough memory or address space.
        """
        given = locals()
        self._make(among(Request, given), among(Equipment, given))

    def _make(self, request: Request, equipment: Equipment) -> None:
        """Makes the sandbox of checked options."""
        self._request = request
        self._equipment = equipment
        self._used = self._closed = self._has_run_limits = False
        self._begin_with(self._new_core(equipment))

    def _begin_with(self, core: Core) -> None:
        """Goes on with what runs the guest, and nobody else has."""
        self._turn = Turn()
        self._driver: Driver | BlockingRun | None = None
        self._ending = False  # no run begins any more
        self._core = core

    def execute(
        self,
        code: str,
        *,
        inputs: Mapping[str, object] | None = None,
        stdin: StandardInput | None = None,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        callbacks: Callbacks | None = None,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        filename: str | None = None,
        timeout_ms: int | EllipsisType | None = ...,
        limits: ResourceLimits | None = None,
        trace: bool | Literal["all"] | None = None,
    ) -> ExecuteResult:
        """Runs a program from a clean state and waits for its end.

        code: the program; it runs as ``__main__`` and may use ``await`` at its top level.
        inputs: globals that the program finds: bytes, and what JSON can hold.
        stdin: what the program reads from its standard input; None for nothing. Of an open file,
            such as a pipe, nothing is read that the program has not asked for; it has to stay open
            until the end, and what Python has read ahead of it is not seen. Of anything else with
            ``readline`` or ``read``, and of a function without parameters, a line is asked for when
            the program wants one. They may be async; None is the end, and what is empty is if it
            does not come from a function.
        arguments: ``sys.argv[1:]`` of the program.
        env: variables in ``os.environ`` while the program runs.
        callbacks: added to those of the sandbox for this run; a name that both have means this one.
        on_stdout, on_stderr, trace: in place of the sandbox's own; None to leave it at that.
        filename: what tracebacks call the program; None for ``<user>``.
        timeout_ms: time of this run in milliseconds; None for no limit.
        limits: in place of those of the sandbox. `timeout_ms` comes before them.

        The interpreter lock is released meanwhile. Ctrl-C ends the run with KeyboardInterrupt.

        Raises ExecutionError if the program fails, TimeoutError, ResourceLimitError or
        CancelledError if it is ended; all of them have what it had written. Raises EryxError if
        this thread is running code in this sandbox already, if a function of yours is running for
        the sandbox, which might wait for this thread, or if the sandbox belongs to the parent of
        this process.

        >>> Sandbox().execute("import sys; print(sys.argv[1:])", arguments=["a", "b"]).stdout
        "['a', 'b']"
        """
        given = (inputs, env, callbacks, on_stdout, on_stderr, filename, timeout_ms, limits)
        return self._execute(code, stdin, arguments, trace, given)

    def _execute(
        self,
        code: str | bytes,
        stdin: StandardInput | None,
        arguments: Sequence[str],
        trace: bool | str | None,
        given: tuple[Any, ...] = _NOTHING,
        recording: Recording | None = None,
        is_file: bool = False,
        own: Given | None = None,
    ) -> ExecuteResult:
        """As `execute`.

        given: what the run has of its own, or `own`, the same once it was looked at.
        is_file: the code is bytes, which say themselves how they are encoded.
        """
        source = code if is_file and isinstance(code, bytes) else _encoded(code)
        standard_input, reader = (None, None) if stdin is None else _standard_input(stdin)
        argument_tuple = () if arguments == () else _arguments(arguments)
        if given != _NOTHING:
            own = self._given(given)
        request = self._request if own is None else own.request
        calls = None
        if (
            request.callbacks is not None
            or trace is not None
            or request.trace_mode is not None
            or self._equipment.asks_host
            or request.on_output is not None
            or reader is not None
        ):
            calls = self._new_calls(request, trace, recording)
            if reader is not None:
                standard_input = calls.read_from(reader)
        if request.has_async_output:
            raise TypeError("on_stdout or on_stderr is async: use execute_async")
        self._turn.acquire()
        try:
            self._begin(
                source, standard_input, argument_tuple, _PAUSE_MS, calls, is_file, request, own
            )
            try:
                if calls is None:
                    outcome = self._core.run()
                else:
                    from eryx._blocking import BlockingRun

                    run = self._driver = BlockingRun(self._core, request.on_output, calls)
                    outcome = run.run()
            except BaseException:
                self._abandon()
                raise
            finally:
                self._driver = None
            self._end(outcome)
        finally:
            self._turn.release()
            if calls is not None and calls.reader is not None:
                calls.reader.close()
        if calls is None:
            return finish(outcome)
        return finish(outcome, calls.recorder, cause=calls.failures.take_cause(outcome))

    async def execute_async(
        self,
        code: str,
        *,
        inputs: Mapping[str, object] | None = None,
        stdin: StandardInput | None = None,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        callbacks: Callbacks | None = None,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        filename: str | None = None,
        timeout_ms: int | EllipsisType | None = ...,
        limits: ResourceLimits | None = None,
        trace: bool | Literal["all"] | None = None,
    ) -> ExecuteResult:
        """Does the same on the running event loop.

        A guest that computes for long shares the threads of `configure` with others. If the task is
        cancelled the guest is stopped, which the task does not wait for. Async callbacks run on the
        same loop, and so do handlers.
        """
        given = (inputs, env, callbacks, on_stdout, on_stderr, filename, timeout_ms, limits)
        return await self._execute_async(code, stdin, arguments, trace, given)

    async def _execute_async(
        self,
        code: str,
        stdin: StandardInput | None,
        arguments: Sequence[str],
        trace: bool | str | None,
        given: tuple[Any, ...] = _NOTHING,
        recording: Recording | None = None,
        own: Given | None = None,
    ) -> ExecuteResult:
        from eryx._asynchronous import PAUSE_MS, Driver

        source = _encoded(code)
        standard_input, reader = (None, None) if stdin is None else _standard_input(stdin)
        argument_tuple = () if arguments == () else _arguments(arguments)
        if given != _NOTHING:
            own = self._given(given)
        request = self._request if own is None else own.request
        calls = self._new_calls(request, trace, recording)
        await self._turn.acquire_async()
        try:
            self._check()
            if reader is not None:
                standard_input = calls.read_from(reader)
            run = self._driver = Driver(
                self._core,
                request.on_output,
                calls,
                self._turn,
                lambda: self._begin(
                    source, standard_input, argument_tuple, PAUSE_MS, calls, False, request, own
                ),
                self._give_up,
                request.queue_timeout_ms,
            )
        except BaseException:
            self._turn.release()
            if calls.reader is not None:
                calls.reader.close()
            raise
        self._turn.if_loop_closes = run.leave
        outcome = await run.run()
        self._driver = None
        try:
            self._end(outcome)
        finally:
            self._turn.release()
        if has_large_result(outcome):
            return await finish_async(outcome, calls.recorder, run.queued_ns)
        return finish(
            outcome, calls.recorder, run.queued_ns, cause=calls.failures.take_cause(outcome)
        )

    def check(
        self, code: str, *, inputs: Iterable[str] = (), callbacks: Callbacks | None = None
    ) -> list[Diagnostic]:
        """Looks for type errors in a program without running it.

        Takes the type checker ty, which ``pip install 'eryx-sandbox[check]'`` brings. It knows the
        standard library, the callbacks by their annotations and the variables of a session, but not
        what types these have. What it says of packages that only the guest has is that they are
        missing.

        inputs: names of the inputs that the program will be given.
        callbacks: that it will be given besides.

        Raises EryxError if ty is not there.
        """
        from eryx._check import check

        _check_code(code)
        table = self._request.callbacks
        if callbacks is not None:
            from eryx._callbacks import more_callbacks

            table = more_callbacks(table, callbacks)
        return check(code, table, [*self._global_names(), *inputs])

    def _global_names(self) -> list[str]:
        """The variables that a program finds, as far as they are known."""
        return []

    def start(
        self,
        code: str,
        *,
        inputs: Mapping[str, object] | None = None,
        stdin: StandardInput | None = None,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        callbacks: Callbacks | None = None,
        filename: str | None = None,
        timeout_ms: int | EllipsisType | None = ...,
        limits: ResourceLimits | None = None,
        trace: bool | Literal["all"] | None = None,
        journal: dict[str, Any] | None = None,
    ) -> EventRun:
        """Gives a run whose events are taken one by one, on the running event loop.

        ``async with sandbox.start(code) as run: async for event in run: ...``: events are `Output`,
        `Call`, `Trace`, and `Done` at the end. A call can be answered, refused or deferred; if that
        is not done until the next event is asked for, its function is called. The time of the run
        and that of the callback go on meanwhile.

        journal: that of `Done` of an earlier run of the same program; its answers are given again.

        The others are the parameters of `execute`. Raises TypeError and ValueError.
        """
        from eryx import _run_options
        from eryx._events import EventRun
        from eryx._journal import Recording

        _check_code(code)
        own = _run_options.given(
            self._request, inputs, env, callbacks, None, None, filename, timeout_ms, limits
        )
        if trace is not None:
            own.request.trace_mode = own.request.trace_mode_of(trace)
        recording = Recording(code, journal)

        async def execute() -> ExecuteResult:
            return await self._execute_async(
                code, stdin, arguments, None, recording=recording, own=own
            )

        return EventRun(own.request, recording, execute)

    def _give_up(self, run: Driver) -> None:
        """Puts the sandbox in order after a run that nobody waits for; the next may begin then."""
        try:
            if run.begun:
                self._abandon()
        except Exception:
            pass  # the next use says so
        finally:
            self._driver = None
            self._turn.release()

    def execute_with_journal(
        self,
        code: str,
        journal: dict[str, Any] | None = None,
        *,
        stdin: StandardInput | None = None,
        arguments: Sequence[str] = (),
    ) -> ReplayOutcome:
        """Runs a program and writes down the answers of its callbacks.

        journal: what an earlier run of the same program wrote down. Its answers are given instead
            of calling the functions again, up to the first call that it does not have.

        A callback that raises `SuspendCallback` ends the run; with the journal of that run the next
        one comes to the same call again. An exception of the run is in `ReplayOutcome.error`.

        Raises TypeError and ValueError for a journal that is malformed or of another program.

        >>> sandbox = Sandbox(callbacks=[{"name": "ask", "fn": lambda: 42}])
        >>> first = sandbox.execute_with_journal("print(await ask())")
        >>> again = sandbox.execute_with_journal("print(await ask())", first.journal)
        >>> again.result.stdout, again.replayed_callbacks
        ('42', 1)
        """
        from eryx._journal import Recording, ReplayOutcome, ended_by

        _check_code(code)
        recording = Recording(code, journal)
        try:
            result = self._execute(code, stdin, arguments, None, recording=recording)
        except _RUN_ERRORS as error:
            return ended_by(error, recording)
        return ReplayOutcome(recording, result)

    async def execute_with_journal_async(
        self,
        code: str,
        journal: dict[str, Any] | None = None,
        *,
        stdin: StandardInput | None = None,
        arguments: Sequence[str] = (),
    ) -> ReplayOutcome:
        """Does the same on the running event loop."""
        from eryx._journal import Recording, ReplayOutcome, ended_by

        _check_code(code)
        recording = Recording(code, journal)
        try:
            result = await self._execute_async(code, stdin, arguments, None, recording=recording)
        except _RUN_ERRORS as error:
            return ended_by(error, recording)
        return ReplayOutcome(recording, result)

    def advance_clock(self, seconds: float) -> None:
        """Moves the clocks of a deterministic sandbox on; in a run, where the program waits next.

        Raises ValueError for a time that is negative or too far, and if the sandbox has the clock
        of the host (`Deterministic`).

        >>> session = Session(deterministic=Deterministic(tick=0))
        >>> session.execute("import time; before = time.time()").stdout
        ''
        >>> session.advance_clock(60)
        >>> session.execute("print(time.time() - before)").stdout
        '60.0'
        """
        nanoseconds = round(seconds * 1_000_000_000)
        if not 0 <= nanoseconds < 1 << 62:
            raise ValueError(f"the clock cannot be moved on by {seconds} seconds")
        self._check()
        self._core.advance_clock(nanoseconds)

    def cancel(self) -> None:
        """Ends the present run with CancelledError, from any thread; does nothing without a run."""
        if self._closed:
            return
        self._core.cancel()
        driver = self._driver
        if driver is not None:
            driver.stop()

    def close(self) -> None:
        """Gives the memory back; nothing can be done with the sandbox any more.

        A run that goes on is ended. Raises EryxError if it is one of this thread, which cannot wait
        for it: the sandbox can be closed when that has ended. Doing it twice does no harm.
        """
        self._take_last_turn()
        self._close_in_turn()

    async def _close_async(self) -> None:
        self._turn.check()
        self._end_run()
        try:
            await self._turn.acquire_async()
        except BaseException:
            self._ending = False
            raise
        self._close_in_turn()

    def _close_in_turn(self) -> None:
        try:
            self._closed = True
            self._core = _NO_CORE
        finally:
            self._turn.release()

    async def __aenter__(self) -> Self:
        """Gives the sandbox."""
        running_loop()  # the end of the block needs it
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it."""
        await self._close_async()

    def _given(self, given: tuple[Any, ...]) -> Given:
        """What one run has of its own."""
        from eryx import _run_options

        return _run_options.given(self._request, *given)

    def _new_calls(
        self, request: Request, trace: bool | str | None, recording: Recording | None
    ) -> Calls:
        """What a run needs that calls the host or is traced."""
        from eryx._calls import Calls

        calls = Calls(
            self._core, self._turn, request.callbacks, request.callback_timeout_ms, recording
        )
        calls.network = self._equipment.asking_network
        calls.providers = self._equipment.providers
        calls.run_timeout_ms = request.timeout_ms
        mode = request.trace_mode if trace is None else request.trace_mode_of(trace)
        if mode is not None:
            from eryx._tracing import Recorder

            calls.trace_mode = mode
            calls.max_trace_events = request.max_trace_events
            calls.recorder = Recorder(request.on_trace, request.max_trace_events)
        return calls

    def _new_core(self, equipment: Equipment) -> Core:
        """What runs the guest; a factory or a pool has others."""
        return Place(shared_engine()).new_core(self._request.core_limits, equipment, self._mounts())

    def _mounts(self) -> CoreMounts:
        """What is mounted besides the volumes."""
        return ()

    def _begin(
        self,
        source: bytes,
        stdin: bytes | int | None,
        arguments: tuple[bytes, ...],
        pause_ms: int,
        calls: Calls | None,
        is_file: bool,
        request: Request,
        own: Given | None,
    ) -> None:
        self._prepare()
        if calls is not None and calls.recording is not None:
            # Another sandbox may have to repeat it, and a program that goes through a set calls in
            # the order of its hashes. A session that has run something stays as it is.
            self._core.fix_hash_seed()
        if own is not None or self._has_run_limits:
            self._core.set_limits(request.core_limits)
            self._has_run_limits = own is not None
        usual = (
            source,
            request.result_variable,
            arguments,
            stdin,
            self._KEEP_STATE,
            request.on_output is not None,
            pause_ms,
            request.hide_traceback,
        )
        most = request.max_display_bytes
        if calls is None and own is None and not is_file and most == DEFAULT_DISPLAY_BYTES:
            self._core.begin(*usual)
        else:
            self._core.begin(
                *usual,
                callbacks=None if calls is None else calls.declarations,
                trace=None if calls is None else calls.trace_mode,
                max_trace_events=0 if calls is None else calls.max_trace_events,
                source_is_file=is_file,
                given=None if own is None else own.data,
                max_display_bytes=most,
            )
        if self._ending:
            self._core.cancel()

    @property
    def volumes(self) -> tuple[MountedVolume, ...]:
        """The volumes, in the order in which they were given; overlays tell what they hold.

        What a guest has written to an overlay is there until the next run of a `Sandbox`, or until
        a `Session` is reset.
        """
        from eryx._volumes import volumes_of

        return volumes_of(self)

    def _check(self) -> None:
        """Raises EryxError if it is closed."""
        if self._closed:
            raise EryxError("the sandbox is closed")

    def _prepare(self) -> None:
        """Makes the sandbox ready for the next run."""
        self._check()
        if self._used:
            self._reset()
        self._used = True

    def _forget_run_limits(self) -> None:
        """The limits are those of the sandbox again, if a run had its own."""
        if self._has_run_limits:
            self._core.set_limits(self._request.core_limits)
            self._has_run_limits = False

    def _abandon(self) -> None:
        """Drops a run that an exception of the host has ended."""
        self._audit()
        self._reset()

    def _audit(self) -> None:
        """Tells what a run did of which there will be no result."""
        if self._equipment.network is not None:
            from eryx._audit import audit_abandoned

            audit_abandoned(self._core)

    def _end(self, outcome: Outcome) -> None:
        """Looks at how a run ended."""
        if outcome.peak_memory_bytes > _KEPT_MEMORY_BYTES and not self._has_overlay():
            self._reset()

    def _has_overlay(self) -> bool:
        return any(mode == 2 for _, _, mode in self._equipment.volumes)

    def _end_run(self) -> None:
        """Ends the present run, also if it is just about to begin; none begins any more."""
        self._ending = True
        self.cancel()

    def _take_last_turn(self) -> None:
        """Ends the present run and has the turn then. Raises EryxError if that may never be."""
        self._turn.check()
        self._end_run()
        try:
            self._turn.acquire(to_end=True)
        except BaseException:
            self._ending = False
            raise

    def _reset(self) -> None:
        self._core.reset()
        self._used = False


def _check_code(code: str) -> None:
    if not isinstance(code, str):
        raise TypeError(f"code must be a str, not {type(code).__name__}")


def _encoded(code: str | bytes) -> bytes:
    """The program as the guest gets it. Lone surrogates are for Python in the guest to refuse."""
    if not isinstance(code, str):
        raise TypeError(f"code must be a str, not {type(code).__name__}")
    return code.encode("utf-8", "surrogatepass")


def _standard_input(stdin: StandardInput | None) -> tuple[bytes | int | None, object]:
    """Bytes or the descriptor of a file, and what else is to be read of."""
    if stdin is None or isinstance(stdin, bytes):
        return stdin, None
    if isinstance(stdin, str):
        return stdin.encode("utf-8", "surrogatepass"), None
    try:
        return stdin.fileno(), None  # type: ignore[union-attr]
    except (AttributeError, OSError):  # such as io.UnsupportedOperation
        pass
    if callable(stdin) or hasattr(stdin, "readline") or hasattr(stdin, "read"):
        return None, stdin
    wrong = type(stdin).__name__
    raise TypeError(
        "stdin must be a str, bytes, something with readline or read, a function or None, "
        f"not {wrong}"
    )


def _arguments(arguments: Sequence[str]) -> tuple[bytes, ...]:
    """The arguments as the guest gets them; a lone str would be taken for a row of letters."""
    if isinstance(arguments, str):
        raise TypeError("arguments must be a sequence of str, not a str")
    result = tuple(arguments)
    for argument in result:
        if not isinstance(argument, str):
            raise TypeError(f"arguments must be str, not {type(argument).__name__}")
    return tuple([argument.encode("utf-8", "surrogateescape") for argument in result])


late_annotations(globals(), Sandbox)
