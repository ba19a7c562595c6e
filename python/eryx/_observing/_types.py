"""Types of packages that may not be there, for those who ask what `instrument` takes."""

from __future__ import annotations

from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider as MeterProvider
    from opentelemetry.trace import TracerProvider as TracerProvider
    from prometheus_client import CollectorRegistry as CollectorRegistry
else:

    def _of(module: str, name: str) -> Any:
        from importlib import import_module

        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError:
            return Any

    MeterProvider = _of("opentelemetry.metrics", "MeterProvider")
    TracerProvider = _of("opentelemetry.trace", "TracerProvider")
    CollectorRegistry = _of("prometheus_client", "CollectorRegistry")
