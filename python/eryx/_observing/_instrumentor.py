"""For the command ``opentelemetry-instrument``, which finds it by its entry point."""

from __future__ import annotations

from eryx._observing import instrument, uninstrument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


class EryxInstrumentor:
    """What that command calls; its base class would need one more package."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Packages that have to be there besides: none."""
        return ()

    def instrument(self, **options: Any) -> None:
        """Begins; of the options the providers count."""
        instrument(
            tracer_provider=options.get("tracer_provider"),
            meter_provider=options.get("meter_provider"),
        )

    def uninstrument(self, **options: Any) -> None:
        """Ends it."""
        uninstrument()
