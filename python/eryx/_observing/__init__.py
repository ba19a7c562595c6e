"""Spans and metrics of what eryx does, for OpenTelemetry and for Prometheus."""

from __future__ import annotations

import threading

from eryx._annotations import late_annotations
from eryx._copying import Closable
from eryx._errors import EryxError
from eryx._observing import _hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from eryx._observing._observer import Observer
    from eryx._observing._types import CollectorRegistry, MeterProvider, TracerProvider

_lock = threading.RLock()
_all: list[Instrumentation] = []


class Instrumentation(Closable):
    """Stands for what `instrument` has begun; its end is `close`, or that of a ``with``."""

    __module__ = "eryx"
    __slots__ = ("_targets",)
    _why = "it stands for what is told of this process"
    _instead = "call instrument() again"

    def __init__(self, targets: dict[object, Observer]) -> None:
        """Made by `instrument`."""
        self._targets = targets

    def close(self) -> None:
        """Nothing is told any more; what was told stays. Doing it twice does no harm."""
        with _lock:
            if self in _all:
                _all.remove(self)
                for observer in self._targets.values():
                    _hooks.remove(observer)
                    observer.close()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called, or `uninstrument`."""
        return self not in _all

    def __repr__(self) -> str:
        """Whether it goes on."""
        return f"<Instrumentation{', closed' if self.is_closed else ''}>"


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    prometheus: CollectorRegistry | Literal[True] | None = None,
) -> Instrumentation:
    """Begins to tell OpenTelemetry or Prometheus what eryx does in this process.

    tracer_provider, meter_provider: of OpenTelemetry; None for those of the process.
    prometheus: a registry of prometheus_client, True for its ``REGISTRY``. If nothing else is given
        it is the only one that is told.

    Each run is a span, with the waits, callbacks and connections of the run as its children; what a
    callback does has the context of its span. No span and no metric has a program, what it wrote,
    or the value of a secret. See docs/observing.md for all names.

    Takes ``pip install 'eryx-sandbox[otel]'`` or ``'eryx-sandbox[prometheus]'``.

    Raises EryxError if the package is missing, or if the same is told already.

    >>> import eryx
    >>> from prometheus_client import CollectorRegistry
    >>> registry = CollectorRegistry()
    >>> labels = {"eryx_sandbox_kind": "sandbox", "eryx_sandbox_isolation": "none"}
    >>> labels |= {"eryx_run_outcome": "ok", "error_type": ""}
    >>> with eryx.instrument(prometheus=registry):
    ...     _ = eryx.Sandbox().execute("print('hello')")
    ...     registry.get_sample_value("eryx_run_duration_seconds_count", labels)
    1.0
    """
    with _lock:
        targets: dict[object, Observer] = {}
        if prometheus is None or tracer_provider is not None or meter_provider is not None:
            from eryx._observing._otel import open_telemetry

            target, make = open_telemetry(tracer_provider, meter_provider)
            _check(target)
            targets[target] = make()
        if prometheus is not None:
            from eryx._observing._prometheus import open_prometheus

            target, make = open_prometheus(prometheus)
            _check(target)
            targets[target] = make()
        made = Instrumentation(targets)
        for observer in targets.values():
            _hooks.add(observer)
        _all.append(made)
        return made


def _check(target: object) -> None:
    if any(target in each._targets for each in _all):
        raise EryxError(
            "eryx is instrumented for that already: close what instrument() gave, or call "
            "eryx.uninstrument(), first"
        )


def uninstrument() -> None:
    """Ends all that `instrument` has begun; does nothing if that is nothing."""
    with _lock:
        for each in tuple(_all):
            each.close()


instrument.__module__ = uninstrument.__module__ = "eryx"
late_annotations(globals(), Instrumentation, instrument, uninstrument)
