"""Sandboxes in worker processes, as the rest of the package uses them."""

from __future__ import annotations

import errno
import os
import weakref
from functools import partial

from eryx._audit import audit_outcome
from eryx._errors import EryxError, WorkerCrashedError
from eryx._eryx import WORKER_CRASHED, Changes, Outcome, RemoteCore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eryx._engine import Recipe
    from eryx._network import CoreNetwork
    from eryx._processes import Native, Process, WorkerPool
    from eryx._secrets import CoreSecrets
    from eryx._storage import CoreMounts, CoreVolumes


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

    __slots__ = (
        "deterministic",
        "mounts",
        "native",
        "network",
        "providers",
        "secrets",
        "volumes",
    )

    def __init__(
        self,
        mounts: CoreMounts = (),
        volumes: CoreVolumes = (),
        providers: tuple[tuple[str, bool, int], ...] = (),
        native: Native = (),
        network: CoreNetwork | None = None,
        secrets: CoreSecrets | None = None,
        deterministic: tuple[int, int, int] | None = None,
    ) -> None:
        """As for Core; native: the modules that its worker has."""
        self.mounts = mounts
        self.volumes = volumes
        self.providers = providers
        self.native = native
        self.network = network
        self.secrets = secrets
        self.deterministic = deterministic


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
            has.deterministic,
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

    def fix_hash_seed(self) -> bool:
        """As Core.fix_hash_seed()."""
        return self._remote.fix_hash_seed()

    def set_limits(self, limits: tuple[int, ...], /) -> None:
        """As Core.set_limits()."""
        try:
            self._remote.set_limits(limits)
        except WorkerCrashedError:
            self._look_after_crash()  # they count from the next one on
        self._limits = limits

    def advance_clock(self, nanoseconds: int, /) -> None:
        """As Core.advance_clock()."""
        self._guard(partial(self._remote.advance_clock, nanoseconds))

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
