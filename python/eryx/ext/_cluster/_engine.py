"""What the two engines differ in."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol


class Spot(NamedTuple):
    """A place in the cluster where one host may be."""

    name: str
    node: str
    slots: int
    """How many programs compute there at the same time."""


class Engine(Protocol):
    """Starts actors, sends them messages, keeps bytes. Threads may share one.

    A future that has an exception says that the actor is gone: hosts answer with bytes, in which
    their own exceptions are.
    """

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def identity(self) -> Hashable:
        """Changes when the engine is connected to anew."""

    def spots(self) -> list[Spot]:
        """Where hosts may be now. Raises an exception of the engine if it cannot be asked."""

    def start(self, spot: Spot) -> Future[Any]:
        """Starts a host; gives it for `call`."""

    def call(self, host: Any, method: str, *arguments: Any) -> Future[Any]:
        """Calls a method of `Host`; it is never called twice."""

    def put(self, data: bytes, away_from: Spot | None = None) -> Any:
        """Keeps bytes in the object store for as long as what it gives is referred to.

        away_from: should not be the only place that has them.
        """

    def deliver(self, host: Any, name: str, reference: Any) -> Future[Any]:
        """Brings what was put to the process of a host, by way of `_host.deliver`."""

    def stop(self, host: Any) -> None:
        """Ends a host, as far as it is there."""

    def dumps(self, value: object) -> bytes:
        """Bytes of anything, functions too, that pickle reads in the processes of the engine."""
