"""Spans and metrics for OpenTelemetry."""

from __future__ import annotations

import time
from contextlib import contextmanager

from eryx._observing._instruments import INSTRUMENTS
from eryx._observing._measures import MEASURED
from eryx._observing._observer import Activity, Ended, Observer, type_name

try:
    from opentelemetry import context, metrics, trace
    from opentelemetry.metrics import Observation
    from opentelemetry.trace import SpanKind, StatusCode
except ModuleNotFoundError:
    from eryx._observing._missing import missing

    raise missing("opentelemetry-api", "otel") from None

from eryx import _eryx
from eryx._observing._hooks import connection_outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from opentelemetry.metrics import CallbackOptions, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from eryx._network import Connection
    from eryx._observing._instruments import Instrument
    from eryx._observing._observer import Labels

# Spans of connections that one run may have.
_MOST_CONNECTIONS = 128
_MOST_CHARACTERS = 253  # of a name that a program has chosen: the longest of a host


def open_telemetry(
    tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
) -> tuple[object, Callable[[], Observer]]:
    """What stands for the providers, and what makes their observer."""
    target = ("otel", id(tracer_provider), id(meter_provider))
    return target, lambda: TelemetryObserver(tracer_provider, meter_provider)


class TelemetryObserver(Observer):
    """Tells one pair of providers."""

    def __init__(
        self, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
    ) -> None:
        """None: those of the process, also if they are set later."""
        version = _eryx.VERSION
        self._tracer = trace.get_tracer("eryx", version, tracer_provider=tracer_provider)
        meter = metrics.get_meter("eryx", version, meter_provider=meter_provider)
        self._is_open = True
        self._made: dict[str, Any] = {}
        for each in INSTRUMENTS:
            told = {"unit": each.unit, "description": each.description}
            if each.kind == "histogram":
                self._made[each.name] = meter.create_histogram(
                    each.name, **told, explicit_bucket_boundaries_advisory=each.buckets
                )
            elif each.kind == "counter":
                self._made[each.name] = meter.create_counter(each.name, **told)
            elif each.kind == "up_down":
                self._made[each.name] = meter.create_up_down_counter(each.name, **told)
            else:
                meter.create_observable_up_down_counter(
                    each.name, callbacks=[self._measuring(each)], **told
                )

    def _measuring(self, each: Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def measure(options: CallbackOptions) -> Iterable[Observation]:
            if self._is_open:
                for labels, value in MEASURED[each.name]():
                    yield Observation(value, labels)

        return measure

    def begin(self, what: str, attributes: dict[str, Any]) -> Activity:
        """A span."""
        if what == "callback":
            name = attributes["name"]
            return _SpanActivity(
                self._tracer, f"eryx.callback {name}", {"eryx.callback.name": name}
            )
        return _SpanActivity(self._tracer, f"eryx.{what}", attributes)

    def add(self, name: str, value: float, labels: Labels) -> None:
        """A counter, also one that goes down."""
        self._made[name].add(value, _present(labels))

    def record(self, name: str, value: float, labels: Labels) -> None:
        """One value of a histogram."""
        self._made[name].record(value, _present(labels))

    def close(self) -> None:
        """Instruments cannot be taken back, but they measure nothing any more."""
        self._is_open = False


def _present(labels: Labels) -> Labels:
    """Without those that are empty, which Prometheus cannot leave out."""
    return {name: value for name, value in labels.items() if value}


class _SpanActivity(Activity):
    __slots__ = ("_span", "_tracer")

    def __init__(self, tracer: Tracer, name: str, attributes: dict[str, Any]) -> None:
        self._tracer = tracer
        self._span = tracer.start_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        )

    @contextmanager
    def current(self) -> Iterator[None]:
        """The span is the current one."""
        token = context.attach(trace.set_span_in_context(self._span))
        try:
            yield
        finally:
            # A coroutine that is closed from outside ends in another context.
            if trace.get_current_span() is self._span:
                context.detach(token)

    def end(self, error: BaseException | None) -> None:
        """Ends the span, with the type of the exception and without its text."""
        if error is not None:
            _set_error(self._span, type_name(error))
        self._span.end()

    def end_run(self, ended: Ended) -> None:
        """Adds what is known of the run now: what it waited for, and its connections."""
        span, end_ns = self._span, time.time_ns()
        if span.is_recording():
            span.set_attributes(_attributes_of(ended))
            if ended.error is not None:
                _set_error(span, ended.error_type)
            if ended.left is not None:
                began_ns = end_ns - int(ended.left.duration_ms * 1e6)
                self._add_children(ended, began_ns)
        span.end(end_ns)

    def _add_children(self, ended: Ended, began_ns: int) -> None:
        inside = trace.set_span_in_context(self._span)
        if ended.queued_ms:
            queued_ns = int(ended.queued_ms * 1e6)
            waiting = self._tracer.start_span("eryx.queue", inside, start_time=began_ns - queued_ns)
            waiting.end(began_ns)
        for connection in ended.connections[:_MOST_CONNECTIONS]:
            start_ns = began_ns + int(connection.started_ms * 1e6)
            child = self._tracer.start_span(
                "eryx.connection",
                inside,
                kind=SpanKind.CLIENT,
                attributes=_of_connection(connection),
                start_time=start_ns,
            )
            outcome = connection_outcome(connection)
            if outcome != "connected" or connection.secret_refused is not None:
                _set_error(child, "refused" if outcome == "connected" else outcome)
            child.end(start_ns + int(connection.duration_ms * 1e6))


def _set_error(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, kind)


def _attributes_of(ended: Ended) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue] = {"eryx.run.outcome": ended.outcome}
    left = ended.left
    if left is not None:
        told["eryx.run.memory.peak"] = left.peak_memory_bytes
        told["eryx.run.callbacks"] = left.callback_invocations
        told["eryx.run.connections"] = left.connections_total
        if left.fuel_consumed is not None:
            told["eryx.run.fuel"] = left.fuel_consumed
    kind = getattr(ended.error, "exc_type", "")
    if kind:
        told["eryx.exception.type"] = kind[:_MOST_CHARACTERS]
    return told


def _of_connection(connection: Connection) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue] = {
        "server.address": connection.host[:_MOST_CHARACTERS],
        "network.transport": "tcp",
        "eryx.connection.outcome": connection_outcome(connection),
        "eryx.connection.tls": connection.tls,
        "eryx.connection.received": connection.bytes_in,
        "eryx.connection.sent": connection.bytes_out,
    }
    if connection.port:
        told["server.port"] = connection.port
    if connection.address:
        told["network.peer.address"] = connection.address
        told["network.peer.port"] = connection.port
    if connection.secrets:
        told["eryx.secret.names"] = connection.secrets
    return told
