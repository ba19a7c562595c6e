"""Runs programs on a cluster of Ray.

>>> import ray
>>> _ = ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
>>> with Pool() as pool:
...     [answer.result().value for answer in pool.map(["1 + 1", "2 + 2"])]
[2, 4]
>>> ray.shutdown()
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future
from os import PathLike
from typing import Any, Unpack

from eryx import ExecuteResult, SandboxFactory
from eryx._option_types import SandboxOptions, SessionOptions
from eryx.ext import _shared
from eryx.ext._cluster import _pool
from eryx.ext._cluster._default import Default
from eryx.ext._cluster._dispatcher import ClusterStats
from eryx.ext._cluster._engine import Spot
from eryx.ext._cluster._host import Host
from eryx.ext._cluster._pool import Answer, Program, Progress
from eryx.ext._cluster._session import RemoteSession, Restored, SessionRestoredWarning

try:
    import ray
    from ray import cloudpickle
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as error:
    raise _shared.missing("ray", "ray", error) from error

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


class _Engine:
    """Actors of Ray, one for each processor."""

    name = "Ray"

    def __init__(self, options: dict[str, Any]) -> None:
        """options: of the actors. Raises RuntimeError if Ray was not initialized."""
        if not ray.is_initialized():
            raise RuntimeError("Ray is not there yet: call ray.init() first")
        self._options = {"num_cpus": 1, **options}
        self._actor = ray.remote(Host)

    @property
    def identity(self) -> Hashable:
        job: str = ray.get_runtime_context().get_job_id()
        return job

    def spots(self) -> list[Spot]:
        found: list[tuple[int, str]] = []
        for node in ray.nodes():
            if node["Alive"]:
                count = int(node["Resources"].get("CPU", 0) / (self._options["num_cpus"] or 1))
                found += [(number, node["NodeID"]) for number in range(count)]
        return [Spot(f"{node}/{number}", node, 1) for number, node in sorted(found)]

    def start(self, spot: Spot) -> Future[Any]:
        started: Future[Any] = Future()
        started.set_result(
            self._actor.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(spot.node, soft=False),
                max_restarts=0,
                max_task_retries=0,
                **self._options,
            ).remote(spot.slots)
        )
        return started

    def call(self, host: Any, method: str, *arguments: Any) -> Future[Any]:
        future: Future[Any] = getattr(host, method).remote(*arguments).future()
        return future

    def put(self, data: bytes, away_from: Spot | None = None) -> Any:
        return ray.put(data)  # into the store of the driver's node, whose end is that of all

    def deliver(self, host: Any, name: str, reference: Any) -> Future[Any]:
        return self.call(host, "deliver", name, reference)

    def stop(self, host: Any) -> None:
        ray.kill(host)

    def dumps(self, value: object) -> bytes:
        data: bytes = cloudpickle.dumps(value)
        return data


class Pool(_pool.Pool):
    """Sandboxes in actors of Ray, one actor for each processor of the cluster.

    Each holds a processor (``num_cpus=1``) until the pool is closed.
    """

    def __init__(
        self,
        *,
        max_hosts: int | None = None,
        max_queued: int = 10_000,
        patience_seconds: float = 60.0,
        **actor_options: Any,
    ) -> None:
        """Starts the actors. `ray.init` has to be called before.

        max_hosts: how many actors at most; None for as many as there are processors.
        max_queued: how many programs of `submit` may be unanswered; `submit` waits beyond that.
        patience_seconds: how long to wait for a cluster that has no place for an actor.
        actor_options: what ``options`` of an actor's class takes, such as ``memory``.
        """
        super().__init__(
            _Engine(actor_options),
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
    """As `Pool.map`, of a pool that is kept until `ray.shutdown`."""
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
