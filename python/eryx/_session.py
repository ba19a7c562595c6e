"""The session: a sandbox whose interpreter lives on from one run to the next."""

from __future__ import annotations

import os

from eryx import _snapshot
from eryx._annotations import late_annotations
from eryx._copying import OneOfAKind
from eryx._errors import EryxError, InitializationError, ResourceLimitError
from eryx._eryx import RUN_CLEAR, RUN_FILES, RUN_RESTORE, RUN_SNAPSHOT, RUN_STOP_THREADS
from eryx._limits import (
    DEFAULT_LIMITS,
    DEFAULT_TRACE_EVENTS,
    ResourceLimits,
    check_limits,
    copy_limits,
    core_limits,
)
from eryx._options import Equipment, Request, among
from eryx._result import finish
from eryx._sandbox import _PAUSE_MS, Sandbox
from eryx._snapshot import DEFAULT_MAX_BYTES, Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import EllipsisType
    from typing import Any, Literal

    from eryx import _eryx
    from eryx._deterministic import Deterministic
    from eryx._eryx import Outcome
    from eryx._network import NetConfig
    from eryx._option_types import Callbacks, Isolation, StandardInput
    from eryx._result import ExecuteResult
    from eryx._session_files import SessionFiles
    from eryx._session_threads import SessionThread
    from eryx._storage import CoreMounts, VfsStorage, Volumes
    from eryx._tracing import TraceEvent
    from eryx.mcp import MCPManager
    from eryx.native import NativeModule

_LOST = (
    "the run was given up in the middle, so the state of the session is lost: call reset() first"
)
_CLOSED = "the session is closed"

# Names of the variables that are not in a snapshot, as JSON.
_MAX_SKIPPED_BYTES = 1024 * 1024

# What a fork does not have in common with its session.
_NOT_SHARED = frozenset(("__weakref__", "_core", "_driver", "_ending", "_turn"))


class Checkpoint(OneOfAKind):
    """The state of a session at one moment, for `Session.rollback`."""

    __module__ = "eryx"
    __slots__ = ("_execution_count", "_state")

    _why = "it shares memory with its session"
    _instead = "any number of rollbacks may use one; `Session.save` keeps a session for others"

    def __init__(self, state: _eryx.Checkpoint, execution_count: int) -> None:
        """Checkpoints are made by `Session.checkpoint`."""
        self._state = state
        self._execution_count = execution_count

    def __repr__(self) -> str:
        """How far the session was."""
        return f"<Checkpoint of a Session with execution_count={self._execution_count}>"


class Session(Sandbox):
    """A sandbox that keeps its variables, functions, imports and files between runs.

    It has the same limits as a `Sandbox`; they are those of each run. What a program that fails has
    done until then stays, also if it was stopped for its time, as long as it lets itself be
    stopped; otherwise `execute` raises InitializationError until `reset` is called.

    >>> with Session() as session:
    ...     _ = session.execute("x = 20")
    ...     session.execute("print(x + 22)").stdout
    '42'
    """

    __module__ = "eryx"
    __slots__ = (
        "_before",
        "_count",
        "_limits",
        "_lost",
        "_threads",
        "_transactional",
        "_vfs",
        "_vfs_mount_path",
    )
    _KEEP_STATE = True
    _instead = "`fork` gives a copy, and `save` what another process can load"

    def __init__(
        self,
        *,
        files: VfsStorage | None = None,
        files_path: str | None = None,
        vfs: VfsStorage | None = None,
        vfs_mount_path: str | None = None,
        execution_timeout_ms: int | EllipsisType | None = ...,
        max_fuel: int | None = None,
        network: NetConfig | None = None,
        callbacks: Callbacks | None = None,
        mcp: MCPManager | None = None,
        volumes: Volumes | None = None,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        result_variable: str | None = None,
        resource_limits: ResourceLimits | None = None,
        secrets: Mapping[str, Mapping[str, Any]] | None = None,
        scrub_stdout: bool | None = None,
        scrub_stderr: bool | None = None,
        scrub_result: bool | None = None,
        scrub_files: bool | None = None,
        trace: bool | Literal["all"] | None = None,
        on_trace: Callable[[TraceEvent], object] | None = None,
        max_trace_events: int = DEFAULT_TRACE_EVENTS,
        transactional: bool | Literal["all"] = False,
        native_modules: Iterable[NativeModule] | None = None,
        meter: bool = False,
        print_traceback: bool | None = None,
        isolation: Isolation | None = None,
        deterministic: Deterministic | None = None,
    ) -> None:
        """Makes a session in which Python has started.

        execution_timeout_ms: time of each run; None for no limit. If not given, that of
            resource_limits, or 30,000.
        max_fuel: fuel of each run; None for that of resource_limits.
        transactional: whether a run that fails is undone, with all that it did to variables and
            in-memory files, and likewise `restore_state`; "all" also undoes what was done to the
            storage meanwhile.
        files: the storage for the files of the session; it outlives it, and `reset`, and is undone
            only by checkpoints that include it. If there is none, but a mount path or volumes, a
            new one is made.
        files_path: where the storage is seen; None for ``/data``.
        vfs, vfs_mount_path: other names of these.
        print_traceback: whether the traceback of an exception that ends a run is printed to stderr
            as well; None for no, as the exception of the run has it.

        The others are those of `Sandbox`.
        """
        given = locals().copy()
        vfs = _either("files", files, "vfs", vfs)
        vfs_mount_path = _either("files_path", files_path, "vfs_mount_path", vfs_mount_path)
        self._vfs: VfsStorage | None = None
        self._vfs_mount_path = _mount_path(vfs_mount_path)
        if not (vfs is None and vfs_mount_path is None and volumes is None):
            from eryx._storage import VfsStorage

            self._vfs = VfsStorage() if vfs is None else vfs
        check_limits(resource_limits)
        limits = copy_limits(resource_limits or DEFAULT_LIMITS)
        if execution_timeout_ms is not ...:
            limits.execution_timeout_ms = execution_timeout_ms
        if max_fuel is not None:
            limits.max_fuel = max_fuel
        self._limits = limits
        self._count = 0
        self._threads: str | None = None
        self._lost = False
        if transactional not in (False, True, "all"):
            raise ValueError(f'transactional must be False, True or "all", not {transactional!r}')
        self._transactional = transactional
        self._before: _eryx.Checkpoint | None = None
        given["resource_limits"] = limits
        if print_traceback is None:
            given["print_traceback"] = False
        self._make(among(Request, given), among(Equipment, given))

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
        """Runs a program in the present state of the session and waits for its end.

        It finds the variables, imports and files that the programs before it have left, and leaves
        its own for those that come after. What a program that fails has done until then stays,
        unless the session is ``transactional``.

        The parameters are those of `Sandbox.execute`; `inputs` stay as the variables of the
        programs do, all others are for this run alone.

        The interpreter lock is released meanwhile. Ctrl-C ends the run with KeyboardInterrupt.

        Raises what `Sandbox.execute` raises, InitializationError if the state was lost because the
        run before had to be given up, and EryxError if the session is closed.

        >>> session = Session()
        >>> _ = session.execute("def double(n): return 2 * n")
        >>> session.execute("print(double(21))").stdout
        '42'
        """
        given = (inputs, env, callbacks, on_stdout, on_stderr, filename, timeout_ms, limits)
        return self._execute(code, stdin, arguments, trace, given)

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
        """Does what `execute` does on the running event loop; see `Sandbox.execute_async`.

        If the task is cancelled the run is given up, and with it the state of the session, unless
        it is ``transactional``.
        """
        given = (inputs, env, callbacks, on_stdout, on_stderr, filename, timeout_ms, limits)
        return await self._execute_async(code, stdin, arguments, trace, given)

    # ---- Attributes ----

    @property
    def execution_count(self) -> int:
        """Number of runs since the session was made or reset, those that failed included."""
        return self._count

    @property
    def execution_timeout_ms(self) -> int | None:
        """Time of each run in milliseconds; None for no limit. Can be set."""
        return self._limits.execution_timeout_ms

    @execution_timeout_ms.setter
    def execution_timeout_ms(self, value: int | None) -> None:
        self._set_limit("execution_timeout_ms", value)

    @property
    def max_fuel(self) -> int | None:
        """Fuel of each run; None for no limit. Can be set.

        Runs that have a limit are metered, others are if the session was made with ``meter``.
        """
        return self._limits.max_fuel

    @max_fuel.setter
    def max_fuel(self, value: int | None) -> None:
        self._set_limit("max_fuel", value)

    @property
    def fuel_limit(self) -> int | None:
        """The same as `max_fuel`."""
        return self.max_fuel

    @fuel_limit.setter
    def fuel_limit(self, value: int | None) -> None:
        self.max_fuel = value

    @property
    def files(self) -> VfsStorage | SessionFiles:
        """The files of the session: its storage, or those under ``/data`` in its own memory."""
        if self._vfs is not None:
            return self._vfs
        from eryx._session_files import SessionFiles

        return SessionFiles(self._ask_for_files)

    def _ask_for_files(self, request: bytes) -> str | None:
        limits = copy_limits(self._limits)
        limits.max_result_bytes = None
        with self._turn_taken():
            self._core.set_limits(core_limits(limits, self._request.meter))
            try:
                return self._command(RUN_FILES, request).result_json
            finally:
                self._core.set_limits(self._request.core_limits)

    @property
    def files_path(self) -> str:
        """Where programs see `files`."""
        return self._vfs_mount_path if self._vfs is not None else "/data"

    @property
    def vfs(self) -> VfsStorage | None:
        """The storage for the files of the session; None if there is none."""
        return self._vfs

    @property
    def vfs_mount_path(self) -> str | None:
        """Where the storage is seen; None if there is none."""
        return None if self._vfs is None else self._vfs_mount_path

    def _mounts(self) -> CoreMounts:
        if self._vfs is None:
            return ()
        from eryx._storage import core_mounts

        return core_mounts(self._vfs, self._vfs_mount_path)

    @property
    def threads(self) -> tuple[SessionThread, ...]:
        """The threads of the programs that the last run has left, which go on in the next.

        They are daemon threads, and others that only a later run can wake, such as the workers of
        an executor that was not shut down.

        >>> session = Session()
        >>> code = "import threading, time; threading.Thread(target=time.sleep, args=[9], "
        >>> _ = session.execute(code + "daemon=True, name='beat').start()")
        >>> [(thread.name, thread.state) for thread in session.threads]
        [('beat', 'waiting')]
        """
        if self._threads is None:
            return ()
        from eryx._session_threads import read_threads

        return read_threads(self._threads)

    def stop_threads(self, timeout_ms: int = 1000) -> tuple[SessionThread, ...]:
        """Raises SystemExit in the threads that the runs have left; gives those that do not end.

        timeout_ms: how long their ends are waited for. A thread that catches the exception, or does
            not come to Python code, goes on.

        >>> session = Session()
        >>> code = "import threading, time; threading.Thread(target=time.sleep, args=[9], "
        >>> _ = session.execute(code + "daemon=True, name='beat').start()")
        >>> session.stop_threads(), session.threads
        ((), ())
        """
        if not isinstance(timeout_ms, int) or isinstance(timeout_ms, bool):
            raise TypeError(f"timeout_ms must be an int, not {type(timeout_ms).__name__}")
        if timeout_ms < 0:
            raise ValueError("timeout_ms must not be negative")
        with self._turn_taken():
            if self._threads is not None:
                self._command(RUN_STOP_THREADS, b"%d" % min(timeout_ms, 10**9))
        return self.threads

    def __repr__(self) -> str:
        """How far the session is."""
        where = "" if self._vfs is None else f", vfs_mount_path={self._vfs_mount_path!r}"
        return f"Session(execution_count={self._count}{where})"

    # ---- State ----

    def reset(self) -> None:
        """Starts again with a fresh interpreter.

        Of the files only those of `vfs` and of the volumes stay.
        """
        with self._turn_taken():
            self._reset()

    def clear_state(self) -> None:
        """Removes the variables of the programs that ran; imported modules stay loaded."""
        with self._turn_taken():
            self._command(RUN_CLEAR, b"")

    def fork(self) -> Session:
        """Makes a second session that goes on from the present state of this one.

        It has copies of all objects, also of those that cannot be pickled, and of the in-memory
        files with those that are open; the two do not see each other's changes. Large buffers are
        shared until one of the sessions writes to them. The fork draws random numbers of its own.

        >>> session = Session()
        >>> _ = session.execute("numbers = iter(range(10)); next(numbers)")
        >>> fork = session.fork()
        >>> [one.execute("print(next(numbers))").stdout for one in (session, fork)]
        ['1', '1']
        """
        with self._turn_taken():
            core = self._core.fork()
            fork = object.__new__(type(self))
            for name in _slots(type(self)):
                if name not in _NOT_SHARED and hasattr(self, name):
                    setattr(fork, name, getattr(self, name))
            fork._limits = copy_limits(self._limits)
            fork._begin_with(core)
        return fork

    def checkpoint(self, *, include_storage: bool = False) -> Checkpoint:
        """Remembers the present state, to go back to with `rollback`.

        include_storage: also what is in the storage of the session. A rollback then puts it back
            for all who use it; files of it that another session has open stay as they are there,
            without a name.

        >>> session = Session()
        >>> _ = session.execute("x = 1")
        >>> before = session.checkpoint()
        >>> _ = session.execute("x = 2")
        >>> session.rollback(before)
        >>> session.execute("print(x)").stdout
        '1'
        """
        with self._turn_taken():
            return Checkpoint(self._core.checkpoint(bool(include_storage)), self._count)

    def rollback(self, checkpoint: Checkpoint) -> None:
        """Goes back to a checkpoint of this session or of one that it was forked from.

        Variables, open files and the in-memory files are as they were then, and the storage if the
        checkpoint includes it. A checkpoint can be gone back to any number of times, also after
        `reset` and after a run that crashed.
        """
        if not isinstance(checkpoint, Checkpoint):
            raise TypeError(f"a Checkpoint is needed, not {type(checkpoint).__name__}")
        with self._turn_taken():
            self._core.rollback(checkpoint._state)
            self._count = checkpoint._execution_count
            self._threads = None
            self._lost = False

    def save(self, path: str | os.PathLike[str], *, include_storage: bool = False) -> None:
        """Writes the whole state of the session to a file, for `load` of another session.

        The file holds all objects and in-memory files, and only its owner can read it. It fits
        exactly this build of eryx.

        include_storage: also what is in the storage of the session. `load` then needs a session
            with a storage at the same path, and replaces all that it holds.

        Raises InitializationError if the file cannot be written.
        """
        with self._turn_taken():
            self._core.save(path, bool(include_storage))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Goes on from a state that `save` has written, in this process or another.

        What the session had is gone. The fuel, time and memory limits stay those of this session.

        Raises InitializationError if the file is missing, damaged, of another build, or holds a
        storage where this session has none, ResourceLimitError if the state needs more memory than
        the limit allows; the session is then as it was. A file is no more to be trusted than the
        program that ran before it was saved.

        >>> import tempfile
        >>> first, second = Session(), Session()
        >>> _ = first.execute("x = 42")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     first.save(f"{directory}/state")
        ...     second.load(f"{directory}/state")
        >>> second.execute("print(x)").stdout
        '42'
        """
        with self._turn_taken():
            self._core.load(path)
            self._threads = None
            self._lost = False

    def snapshot_state(
        self, *, key: bytes | None = None, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> Snapshot:
        """Gives the variables as bytes that `restore_state` of any session of this build reads.

        key: protects the bytes from being altered; the same one is needed to restore them.
        max_bytes: how large the pickled variables may be.

        Functions and classes of the programs are stored with their code, modules by name. Variables
        that cannot be pickled are left out and named in `Snapshot.skipped`.

        Raises ResourceLimitError if the variables are too large, and what `execute` raises if they
        cannot be pickled within the limits of the session.

        >>> session = Session()
        >>> _ = session.execute("def double(n): return 2 * n")
        >>> other = Session()
        >>> other.restore_state(session.snapshot_state())
        >>> other.execute("print(double(21))").stdout
        '42'
        """
        import base64
        import json

        _snapshot.check_key(key)
        _snapshot.check_limit(max_bytes)
        with self._turn_taken():
            limits = copy_limits(self._limits)
            # The answer is no result of a program, and has limits of its own.
            limits.max_result_bytes = min(max_bytes, 2**40) * 4 // 3 + _MAX_SKIPPED_BYTES
            self._core.set_limits(core_limits(limits, self._request.meter))
            try:
                outcome = self._command(RUN_SNAPSHOT, b"%d" % max_bytes)
            finally:
                self._core.set_limits(self._request.core_limits)
        if outcome.result_json is None:
            raise ResourceLimitError(f"no snapshot: {outcome.result_error or 'nothing was left'}")
        try:
            # The guest may have been tampered with by its program.
            answer = json.loads(outcome.result_json)
            size = int(answer["size"])
            skipped = tuple(str(name) for name in answer["skipped"])
            data = base64.b64decode(answer["data"]) if size <= max_bytes else b""
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise InitializationError(f"the guest gave no snapshot: {error!r}") from None
        if size > max_bytes or len(data) > max_bytes:
            raise ResourceLimitError(
                f"the snapshot would have {max(size, len(data))} bytes, the limit is {max_bytes}"
            )
        return _snapshot.seal(data, skipped, key)

    def restore_state(
        self, snapshot: bytes, *, key: bytes | None = None, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> None:
        """Sets the variables of a snapshot; variables with other names stay.

        The bytes are checked here and decoded inside the sandbox, under the limits of the session:
        whoever made a snapshot can do in the session what a program can do, and no more.

        Raises InitializationError if the bytes are no snapshot, damaged or altered, or were made
        by another build or with another key; the session is then as it was. Raises what `execute`
        raises if decoding fails.
        """
        _snapshot.check_key(key)
        _snapshot.check_limit(max_bytes)
        data = _snapshot.open_sealed(snapshot, key, max_bytes)
        with self._turn_taken():
            self._command(RUN_RESTORE, data)

    def _global_names(self) -> list[str]:
        if not self._count or self._lost:
            return []
        with self.fork() as fork:
            names = fork.execute("[name for name in globals() if name.isidentifier()]").value
        callbacks = self._request.callbacks
        known = {} if callbacks is None else callbacks.by_name
        return [
            name
            for name in names
            if isinstance(name, str)
            and name.isidentifier()
            and not name.startswith("__")
            and name not in known
            and name not in ("invoke", "list_callbacks")
        ]

    def _close_in_turn(self) -> None:
        self._before = None
        super()._close_in_turn()

    # ---- Inside ----

    def _turn_taken(self) -> _TurnOfSession:
        return _TurnOfSession(self)

    def _check(self) -> None:
        if self._closed or self._ending:
            raise EryxError(_CLOSED)

    def _prepare(self) -> None:
        self._check()
        self._remember()
        self._count += 1

    def _remember(self) -> None:
        """Makes ready for a run that may have to be undone."""
        if self._lost:
            raise InitializationError(_LOST)
        if self._transactional:
            self._before = self._core.checkpoint(self._transactional == "all")

    def _abandon(self) -> None:
        self._lost = True
        self._threads = None
        before, self._before = self._before, None
        if before is not None:
            self._audit()
            self._core.rollback(before)
            self._lost = False
            return
        from eryx._audit import audit_outcome
        from eryx._ending import end_run

        outcome = end_run(self._core)
        if outcome is None:
            self._audit()
            return
        audit_outcome(outcome)
        self._threads = outcome.threads_json
        self._lost = False

    def _end(self, outcome: Outcome) -> None:
        self._threads = outcome.threads_json
        before, self._before = self._before, None
        if before is not None and outcome.status != 0:
            self._core.rollback(before)
            self._threads = None

    def _reset(self) -> None:
        super()._reset()
        self._count = 0
        self._lost = False

    def _set_limit(self, name: str, value: int | None) -> None:
        limits = copy_limits(self._limits)
        setattr(limits, name, value)
        with self._turn_taken():
            request = self._request.with_limits(limits)
            self._core.set_limits(request.core_limits)
            self._limits, self._request = limits, request

    def _command(self, command: int, source: bytes) -> Outcome:
        """Does something other than running a program."""
        self._remember()
        self._core.begin_command(command, source, _PAUSE_MS)
        try:
            outcome = self._core.run()
        except BaseException:
            self._abandon()
            raise
        self._end(outcome)
        finish(outcome)
        return outcome


class _TurnOfSession:
    """Has the turn of an open session for the length of a with statement."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        self._session._turn.acquire()
        try:
            self._session._check()
            self._session._forget_run_limits()
        except BaseException:
            self._session._turn.release()
            raise

    def __exit__(self, *error: object) -> None:
        self._session._turn.release()


def _slots(session_class: type) -> Iterator[str]:
    for base in session_class.__mro__:
        yield from base.__dict__.get("__slots__", ())


def _either(name: str, value: Any, other: str, same: Any) -> Any:
    """What was given by one of two names."""
    if value is not None and same is not None:
        raise TypeError(f"{name} and {other} are the same: give one of them")
    return same if value is None else value


def _mount_path(path: str | None) -> str:
    if path is None:
        return "/data"
    if not isinstance(path, str):
        raise TypeError(f"vfs_mount_path must be a str or None, not {type(path).__name__}")
    return path


late_annotations(globals(), Checkpoint, Session)
