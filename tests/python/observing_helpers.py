"""What the tests of spans and metrics share: receivers of both."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import eryx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

# A program that reads the document whose address is given.
FETCH = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1]).read())
"""


class Told:
    """Everything that OpenTelemetry is told, in memory; instruments eryx for a ``with``."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader])
        self.tracer = self.tracer_provider.get_tracer("tests")

    def __enter__(self) -> Self:
        self.handle = eryx.instrument(
            tracer_provider=self.tracer_provider, meter_provider=self.meter_provider
        )
        return self

    def __exit__(self, *error: object) -> None:
        self.handle.close()

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """Those that have ended, in the order of their ends."""
        found = self._exporter.get_finished_spans()
        return [span for span in found if name is None or span.name == name]

    def span(self, name: str) -> ReadableSpan:
        """The only one of that name."""
        [found] = self.spans(name)
        return found

    def children(self, parent: ReadableSpan) -> list[str]:
        """The names of those right below a span."""
        return [
            span.name
            for span in self.spans()
            if span.parent is not None and span.parent.span_id == parent.context.span_id
        ]

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        data = self._reader.get_metrics_data()
        if data is None:
            return []
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def value(self, metric: str, **labels: str) -> float:
        """The sum of a metric over what has those labels; of a histogram the number of values."""
        wanted = {label.replace("__", "."): text for label, text in labels.items()}
        values: list[float] = [
            point.count if hasattr(point, "count") else point.value
            for point in self.points(metric)
            if wanted.items() <= dict(point.attributes).items()
        ]
        return sum(values)

    def everything(self) -> str:
        """All of it as text."""
        data = self._reader.get_metrics_data()
        metrics = "" if data is None else data.to_json()
        return metrics + "".join(span.to_json() for span in self.spans())


class OtlpReceiver:
    """Takes OTLP over HTTP as a collector does, and keeps what it gets."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.bodies: list[bytes] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(body)
                if self.path == "/v1/traces":
                    receiver.traces.append(ExportTraceServiceRequest.FromString(body))
                elif self.path == "/v1/metrics":
                    receiver.metrics.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing is printed."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def instrumented(self) -> Iterator[None]:
        """Tells it of all runs, by the SDK's own exporters."""
        tracers = TracerProvider()
        exporter = OTLPSpanExporter(endpoint=f"{self.url}/v1/traces")
        tracers.add_span_processor(BatchSpanProcessor(exporter))
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(endpoint=f"{self.url}/v1/metrics"), 3_600_000
        )
        meters = MeterProvider([reader])
        with eryx.instrument(tracer_provider=tracers, meter_provider=meters):
            yield
            meters.force_flush()
            tracers.force_flush()
        meters.shutdown()
        tracers.shutdown()

    def spans(self) -> list[Any]:
        """All spans, as they came."""
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metric_names(self) -> set[str]:
        """The names of all metrics."""
        return {
            metric.name
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }
