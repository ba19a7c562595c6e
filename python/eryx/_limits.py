"""What a run may use."""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx._eryx import LIMITS, UNLIMITED

_FIELDS = (
    "execution_timeout_ms",
    "callback_timeout_ms",
    "max_memory_bytes",
    "max_callback_invocations",
    "max_fuel",
    "max_vfs_bytes",
    "max_output_bytes",
    "max_result_bytes",
    "max_vfs_entries",
    "max_open_handles",
    "max_callback_bytes",
    "max_pending_callback_bytes",
    "cpu_timeout_ms",
    "queue_timeout_ms",
    "max_threads",
    "max_display_bytes",
)

_GREATEST = 2**63 - 1

DEFAULT_TRACE_EVENTS = 100_000
DEFAULT_DISPLAY_BYTES = 16_777_216


class _Default(int):
    """A number that nobody gave."""

    __slots__ = ()


_DEFAULT_MEMORY_BYTES = _Default(128 << 20)
# Of sandboxes of factories with native modules.
NATIVE_MEMORY_BYTES = 512 << 20

TYPE_CHECKING = False

# For these None does not mean "no limit" but the default: they bound memory of the host that
# nothing else bounds.
_ALWAYS_BOUND = ("max_vfs_bytes", "max_vfs_entries", "max_open_handles")
_WITHOUT = {name: default if name in _ALWAYS_BOUND else UNLIMITED for name, default in LIMITS}


class ResourceLimits:
    """What one run may use. All fields can be read and set.

    A value is an integer that is not negative, or None. A `Sandbox` copies the limits when it is
    made.

    execution_timeout_ms: wall-clock time of a run in milliseconds, from its first slice on; 30,000.
        The run ends with `TimeoutError`. 0: every run times out. None: no limit.
    cpu_timeout_ms: processor time of the guest in a run, so without what it waits for; None, no
        limit. The run ends with `TimeoutError`. 0: every run times out.
    callback_timeout_ms: time of one callback in milliseconds; 10,000. 0: every callback times out.
        None: no limit.
    max_memory_bytes: memory of the guest, with the started interpreter in it (about 20 MiB); 128
        MiB, or 512 MiB for factories with native modules such as numpy. The guest gets MemoryError.
        0 and other values below what the interpreter has: it can have no more. None: 4 GiB.
    max_callback_invocations: callbacks of a run; 1,000. 0: none is allowed. None: no limit.
    max_fuel: work of a run, counted in loop rounds of the interpreter's machine code; None, no
        limit. The run ends with `ResourceLimitError`. 0: every run ends so.
    max_vfs_bytes: contents of all in-memory files; None, which is 64 MiB. The guest gets OSError.
        0: files must stay empty.
    max_output_bytes: stdout and stderr kept, together; 16 MiB. The middle is left out of the
        result, and flagged. 0: nothing is kept. None: no limit.
    max_result_bytes: JSON of the result variable; 16 MiB. Over it there is a `result_error`. 0: no
        result is kept. None: no limit.
    max_vfs_entries: in-memory files, directories and links; None, which is 16,384. 0: none can be
        made.
    max_open_handles: files, directories, streams and timers open at a time; None, which is 1,024.
        0: none can be opened.
    max_callback_bytes: JSON of the arguments of one callback, and that of its answer, each; 1 MiB.
        It bounds the number of values in the arguments as well, so that to parse them takes 5 ms at
        most: with 1 MiB there can be 85,000 small numbers, 50,000 lists or 12,000 objects. The
        guest gets an exception. 0: no callback can be made. None: no limit.
    max_pending_callback_bytes: memory of the host for all callbacks that have no answer yet, their
        arguments as Python objects included, and for answers that the guest has not taken, by
        estimate; 64 MiB. The guest gets an exception. 0: no callback can be made. None: no limit.
    queue_timeout_ms: longest wait of `Sandbox.execute_async` for a thread, if many guests compute;
        None, no limit. The run ends with `TimeoutError` before it has begun. 0: it never waits.
    max_threads: threads of the guest at a time, beside the first; 64. The guest gets RuntimeError.
        0: none can be started. None: as many as there can be (1,024).
    max_display_bytes: JSON of what the guest displays in a run; 16 MiB. What does not fit is left
        out, and flagged. 0: nothing is kept. None: no limit.

    >>> limits = ResourceLimits(execution_timeout_ms=500)
    >>> limits.max_fuel = 1_000_000
    >>> limits.execution_timeout_ms, limits.max_memory_bytes, limits.max_fuel
    (500, 134217728, 1000000)
    """

    __module__ = "eryx"
    __slots__ = _FIELDS

    execution_timeout_ms: int | None
    callback_timeout_ms: int | None
    max_memory_bytes: int | None
    max_callback_invocations: int | None
    max_fuel: int | None
    max_vfs_bytes: int | None
    max_output_bytes: int | None
    max_result_bytes: int | None
    max_vfs_entries: int | None
    max_open_handles: int | None
    max_callback_bytes: int | None
    max_pending_callback_bytes: int | None
    cpu_timeout_ms: int | None
    queue_timeout_ms: int | None
    max_threads: int | None
    max_display_bytes: int | None

    def __init__(
        self,
        *,
        execution_timeout_ms: int | None = 30_000,
        callback_timeout_ms: int | None = 10_000,
        max_memory_bytes: int | None = _DEFAULT_MEMORY_BYTES,
        max_callback_invocations: int | None = 1_000,
        max_fuel: int | None = None,
        max_vfs_bytes: int | None = None,
        max_output_bytes: int | None = 16_777_216,
        max_result_bytes: int | None = 16_777_216,
        max_vfs_entries: int | None = None,
        max_open_handles: int | None = None,
        max_callback_bytes: int | None = 1_048_576,
        max_pending_callback_bytes: int | None = 67_108_864,
        cpu_timeout_ms: int | None = None,
        queue_timeout_ms: int | None = None,
        max_threads: int | None = 64,
        max_display_bytes: int | None = DEFAULT_DISPLAY_BYTES,
    ) -> None:
        """Sets the fields.

        Raises TypeError for a value that is neither an integer nor None, ValueError for one that is
        negative or greater than 2**63 - 1.
        """
        self.execution_timeout_ms = execution_timeout_ms
        self.callback_timeout_ms = callback_timeout_ms
        self.max_memory_bytes = max_memory_bytes
        self.max_callback_invocations = max_callback_invocations
        self.max_fuel = max_fuel
        self.max_vfs_bytes = max_vfs_bytes
        self.max_output_bytes = max_output_bytes
        self.max_result_bytes = max_result_bytes
        self.max_vfs_entries = max_vfs_entries
        self.max_open_handles = max_open_handles
        self.max_callback_bytes = max_callback_bytes
        self.max_pending_callback_bytes = max_pending_callback_bytes
        self.cpu_timeout_ms = cpu_timeout_ms
        self.queue_timeout_ms = queue_timeout_ms
        self.max_threads = max_threads
        self.max_display_bytes = max_display_bytes

    @classmethod
    def unlimited(cls) -> ResourceLimits:
        """Limits with None in all fields; only for programs that you trust.

        The bounds on in-memory files and open handles still hold, with their defaults.
        """
        return cls(**dict.fromkeys(_FIELDS))

    if not TYPE_CHECKING:  # so that a type checker still knows which attributes there are

        def __setattr__(self, name: str, value: object) -> None:
            """Sets a field after a look at the value."""
            if value is not None and name in _FIELDS:
                check_limit(name, value)
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        """The call that makes equal limits."""
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in _FIELDS)
        return f"ResourceLimits({fields})"

    def __eq__(self, other: object) -> bool:
        """Limits are equal if all fields are."""
        if not isinstance(other, ResourceLimits):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = None  # type: ignore[assignment]  # they can be changed


def check_limit(name: str, value: object) -> None:
    """Refuses what cannot be a limit."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int or None, not {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} must not be negative")
    if value > _GREATEST:
        raise ValueError(f"{name} must not be greater than 2**63 - 1")


def core_limits(limits: ResourceLimits, meter: bool = False) -> tuple[int, ...]:
    """The limits in the order of struct eryx_limits, and whether to count fuel without a limit."""
    values = []
    for name, without in _WITHOUT.items():
        value = getattr(limits, name)
        values.append(without if value is None else value)
    return (*values, meter)


def with_timeout(limits: tuple[int, ...], milliseconds: int | None) -> tuple[int, ...]:
    """What core_limits() gave, with another time of a run."""
    return (UNLIMITED if milliseconds is None else milliseconds, *limits[1:])


assert LIMITS[0][0] == "execution_timeout_ms"


def check_limits(limits: object, name: str = "resource_limits") -> None:
    """Looks at what a caller gave as limits."""
    if limits is not None and not isinstance(limits, ResourceLimits):
        wrong = type(limits).__name__
        raise TypeError(f"{name} must be ResourceLimits or None, not {wrong}")


def native_limits(limits: ResourceLimits | None) -> ResourceLimits:
    """Limits of a sandbox with native modules: more memory, unless the caller said how much."""
    if limits is None:
        return ResourceLimits(max_memory_bytes=NATIVE_MEMORY_BYTES)
    if not isinstance(limits.max_memory_bytes, _Default):
        return limits
    more = copy_limits(limits)
    more.max_memory_bytes = NATIVE_MEMORY_BYTES
    return more


def copy_limits(limits: ResourceLimits) -> ResourceLimits:
    """Limits that their owner may change."""
    return ResourceLimits(**{name: getattr(limits, name) for name in _FIELDS})


DEFAULT_LIMITS = ResourceLimits()  # never handed out
DEFAULT_CORE_LIMITS = core_limits(DEFAULT_LIMITS)

late_annotations(globals(), ResourceLimits)
