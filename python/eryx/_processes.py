"""Worker processes: where sandboxes run that this process is to survive."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import threading
import time
import weakref

import eryx._eryx as _eryx
from eryx._annotations import late_annotations
from eryx._audit import log
from eryx._cache_folder import cache_folder
from eryx._copying import Closable
from eryx._errors import EryxError, InitializationError
from eryx._eryx import Servant
from eryx._living import Living
from eryx._process_core import ProcessCore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._engine import Recipe
    from eryx._process_core import ProcessEquipment

_FOLDER = os.path.dirname(__file__)
_PROGRAM = os.path.join(_FOLDER, "eryx-worker")
_DATA = (
    *(os.path.join(_FOLDER, name) for name in ("image.bin", "stdlib.bin", "seeds.bin")),
    cache_folder("images"),
    _eryx.__file__,
)

# The descriptor that a worker has its socket at.
_CONTROL = 3

# How long a worker may take to start, and to end once nobody needs it.
_START_SECONDS = 30.0
_END_SECONDS = 1.0

# How often the memory of a worker is looked at, in runs.
_LOOK_EVERY = 64

# The first message of a worker: size, kind, number, and the size of the text that follows.
_READY = struct.Struct("=IIII")
_NO_TEXT = 0xFFFFFFFF
_MOST_READY = 4096


_all_pools: Living[WorkerPool] = Living()


def processes_of_all() -> list[Process]:
    """The worker processes of this process; none of its parent's."""
    owned = [pool for pool in _all_pools if pool._owner == os.getpid()]
    return [each for pool in owned for each in tuple(pool._running) if not each.is_dead]


def private_bytes_of_all() -> int:
    """Memory that the worker processes have to themselves, each."""
    return sum(each.private_bytes() for each in processes_of_all())


class Process:
    """One worker process. All but `use` is called with the lock of its `Workers`."""

    __slots__ = (
        "__weakref__",
        "_parts",
        "_pidfd",
        "_reaper",
        "_socket",
        "engines",
        "free_since",
        "is_dead",
        "is_retired",
        "native",
        "pid",
        "runs",
        "seats",
        "servant",
        "started",
        "tenant",
    )

    def __init__(self, tenant: str | None, native: Native = ()) -> None:
        """Starts one. Raises InitializationError if it does not come up.

        native: the modules that its sandboxes may use.
        """
        self.tenant = tenant
        self.native = native
        self.engines: set[int] = set()  # of factories, that it has
        self.is_dead = self.is_retired = False
        self.runs = self.seats = 0
        self.servant = Servant()  # for what its sandboxes have here
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.pid = _spawn(theirs, native)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._pidfd = _open_pidfd(self.pid)
        self._parts = (ours, self.pid, self._pidfd, os.getpid())
        self._reaper = weakref.finalize(self, _end, *self._parts, 0.0)
        self._reaper.atexit = False  # it ends when it sees that this process does
        try:
            _wait_until_ready(ours)
        except BaseException:
            self.end(at_once=True)
            raise
        self.started = self.free_since = time.monotonic()

    @property
    def control(self) -> int:
        """The descriptor of its socket."""
        return self._socket.fileno()

    def private_bytes(self) -> int:
        """Memory that it shares with nobody; 0 if the system does not tell."""
        try:
            with open(f"/proc/{self.pid}/status", "rb") as status:
                for line in status:
                    if line.startswith(b"RssAnon:"):
                        return int(line.split()[1]) * 1024
        except (OSError, ValueError, IndexError):
            pass
        return 0

    def end(self, *, at_once: bool = False) -> None:
        """Ends it, with all that runs in it. Doing it twice does no harm."""
        self.is_dead = True
        if self._reaper.detach() is not None:
            _end(*self._parts, 0.0 if at_once else _END_SECONDS)


# Strings of native modules, as the program takes them: path, SHA-256, and what is needed.
Native = tuple[tuple[bytes, str, str], ...]


def native_of(handles: tuple[object, ...]) -> Native:
    """The modules of handles (native.NativeModule.open), and those that they need, before them."""
    places: dict[tuple[bytes, bytes], int] = {}
    found: list[tuple[bytes, str, str]] = []

    def add(handle: object) -> int:
        path, digest, needed = _eryx.native_module_source(handle)
        place = places.get((path, digest))
        if place is None:
            before = ",".join(str(add(each)) for each in needed)
            place = places[path, digest] = len(found)
            found.append((path, digest.hex(), before))
        return place

    for handle in handles:
        add(handle)
    return tuple(found)


def _spawn(theirs: socket.socket, native: Native) -> int:
    """Starts the program with that socket and nothing else, in a process group of its own."""
    null = os.devnull
    try:
        return os.posix_spawn(
            _PROGRAM,
            [
                *("eryx-worker", str(_CONTROL), *_DATA),
                *(text for module in native for text in module),
            ],
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), _CONTROL),
                (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
            ],
            # Not a session of its own, which the kernel would give turns apart from this process.
            setpgroup=0,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD],
        )
    except OSError as error:
        raise InitializationError(f"no worker process: {_PROGRAM}: {error.strerror}") from None


def _open_pidfd(pid: int) -> int:
    """A handle of a process that never means another one; -1 where there are none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _wait_until_ready(ours: socket.socket) -> None:
    """Takes the first message, which says whether it can run guests."""
    ours.settimeout(_START_SECONDS)
    came = b""
    wanted = _READY.size
    try:
        while len(came) < wanted:
            part = ours.recv(wanted - len(came))
            if not part:
                raise InitializationError("a worker process died while it started")
            came += part
            if len(came) == _READY.size:
                size = _READY.unpack(came)[3]
                wanted += 0 if size == _NO_TEXT else min(size, _MOST_READY)
    except TimeoutError:
        raise InitializationError("a worker process did not start in time") from None
    finally:
        ours.setblocking(False)
    if wanted > _READY.size:
        text = came[_READY.size :].rstrip(b"\0").decode("utf-8", "replace")
        raise InitializationError(f"a worker process cannot run sandboxes: {text}")


def _ends_in_time(pidfd: int, patience: float) -> bool:
    """Waits for the end of a process; False if it does not come, or cannot be waited for."""
    if pidfd < 0 or not patience:
        return False
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(patience * 1e3))


def _end(ours: socket.socket, pid: int, pidfd: int, parent: int, patience: float) -> None:
    """Ends a worker, and takes note of its end. patience: seconds until it is killed."""
    if os.getpid() != parent:
        ours.close()  # the worker is none of this child's
        if pidfd >= 0:
            os.close(pidfd)
        return
    try:
        ours.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is gone already
    ours.close()
    try:
        if not _ends_in_time(pidfd, patience):
            if pidfd >= 0:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError, ValueError, OSError):
        pass  # somebody else has waited for it
    if pidfd >= 0:
        os.close(pidfd)


class WorkerPool(Closable):
    """What `Workers` are, without what makes sandboxes."""

    __module__ = "eryx"
    __slots__ = (
        "__weakref__",
        "_closed",
        "_idle_seconds",
        "_lock",
        "_max_age_seconds",
        "_max_memory_bytes",
        "_max_runs",
        "_owner",
        "_per_tenant",
        "_processes",
        "_running",
    )

    _why = "it stands for processes of this one"

    def __init__(
        self,
        processes: int = 4,
        *,
        per_tenant: bool = False,
        max_runs: int | None = 10_000,
        max_age_seconds: float | None = 3600.0,
        max_memory_bytes: int | None = 512 * 1024 * 1024,
        idle_seconds: float | None = 60.0,
    ) -> None:
        """Starts nothing yet: a worker is started when the first sandbox needs it.

        processes: how many there are at most; with `per_tenant` how many each tenant has at most,
            and so many more for each set of native modules that sandboxes have.
        per_tenant: whether a process runs sandboxes of one tenant alone, ever. Whoever makes one
            has to name its tenant then.
        max_runs, max_age_seconds, max_memory_bytes: a worker that has done so many runs, is so old
            or has so much memory of its own gets no new sandboxes, and ends with the last that it
            has. A `Sandbox` moves to another at its next run, a `Session` when it is reset. None
            for no limit.
        idle_seconds: a worker without sandboxes is ended after so long, when another is looked for.
        """
        self._processes = _positive("processes", processes)
        if not isinstance(per_tenant, bool):
            raise TypeError(f"per_tenant must be a bool, not {type(per_tenant).__name__}")
        self._per_tenant = per_tenant
        self._max_runs = None if max_runs is None else _positive("max_runs", max_runs)
        self._max_age_seconds = _positive_or_none("max_age_seconds", max_age_seconds)
        self._max_memory_bytes = _positive_or_none("max_memory_bytes", max_memory_bytes)
        self._idle_seconds = _positive_or_none("idle_seconds", idle_seconds)
        self._closed = False
        self._start()
        _all_pools.add(self)

    def _start(self) -> None:
        """Begins without processes, in this process."""
        self._owner = os.getpid()
        # Reentrant, since a sandbox may be found to be garbage at any time.
        self._lock = threading.RLock()
        self._running: list[Process] = []

    def tenant(self, name: str | None = None) -> Tenant:
        """What `Sandbox`, `Session`, factories and pools take as ``isolation``.

        >>> workers = Workers(per_tenant=True)
        >>> session = Session(isolation=workers.tenant("alice"))
        >>> session.execute("x = 1; x + 1").value
        2
        >>> workers.close()
        """
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a tenant is a str or None, not {type(name).__name__}")
        if name is None and self._per_tenant:
            raise ValueError("these workers are per tenant: say whose the sandbox is (tenant=...)")
        return Tenant(self, name if self._per_tenant else None)

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that there are now."""
        with self._lock:
            return tuple(each.pid for each in self._running if not each.is_dead)

    def close(self) -> None:
        """Ends all workers, and the runs in them with `WorkerCrashedError`.

        Doing it twice does no harm.
        """
        with self._lock:
            self._closed = True
            running, self._running = self._running, []
            if self._owner == os.getpid():
                for each in running:
                    each.end(at_once=True)

    def __repr__(self) -> str:
        """What there is."""
        per_tenant = ", per_tenant=True" if self._per_tenant else ""
        return f"<Workers(processes={self._processes}{per_tenant}), {len(self.pids)} running>"

    # ---- For sandboxes ----

    def take_seat(self, tenant: str | None, native: Native = ()) -> Process:
        """A process for one more sandbox; `leave_seat` gives it back.

        native: what the sandbox may use, which no other process has.
        """
        with self._lock:
            if self._owner != os.getpid():
                self._start()  # those that there are belong to the parent
            if self._closed:
                raise EryxError("the workers are closed")
            self._end_idle()
            usable = [
                each
                for each in self._running
                if each.tenant == tenant and each.native == native and self._takes(each)
            ]
            best = min(usable, key=lambda each: each.seats, default=None)
            if best is None or (best.seats > 0 and len(usable) < self._processes):
                best = Process(tenant, native)
                self._running.append(best)
            best.seats += 1
            return best

    def leave_seat(self, process: Process) -> None:
        """One sandbox less."""
        with self._lock:
            process.seats -= 1
            process.free_since = time.monotonic()
            if process.is_retired and process.seats == 0:
                self._remove(process)

    def lose(self, process: Process) -> None:
        """A process that died, or is not to be trusted any more."""
        if not process.is_dead:
            log("eryx.workers", "warning", "worker process %d was lost", process.pid)
        with self._lock:
            self._remove(process, at_once=True)

    def note_run(self, process: Process) -> None:
        """One more run begins there."""
        process.runs += 1
        if process.is_retired:
            return
        is_due = self._max_runs is not None and process.runs >= self._max_runs
        if self._max_age_seconds is not None:
            is_due = is_due or time.monotonic() - process.started >= self._max_age_seconds
        if self._max_memory_bytes is not None and process.runs % _LOOK_EVERY == 0:
            is_due = is_due or process.private_bytes() >= self._max_memory_bytes
        process.is_retired = is_due

    def _takes(self, process: Process) -> bool:
        return not (process.is_dead or process.is_retired)

    def _remove(self, process: Process, *, at_once: bool = False) -> None:
        if process in self._running:
            self._running.remove(process)
        process.end(at_once=at_once)

    def _end_idle(self) -> None:
        if self._idle_seconds is None:
            return
        since = time.monotonic() - self._idle_seconds
        for each in [each for each in self._running if each.seats == 0]:
            if each.free_since < since or each.is_retired:
                self._remove(each)


class Tenant:
    """Somebody whose sandboxes run in workers; made by `Workers.tenant`."""

    __slots__ = ("_name", "_workers")

    def __init__(self, workers: WorkerPool, name: str | None) -> None:
        """name: None if all share the processes."""
        self._workers = workers
        self._name = name

    def new_core(
        self, limits: tuple[int, ...], recipe: Recipe | None, equipment: ProcessEquipment
    ) -> ProcessCore:
        """A sandbox. recipe: what it starts with; None for a plain one."""
        return ProcessCore(self._workers, self._name, limits, recipe, equipment)

    def __repr__(self) -> str:
        """Whose it is."""
        return f"<Tenant {self._name!r} of {self._workers!r}>"


def _positive(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1")
    return value


def _positive_or_none(name: str, value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number or None, not {type(value).__name__}")
    if not value > 0:
        raise ValueError(f"{name} must be positive")
    return value


_shared: WorkerPool | None = None
_shared_lock = threading.Lock()


def tenant_of(isolation: object) -> Tenant:
    """What was given as ``isolation``, as a tenant of some workers."""
    global _shared
    if isinstance(isolation, Tenant):
        return isolation
    if isinstance(isolation, WorkerPool):
        return isolation.tenant()
    if isolation != "process":
        raise TypeError(
            'isolation must be "process", Workers or what Workers.tenant() gives, '
            f"not {isolation!r}"
        )
    with _shared_lock:
        if _shared is None:
            _shared = WorkerPool(processes=max(1, min(4, os.cpu_count() or 1)))
        return _shared.tenant()


late_annotations(globals(), WorkerPool, Tenant)
