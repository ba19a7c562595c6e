"""Runs programs on a cluster of Dask.

>>> from distributed import Client, LocalCluster
>>> cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)
>>> client = Client(cluster)
>>> with Pool() as pool:
...     [answer.result().value for answer in pool.map(["1 + 1", "2 + 2"])]
[2, 4]
>>> client.close()
>>> cluster.close()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future
from os import PathLike
from typing import Any, NamedTuple, Unpack

from eryx import ExecuteResult, SandboxFactory
from eryx._option_types import SandboxOptions, SessionOptions
from eryx.ext import _shared
from eryx.ext._cluster import _host, _pool
from eryx.ext._cluster._default import Default
from eryx.ext._cluster._dispatcher import ClusterStats
from eryx.ext._cluster._engine import Spot
from eryx.ext._cluster._host import Host
from eryx.ext._cluster._pool import Answer, Program, Progress
from eryx.ext._cluster._session import RemoteSession, Restored, SessionRestoredWarning

try:
    import cloudpickle
    from distributed import Client, default_client
except ImportError as error:
    raise _shared.missing("dask", "dask", error) from error

__all__ = [
    "Answer",
    "ClusterStats",
    "Pool",
    "Program",
    "Progress",
    "RemoteSession",
    "Restored",
    "SessionRestoredWarning",
    "map",
    "session",
    "submit",
]

# One that is paused is there: what runs on it is not to be given up.
_ENDING = ("closed", "closing", "closing_gracefully", "failed")

_COPIES = 2  # of what is put into the memory of workers


class _Actor(NamedTuple):
    """A host: the actor, and the future that keeps it."""

    actor: Any
    future: Any
    worker: str


class _Engine:
    """Actors of Dask, one in each worker process."""

    name = "Dask"

    def __init__(self, client: Client | None) -> None:
        """client: None for the one that was made last. Raises ValueError if there is none."""
        self._client = default_client() if client is None else client

    @property
    def identity(self) -> Hashable:
        return self._client.id, self._client.status == "closed"

    def spots(self) -> list[Spot]:
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return [
            Spot(address, address, worker["nthreads"])
            for address, worker in workers.items()
            if worker.get("status") not in _ENDING
        ]

    def start(self, spot: Spot) -> Future[Any]:
        future = self._client.submit(
            Host,
            spot.slots,
            actor=True,
            workers=[spot.name],
            allow_other_workers=False,
            pure=False,
        )

        async def start() -> _Actor:
            return _Actor(await future, future, spot.name)

        return self._on_loop(start)

    def call(self, host: _Actor, method: str, *arguments: Any) -> Future[Any]:
        async def call() -> Any:
            return await getattr(host.actor, method)(*arguments)

        return self._on_loop(call)

    def put(self, data: bytes, away_from: Spot | None = None) -> Any:
        others = [spot.name for spot in self.spots() if spot != away_from]
        copies = min(len(others), _COPIES)
        if copies == 0:
            return data  # nobody else could keep it
        return self._client.scatter(
            data, workers=others[-copies:], broadcast=copies, hash=False, direct=None
        )

    def deliver(self, host: _Actor, name: str, reference: Any) -> Future[Any]:
        if isinstance(reference, bytes):
            return self.call(host, "deliver", name, reference)
        future = self._client.submit(
            _host.deliver,
            name,
            reference,
            workers=[host.worker],
            allow_other_workers=False,
            pure=False,
            priority=10,
        )

        async def deliver() -> None:
            await future

        return self._on_loop(deliver)

    def stop(self, host: _Actor) -> None:
        async def cancel() -> None:
            with contextlib.suppress(RuntimeError):  # it is known to be gone
                host.actor.end()  # it may be alive, and would go on with what it was sent
            await self._client.cancel([host.future], asynchronous=True, force=True)

        self._on_loop(cancel)

    def dumps(self, value: object) -> bytes:
        data: bytes = cloudpickle.dumps(value)
        return data

    def _on_loop(self, function: Callable[[], Any]) -> Future[Any]:
        loop = self._client.loop.asyncio_loop
        return asyncio.run_coroutine_threadsafe(function(), loop)


class Pool(_pool.Pool):
    """Sandboxes in actors of Dask, one actor in each worker process of the cluster.

    As many programs compute in each as the worker has threads. They are run outside of these, and
    the scheduler does not count them: give the cluster nothing else to do meanwhile.
    """

    def __init__(
        self,
        client: Client | None = None,
        *,
        max_hosts: int | None = None,
        max_queued: int = 10_000,
        patience_seconds: float = 60.0,
    ) -> None:
        """Starts the actors.

        client: None for the one that was made last.
        max_hosts: how many actors at most; None for one in each worker.
        max_queued: how many programs of `submit` may be unanswered; `submit` waits beyond that.
        patience_seconds: how long to wait for a cluster that has no workers.
        """
        super().__init__(
            _Engine(client),
            max_hosts=max_hosts,
            max_queued=max_queued,
            patience_seconds=patience_seconds,
        )


_default = Default(lambda: Pool())


def map(  # noqa: A001  (the name users expect)
    programs: Iterable[Program],
    *,
    factory: SandboxFactory | None = None,
    ordered: bool = True,
    retries: int = 2,
    max_in_flight: int | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    ledger: str | PathLike[str] | None = None,
    **options: Unpack[SandboxOptions],
) -> Iterator[Answer]:
    """As `Pool.map`, of a pool that is kept for the client that was made last."""
    return _default.pool().map(
        programs,
        factory=factory,
        ordered=ordered,
        retries=retries,
        max_in_flight=max_in_flight,
        on_progress=on_progress,
        ledger=ledger,
        **options,
    )


def submit(
    program: Program,
    *,
    factory: SandboxFactory | None = None,
    retries: int = 2,
    **options: Unpack[SandboxOptions],
) -> Future[ExecuteResult]:
    """As `Pool.submit`, of the same pool."""
    return _default.pool().submit(program, factory=factory, retries=retries, **options)


def session(
    *,
    factory: SandboxFactory | None = None,
    save_every: int = 1,
    **options: Unpack[SessionOptions],
) -> RemoteSession:
    """As `Pool.session`, of the same pool."""
    return _default.pool().session(factory=factory, save_every=save_every, **options)
