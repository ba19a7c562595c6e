"""The sandbox."""

from __future__ import annotations

from eryx._engine import shared_engine
from eryx._errors import EryxError
from eryx._eryx import Core, Outcome
from eryx._limits import DEFAULT_CORE_LIMITS, ResourceLimits, core_limits
from eryx._result import ExecuteResult, finish
from eryx._turn import Turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eryx._asynchronous import Driver

# How long a signal such as Ctrl-C may go unnoticed while the guest computes.
_PAUSE_MS = 25

# A sandbox that used more than this gives its memory back at the end of the run, not at the next.
_KEPT_MEMORY_BYTES = 64 * 1024 * 1024


class Sandbox:
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
    __slots__ = (
        "__weakref__",
        "_core",
        "_driver",
        "_on_output",
        "_result_variable",
        "_turn",
        "_used",
    )

    def __init__(
        self,
        *,
        resource_limits: ResourceLimits | None = None,
        network: object = None,
        callbacks: object = None,
        mcp: object = None,
        secrets: object = None,
        scrub_stdout: bool | None = None,
        scrub_stderr: bool | None = None,
        scrub_result: bool | None = None,
        scrub_files: bool | None = None,
        volumes: object = None,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        result_variable: str | None = None,
    ) -> None:
        """Makes a sandbox in which Python has started.

        resource_limits: what a run may use; None for ``ResourceLimits()``. Copied.
        network, callbacks, mcp, secrets, scrub_stdout, scrub_stderr, scrub_result, scrub_files,
            volumes: not in this version; anything but None is refused with EryxError.
        on_stdout, on_stderr: called with each piece of text while the guest writes it, newlines and
            all. What a handler raises is reported with ``sys.unraisablehook`` and does not stop the
            run.
        result_variable: name of the global whose value becomes `ExecuteResult.result`; None for
            ``result``.

        Raises TypeError and ValueError for arguments that are wrong, InitializationError if there
        is not enough memory or address space.
        """
        _refuse(
            network=network,
            callbacks=callbacks,
            mcp=mcp,
            secrets=secrets,
            scrub_stdout=scrub_stdout,
            scrub_stderr=scrub_stderr,
            scrub_result=scrub_result,
            scrub_files=scrub_files,
            volumes=volumes,
        )
        limits = DEFAULT_CORE_LIMITS
        if resource_limits is not None:
            if not isinstance(resource_limits, ResourceLimits):
                wrong = type(resource_limits).__name__
                raise TypeError(f"resource_limits must be ResourceLimits or None, not {wrong}")
            limits = core_limits(resource_limits)
        self._result_variable = _variable_name(result_variable)
        self._on_output = _text_handler(on_stdout, on_stderr)
        self._turn = Turn()
        self._driver: Driver | None = None
        self._used = False
        self._core = Core(shared_engine(), limits)

    def execute(
        self, code: str, *, stdin: str | bytes | None = None, arguments: Sequence[str] = ()
    ) -> ExecuteResult:
        """Runs a program from a clean state and waits for its end.

        code: the program; it runs as ``__main__`` and may use ``await`` at its top level.
        stdin: what the program reads from its standard input; None for nothing.
        arguments: ``sys.argv[1:]`` of the program.

        The interpreter lock is released meanwhile. Ctrl-C ends the run with KeyboardInterrupt.

        Raises ExecutionError if the program fails, TimeoutError, ResourceLimitError or
        CancelledError if it is ended; all of them have what it had written. Raises EryxError if
        this thread is running code in this sandbox already, or if the sandbox belongs to the parent
        of this process.

        >>> Sandbox().execute("import sys; print(sys.argv[1:])", arguments=["a", "b"]).stdout
        "['a', 'b']"
        """
        source, stdin_bytes = _encoded(code, stdin)
        argument_tuple = _arguments(arguments)
        self._turn.acquire()
        try:
            self._begin(source, stdin_bytes, argument_tuple, _PAUSE_MS)
            outcome = self._core.run(self._on_output)
            self._end(outcome)
        finally:
            self._turn.release()
        return finish(outcome)

    async def execute_async(
        self, code: str, *, stdin: str | bytes | None = None, arguments: Sequence[str] = ()
    ) -> ExecuteResult:
        """Does the same on the running event loop.

        The guest needs a worker thread of the loop only while it computes for long. If the task is
        cancelled the guest is stopped.
        """
        from eryx._asynchronous import PAUSE_MS, Driver

        source, stdin_bytes = _encoded(code, stdin)
        argument_tuple = _arguments(arguments)
        await self._turn.acquire_async()
        try:
            self._begin(source, stdin_bytes, argument_tuple, PAUSE_MS)
            try:
                self._driver = Driver(self._core, self._on_output)
                outcome = await self._driver.run()
            except BaseException:
                self._reset()  # drops the run
                raise
            finally:
                self._driver = None
            self._end(outcome)
        finally:
            self._turn.release()
        return finish(outcome)

    def cancel(self) -> None:
        """Ends the present run with CancelledError, from any thread; does nothing without a run."""
        self._core.cancel()
        driver = self._driver
        if driver is not None:
            driver.wake()

    def _begin(
        self, source: bytes, stdin: bytes | None, arguments: tuple[str, ...], pause_ms: int
    ) -> None:
        if self._used:
            self._reset()
        self._used = True
        self._core.begin(
            source,
            result_variable=self._result_variable,
            arguments=arguments,
            standard_input=stdin,
            stream_output=self._on_output is not None,
            pause_every_ms=pause_ms,
        )

    def _end(self, outcome: Outcome) -> None:
        if outcome.peak_memory_bytes > _KEPT_MEMORY_BYTES:
            self._reset()

    def _reset(self) -> None:
        self._core.reset()
        self._used = False


def _refuse(**parameters: object) -> None:
    """Refuses what this version cannot do, rather than run without it."""
    for name, value in parameters.items():
        if value is not None:
            raise EryxError(f"{name} is not implemented in this version of eryx")


def _variable_name(name: str | None) -> str:
    if name is None:
        return "result"
    if not isinstance(name, str):
        raise TypeError(f"result_variable must be a str or None, not {type(name).__name__}")
    if not name.isidentifier():
        raise ValueError(f"result_variable must be an identifier, not {name!r}")
    return name


def _text_handler(
    on_stdout: Callable[[str], object] | None, on_stderr: Callable[[str], object] | None
) -> Callable[[int, bytes], object] | None:
    """One handler of bytes for two of text."""
    for name, handler in (("on_stdout", on_stdout), ("on_stderr", on_stderr)):
        if handler is not None and not callable(handler):
            raise TypeError(f"{name} must be callable or None, not {type(handler).__name__}")
    if on_stdout is None and on_stderr is None:
        return None

    def on_output(stream: int, data: bytes) -> None:
        handler = on_stdout if stream == 1 else on_stderr
        if handler is not None:
            handler(data.decode("utf-8", "replace"))

    return on_output


def _encoded(code: str, stdin: str | bytes | None) -> tuple[bytes, bytes | None]:
    """The texts as the guest gets them. Lone surrogates are for Python in the guest to refuse."""
    if not isinstance(code, str):
        raise TypeError(f"code must be a str, not {type(code).__name__}")
    if isinstance(stdin, str):
        stdin = stdin.encode("utf-8", "surrogatepass")
    elif stdin is not None and not isinstance(stdin, bytes):
        raise TypeError(f"stdin must be a str, bytes or None, not {type(stdin).__name__}")
    return code.encode("utf-8", "surrogatepass"), stdin


def _arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments as a tuple; a lone str would be taken for a row of letters."""
    if isinstance(arguments, str):
        raise TypeError("arguments must be a sequence of str, not a str")
    result = tuple(arguments)
    for argument in result:
        if not isinstance(argument, str):
            raise TypeError(f"arguments must be str, not {type(argument).__name__}")
    return result
