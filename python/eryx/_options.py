"""What a caller asks of a sandbox, checked once, for whatever makes it.

A new option is a parameter here, with all that is done about it, and is then declared where users
see it: in `Sandbox`, `Session` and the types of _option_types.py. A test compares them.
"""

from __future__ import annotations

from _operator import is_, itemgetter  # without the time that importing operator takes

from eryx._limits import (
    DEFAULT_CORE_LIMITS,
    DEFAULT_LIMITS,
    DEFAULT_TRACE_EVENTS,
    check_limits,
    core_limits,
    with_timeout,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Any, ClassVar, Literal, TypeVar

    from eryx._callbacks import CallbackTable
    from eryx._deterministic import Deterministic
    from eryx._file_provider import MountedProvider
    from eryx._limits import ResourceLimits
    from eryx._network import CoreNetwork, NetConfig
    from eryx._option_types import Isolation
    from eryx._processes import Tenant
    from eryx._secrets import CoreSecrets
    from eryx._storage import CoreVolumes, Volumes
    from eryx._tracing import TraceEvent
    from eryx.mcp import MCPManager
    from eryx.native import NativeModule

    Group = TypeVar("Group", "Request", "Equipment")

_GREATEST = 2**63 - 1
_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE


def _parameters(method: Any) -> tuple[str, ...]:
    """Their names, in order."""
    names: tuple[str, ...] = method.__code__.co_varnames
    return names[1 : method.__code__.co_argcount]


def among(group: type[Group], given: Mapping[str, Any]) -> Group:
    """The options of a group, out of the local variables of a function that has them all."""
    wanted = group.pick(given)
    if all(map(is_, wanted, group.defaults)):
        return group.shared  # by most sandboxes
    return group(*wanted)


class Request:
    """What can be another for each use of a sandbox. Not changed once it is made."""

    __slots__ = (
        "callback_timeout_ms",
        "callbacks",
        "core_limits",
        "handlers",
        "has_async_output",
        "hide_traceback",
        "max_display_bytes",
        "max_trace_events",
        "meter",
        "on_output",
        "on_trace",
        "queue_timeout_ms",
        "result_variable",
        "timeout_ms",
        "trace_mode",
    )

    def __init__(
        self,
        resource_limits: ResourceLimits | None = None,
        meter: bool = False,
        callbacks: object = None,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        result_variable: str | None = None,
        trace: bool | Literal["all"] | None = None,
        on_trace: Callable[[TraceEvent], object] | None = None,
        max_trace_events: int = DEFAULT_TRACE_EVENTS,
        print_traceback: bool | None = None,
        mcp: MCPManager | None = None,
    ) -> None:
        """Raises TypeError and ValueError. callbacks: what `Sandbox` takes, or a CallbackTable."""
        if not isinstance(meter, bool):
            raise TypeError(f"meter must be True or False, not {type(meter).__name__}")
        self.meter = meter
        self._take_limits(resource_limits)
        self.result_variable = _variable_name(result_variable)
        self.on_output: Callable[[int, bytes], Awaitable[object] | None] | None = None
        self.has_async_output = False
        self.handlers = (on_stdout, on_stderr)
        if on_stdout is not None or on_stderr is not None:
            self.take_handlers(on_stdout, on_stderr)
        if not (print_traceback is None or isinstance(print_traceback, bool)):
            wrong = type(print_traceback).__name__
            raise TypeError(f"print_traceback must be True, False or None, not {wrong}")
        self.hide_traceback = print_traceback is False
        self.callbacks: CallbackTable | None = None
        if callbacks is not None:
            from eryx._callbacks import table_of

            self.callbacks = table_of(callbacks)
        if mcp is not None:
            from eryx.mcp._manager import with_tools

            self.callbacks = with_tools(self.callbacks, mcp)
        self.on_trace = on_trace
        self.max_trace_events = max_trace_events
        self.trace_mode: str | None = None
        if trace is not None or on_trace is not None or max_trace_events != DEFAULT_TRACE_EVENTS:
            self.trace_mode = self.trace_mode_of(trace)

    names = _parameters(__init__)
    defaults: tuple[Any, ...] = __init__.__defaults__ or ()
    pick = itemgetter(*names)
    shared: ClassVar[Request]  # that of who asks for nothing

    def take_handlers(
        self,
        on_stdout: Callable[[str], object] | None,
        on_stderr: Callable[[str], object] | None,
    ) -> None:
        """Output goes there."""
        self.handlers = (on_stdout, on_stderr)
        self.on_output = _text_handler(on_stdout, on_stderr)
        self.has_async_output = _is_async(on_stdout) or _is_async(on_stderr)

    def _take_limits(self, limits: ResourceLimits | None) -> None:
        check_limits(limits)
        is_default = limits is None and not self.meter
        limits = limits or DEFAULT_LIMITS
        self.core_limits = DEFAULT_CORE_LIMITS if is_default else core_limits(limits, self.meter)
        self.timeout_ms = limits.execution_timeout_ms
        self.callback_timeout_ms = limits.callback_timeout_ms
        self.queue_timeout_ms = limits.queue_timeout_ms
        most = limits.max_display_bytes
        self.max_display_bytes = _GREATEST if most is None else most

    def take_timeout(self, milliseconds: int | None) -> None:
        """The run may take so long; None for any time."""
        self.timeout_ms = milliseconds
        self.core_limits = with_timeout(self.core_limits, milliseconds)

    def copy(self) -> Request:
        """The same, to be changed before it is used."""
        made = object.__new__(Request)
        for name in self.__slots__:
            setattr(made, name, getattr(self, name))
        return made

    def with_limits(self, limits: ResourceLimits) -> Request:
        """The same with other limits."""
        made = self.copy()
        made._take_limits(limits)
        return made

    def trace_mode_of(self, trace: object) -> str | None:
        """The mode of the tracer, after a look at all its options. trace: None if not given."""
        from eryx._tracing import checked_limit, mode_of

        on_trace = self.on_trace
        if on_trace is not None and not callable(on_trace):
            raise TypeError(f"on_trace must be callable or None, not {type(on_trace).__name__}")
        checked_limit(self.max_trace_events)
        return mode_of(on_trace is not None if trace is None else trace)


class Equipment:
    """What a sandbox has for as long as it lives, as Core takes it. Not changed either."""

    __slots__ = (
        "asking_network",
        "asks_host",  # has functions of the host's, besides callbacks
        "deterministic",
        "isolation",
        "native_modules",
        "network",
        "providers",
        "secrets",
        "volumes",
    )

    def __init__(
        self,
        network: NetConfig | None = None,
        secrets: Mapping[str, Mapping[str, Any]] | None = None,
        scrub_stdout: bool | None = None,
        scrub_stderr: bool | None = None,
        scrub_result: bool | None = None,
        scrub_files: bool | None = None,
        volumes: Volumes | None = None,
        native_modules: Iterable[NativeModule] | None = None,
        isolation: Isolation | None = None,
        deterministic: Deterministic | None = None,
    ) -> None:
        """Raises TypeError, ValueError and EryxError; opens the native modules."""
        self.isolation: Tenant | None = None
        if isolation is not None:
            from eryx._processes import tenant_of

            self.isolation = tenant_of(isolation)
        self.volumes: CoreVolumes = ()
        self.providers: tuple[MountedProvider, ...] = ()
        if volumes is not None:
            from eryx._storage import core_providers, core_volumes

            volumes, self.providers = core_providers(volumes)
            self.volumes = core_volumes(volumes)
        self.network: CoreNetwork | None = None
        self.asking_network: NetConfig | None = None  # if it has a function to ask
        if network is not None:
            from eryx._network import core_network

            self.network = core_network(network)
            if network.on_connect is not None:
                self.asking_network = network
        self.asks_host = bool(self.providers) or self.asking_network is not None
        self.secrets: CoreSecrets | None = None
        if not (secrets is None is scrub_stdout is scrub_stderr is scrub_files is scrub_result):
            from eryx._secrets import core_secrets

            self.secrets = core_secrets(
                secrets,
                stdout=scrub_stdout,
                stderr=scrub_stderr,
                files=scrub_files,
                result=scrub_result,
            )
        self.native_modules: tuple[object, ...] = ()
        if native_modules is not None:
            from eryx.native._module import open_modules

            self.native_modules = open_modules(native_modules)
        self.deterministic: tuple[int, int, int] | None = None
        if deterministic is not None:
            from eryx._deterministic import core_deterministic

            self.deterministic = core_deterministic(deterministic)

    names = _parameters(__init__)
    defaults: tuple[Any, ...] = __init__.__defaults__ or ()
    pick = itemgetter(*names)
    shared: ClassVar[Equipment]  # that of who asks for nothing

    def check_again(self) -> None:
        """Looks at what can have changed since, outside of this process."""
        if self.volumes:
            from eryx._storage import WRITABLE, check_writable

            for host, _, mode in self.volumes:
                if mode == WRITABLE:
                    check_writable(host)


def _variable_name(name: str | None) -> str:
    if name is None:
        return "result"
    if not isinstance(name, str):
        raise TypeError(f"result_variable must be a str or None, not {type(name).__name__}")
    if not name.isidentifier():
        raise ValueError(f"result_variable must be an identifier, not {name!r}")
    return name


def _is_async(handler: object) -> bool:
    """Whether a handler is an async function, without the time that importing inspect takes."""
    code = getattr(handler, "__code__", None)
    if code is None and handler is not None:
        code = getattr(getattr(type(handler), "__call__", None), "__code__", None)  # noqa: B004
    return bool(getattr(code, "co_flags", 0) & _CO_COROUTINE)


def _text_handler(
    on_stdout: Callable[[str], object] | None, on_stderr: Callable[[str], object] | None
) -> Callable[[int, bytes], Awaitable[object] | None]:
    """One handler of bytes for two of text."""
    for name, handler in (("on_stdout", on_stdout), ("on_stderr", on_stderr)):
        if handler is not None and not callable(handler):
            raise TypeError(f"{name} must be callable or None, not {type(handler).__name__}")

    def on_output(stream: int, data: bytes) -> Any:
        handler = on_stdout if stream == 1 else on_stderr
        return None if handler is None else handler(data.decode("utf-8", "replace"))

    return on_output


Request.shared = Request()
Equipment.shared = Equipment()
