"""Metrics for prometheus_client, by the names that OpenTelemetry's would have there."""

from __future__ import annotations

from eryx._observing._instruments import INSTRUMENTS, Instrument
from eryx._observing._measures import MEASURED
from eryx._observing._observer import Observer

try:
    import prometheus_client
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector
except ModuleNotFoundError:
    from eryx._observing._missing import missing

    raise missing("prometheus_client", "prometheus") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from eryx._observing._observer import Labels

_UNITS = {"s": "seconds", "By": "bytes"}


def open_prometheus(
    registry: CollectorRegistry | Literal[True],
) -> tuple[object, Callable[[], Observer]]:
    """What stands for the registry, and what makes its observer."""
    if registry is True:
        registry = prometheus_client.REGISTRY
    elif not isinstance(registry, prometheus_client.CollectorRegistry):
        wrong = type(registry).__name__
        raise TypeError(f"prometheus must be a CollectorRegistry, True or None, not {wrong}")
    return ("prometheus", id(registry)), lambda: PrometheusObserver(registry)


def metric_name(instrument: Instrument) -> str:
    """Its name without what prometheus_client puts behind it."""
    name = label_name(instrument.name)
    unit = _UNITS.get(instrument.unit)
    return name if unit is None or name.endswith(f"_{unit}") else f"{name}_{unit}"


def label_name(name: str) -> str:
    """The name of an attribute as that of a label."""
    return name.replace(".", "_")


class _Measured(Collector):
    """What is measured when somebody asks."""

    def collect(self) -> Iterator[Metric]:
        """The families."""
        for instrument in INSTRUMENTS:
            if instrument.kind == "measured":
                labels = [label_name(label) for label in instrument.labels]
                family = GaugeMetricFamily(
                    metric_name(instrument), instrument.description, labels=labels
                )
                for found, value in MEASURED[instrument.name]():
                    family.add_metric([found[label] for label in instrument.labels], value)
                yield family


class PrometheusObserver(Observer):
    """Tells one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Raises ValueError if there are metrics with those names already."""
        self._registry = registry
        self._made: dict[str, Any] = {}
        self._labels = {each.name: each.labels for each in INSTRUMENTS}
        self._measured = _Measured()
        try:
            for each in INSTRUMENTS:
                if each.kind != "measured":
                    self._made[each.name] = self._make(each)
            registry.register(self._measured)
        except BaseException:
            self.close()
            raise

    def _make(self, each: Instrument) -> Any:
        name, labels = metric_name(each), [label_name(label) for label in each.labels]
        if each.kind == "histogram":
            return prometheus_client.Histogram(
                name, each.description, labels, buckets=each.buckets, registry=self._registry
            )
        kind = prometheus_client.Counter if each.kind == "counter" else prometheus_client.Gauge
        return kind(name, each.description, labels, registry=self._registry)

    def _child(self, name: str, labels: Labels) -> Any:
        names = self._labels[name]
        made = self._made[name]
        return made.labels(*[labels.get(label, "") for label in names]) if names else made

    def add(self, name: str, value: float, labels: Labels) -> None:
        """A counter, or a gauge that goes up and down."""
        self._child(name, labels).inc(value)

    def record(self, name: str, value: float, labels: Labels) -> None:
        """One value of a histogram."""
        self._child(name, labels).observe(value)

    def close(self) -> None:
        """The registry forgets the metrics."""
        for each in (*self._made.values(), self._measured):
            try:
                self._registry.unregister(each)
            except KeyError:
                pass  # it was not registered yet
