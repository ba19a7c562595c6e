"""Worker processes: where sandboxes run that this process is to survive."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
import threading
import time
import weakref
from functools import partial

import eryx._eryx as _eryx
from eryx._annotations import late_annotations
from eryx._audit import audit_outcome, log
from eryx._copying import OneOfAKind
from eryx._errors import EryxError, InitializationError, WorkerCrashedError
from eryx._eryx import WORKER_CRASHED, Changes, Outcome, RemoteCore, Servant
from eryx._living import Living

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from eryx._engine import Recipe
    from eryx._network import CoreNetwork
    from eryx._secrets import CoreSecrets
    from eryx._storage import CoreMounts, CoreVolumes

_FOLDER = os.path.dirname(__file__)
_PROGRAM = os.path.join(_FOLDER, "eryx-worker")
_DATA = (os.path.join(_FOLDER, "image.bin"), os.path.join(_FOLDER, "stdlib.bin"), _eryx.__file__)

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


class WorkerPool(OneOfAKind):
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

    def __enter__(self) -> Self:
        """Gives the workers."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes them."""
        self.close()

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


class RemoteCheckpoint:
    """A state that is kept in a worker."""

    __slots__ = ("__weakref__", "name", "process")

    def __init__(self, process: Process, name: int) -> None:
        """name: the worker's number of it."""
        self.process = process
        self.name = name


class CopiedChanges:
    """What a run in a worker did with files: as Changes, with the contents that came along."""

    __slots__ = ("_rows", "_truncated")

    def __init__(
        self, rows: list[tuple[str, int, int, int, bytes | None]], truncated: bool
    ) -> None:
        """rows: path, change, kind, size and contents."""
        self._rows = rows
        self._truncated = truncated

    def rows(self) -> list[tuple[str, int, int, int]]:
        """As Changes.rows()."""
        return [(path, change, kind, size) for path, change, kind, size, _ in self._rows]

    def truncated(self) -> bool:
        """As Changes.truncated()."""
        return self._truncated

    def read(self, index: int, /) -> bytes:
        """As Changes.read()."""
        contents = self._rows[index][4]
        if contents is None:
            raise OSError(
                errno.EFBIG, "more than 64 MiB of changed files do not leave a worker process"
            )
        return contents


class JoinedChanges:
    """What a run did with files that are in its worker, and with storages, which are here."""

    __slots__ = ("_order", "_parts")

    def __init__(self, *parts: CopiedChanges | Changes) -> None:
        """As Changes, in the order of paths."""
        self._parts = parts
        self._order = sorted(
            ((row, part, index) for part in parts for index, row in enumerate(part.rows())),
            key=lambda found: found[0][0].encode("utf-8", "surrogatepass"),
        )

    def rows(self) -> list[tuple[str, int, int, int]]:
        """As Changes.rows()."""
        return [row for row, _, _ in self._order]

    def truncated(self) -> bool:
        """As Changes.truncated()."""
        return any(part.truncated() for part in self._parts)

    def read(self, index: int, /) -> bytes:
        """As Changes.read()."""
        _, part, place = self._order[index]
        return part.read(place)


class ProcessEquipment:
    """What a sandbox in a worker has that stays in this process, as RemoteCore takes it."""

    __slots__ = ("mounts", "native", "network", "providers", "secrets", "volumes")

    def __init__(
        self,
        mounts: CoreMounts = (),
        volumes: CoreVolumes = (),
        providers: tuple[tuple[str, bool, int], ...] = (),
        native: Native = (),
        network: CoreNetwork | None = None,
        secrets: CoreSecrets | None = None,
    ) -> None:
        """As for Core; native: the modules that its worker has."""
        self.mounts = mounts
        self.volumes = volumes
        self.providers = providers
        self.native = native
        self.network = network
        self.secrets = secrets


class ProcessCore:
    """One sandbox in a worker: what Core is to a sandbox of this process.

    After the death of its worker it is in another one from `reset` or `load` on.
    """

    __slots__ = (
        "__weakref__",
        "_equipment",
        "_forgotten",
        "_limits",
        "_process",
        "_recipe",
        "_remote",
        "_tenant",
        "_workers",
        "answer_files",
        "callback_raise",
        "callback_return",
        "cancel",
        "connect_answer",
        "step",
    )

    def __init__(
        self,
        workers: WorkerPool,
        tenant: str | None,
        limits: tuple[int, ...],
        recipe: Recipe | None,
        equipment: ProcessEquipment,
    ) -> None:
        """recipe: what it starts with; None for a plain one."""
        self._workers = workers
        self._tenant = tenant
        self._limits = limits
        self._recipe = recipe
        self._equipment = equipment
        self._process: Process | None = None
        self._connect()

    def _connect(self) -> None:
        """Has a new sandbox in a worker. A worker that has died unnoticed is replaced."""
        for patience in (True, True, False):
            process = self._workers.take_seat(self._tenant, self._equipment.native)
            try:
                remote = self._make(process)
            except WorkerCrashedError:
                self._workers.lose(process)
                self._workers.leave_seat(process)
                if patience:
                    continue
                raise
            except BaseException:
                self._workers.leave_seat(process)
                raise
            self._take(process, remote)
            return

    def _make(self, process: Process) -> RemoteCore:
        number, parts = 0, None
        recipe = self._recipe
        if recipe is not None:
            number = recipe.number
            parts = None if number in process.engines else recipe.parts()
        has = self._equipment
        remote = RemoteCore(
            process.control,
            process.servant,
            self._limits,
            number,
            parts,
            has.mounts,
            has.volumes,
            has.providers,
            has.network,
            has.secrets,
        )
        if number:
            process.engines.add(number)
        return remote

    def _take(self, process: Process, remote: RemoteCore) -> None:
        self._process = process
        self._remote = remote
        self._forgotten: list[int] = []  # checkpoints that nobody has any more
        self.step = remote.step
        self.cancel = remote.cancel
        self.callback_return = remote.callback_return
        self.callback_raise = remote.callback_raise
        self.answer_files = remote.answer_files
        self.connect_answer = remote.connect_answer

    def _leave(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._workers.leave_seat(process)

    def __del__(self) -> None:
        """The sandbox is gone."""
        try:
            self._leave()
        except Exception:
            pass  # so is the interpreter, or it was never made

    def _present(self) -> Process:
        assert self._process is not None
        return self._process

    def _look_after_crash(self) -> None:
        """A worker that this sandbox has no good of is none for others either."""
        if not self._remote.is_alive():
            self._workers.lose(self._present())

    # ---- Runs ----

    def begin(self, *arguments: object, **options: object) -> None:
        """As Core.begin()."""
        self._workers.note_run(self._present())
        self._remote.begin(*arguments, **options)  # type: ignore[arg-type]

    def begin_command(self, command: int, source: bytes, pause_every_ms: int, /) -> None:
        """As Core.begin_command()."""
        self._remote.begin_command(command, source, pause_every_ms)

    def run(self) -> Outcome:
        """As Core.run()."""
        outcome = self._looked_at(self._remote.run())
        audit_outcome(outcome)
        return outcome

    def outcome(self) -> Outcome:
        """As Core.outcome()."""
        return self._looked_at(self._remote.outcome())

    def _looked_at(self, outcome: Outcome) -> Outcome:
        if outcome.status == WORKER_CRASHED:
            self._look_after_crash()
        told = self._remote.changes()
        changes = None if told is None else CopiedChanges(*told)
        stored = self._remote.storage_changes()
        if changes is None is stored:
            return outcome
        # The last of its fields is what has changed, for which a worker has no object here.
        parts = [part for part in (changes, stored) if part is not None]
        joined = parts[0] if len(parts) == 1 else JoinedChanges(*parts)
        return Outcome((*outcome[:-1], joined))

    # ---- State ----

    def _renew(self) -> None:
        """Starts again in another worker."""
        self._look_after_crash()
        self._leave()
        self._connect()

    def reset(self) -> None:
        """As Core.reset(); moves to another worker if this one is gone, or is to go."""
        process = self._present()
        if process.is_retired or process.is_dead or not self._remote.is_alive():
            self._renew()
            return
        try:
            self._remote.reset()
        except WorkerCrashedError:
            self._renew()

    def set_limits(self, limits: tuple[int, ...], /) -> None:
        """As Core.set_limits()."""
        try:
            self._remote.set_limits(limits)
        except WorkerCrashedError:
            self._look_after_crash()  # they count from the next one on
        self._limits = limits

    def fork(self) -> ProcessCore:
        """As Core.fork(), in the same worker."""
        process = self._present()
        remote = self._guard(self._remote.fork)
        made = object.__new__(ProcessCore)
        made._workers = self._workers
        made._tenant = self._tenant
        made._limits = self._limits
        made._recipe = self._recipe
        made._equipment = self._equipment
        with self._workers._lock:
            process.seats += 1
        made._take(process, remote)
        return made

    def checkpoint(self, include_storages: bool, /) -> RemoteCheckpoint:
        """As Core.checkpoint()."""
        while self._forgotten:
            self._remote.forget(self._forgotten.pop())
        name = self._guard(partial(self._remote.checkpoint, include_storages))
        made = RemoteCheckpoint(self._present(), name)
        weakref.finalize(made, self._forgotten.append, made.name).atexit = False
        return made

    def rollback(self, checkpoint: RemoteCheckpoint, /) -> None:
        """As Core.rollback()."""
        if checkpoint.process.is_dead:
            raise WorkerCrashedError(
                "the checkpoint went with the worker process that it was made in"
            )
        if checkpoint.process is not self._process:
            raise ValueError("the checkpoint is of a session in another worker process")
        self._guard(partial(self._remote.rollback, checkpoint.name))

    def save(self, path: str | os.PathLike[str], include_storages: bool, /) -> None:
        """As Core.save(), without storages, which are in this process."""
        if include_storages and self._equipment.mounts:
            raise EryxError(
                "a session in a worker process is saved without its storages: "
                "save them apart (VfsStorage.to_bytes())"
            )
        self._guard(partial(self._remote.save, path))

    def load(self, path: str | os.PathLike[str], /) -> None:
        """As Core.load(); in another worker if this one is gone."""
        if self._remote.is_alive():
            try:
                self._remote.load(path)
                return
            except WorkerCrashedError:
                pass  # nobody had noticed; what there was is replaced in any case
        self._renew()
        self._guard(partial(self._remote.load, path))

    def volume_changes(self, guest_path: str, /) -> CopiedChanges | None:
        """As Core.volume_changes()."""
        told = self._guard(partial(self._remote.volume_changes, guest_path))
        return None if told is None else CopiedChanges(*told)

    def volume_discard(self, guest_path: str, /) -> None:
        """As Core.volume_discard()."""
        self._guard(partial(self._remote.volume_discard, guest_path))

    def freeze(self) -> bytes:
        """Refuses."""
        raise EryxError("a sandbox in a worker process cannot become a factory")

    def _guard(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except WorkerCrashedError:
            self._look_after_crash()
            raise


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
