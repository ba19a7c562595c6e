"""The metrics, as both OpenTelemetry and Prometheus get them.

Labels are out of few values, whatever programs do: names that programs choose are in none.
"""

from __future__ import annotations

from typing import NamedTuple

_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
_BYTES = tuple(float(n << 20) for n in (16, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 2048, 4096))


class Instrument(NamedTuple):
    """One metric. labels: their names in order."""

    name: str
    kind: str  # histogram, counter, up_down, measured
    unit: str  # as UCUM has it
    description: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _SECONDS


_SANDBOX = ("eryx.sandbox.kind", "eryx.sandbox.isolation")

INSTRUMENTS = (
    Instrument(
        "eryx.run.duration",
        "histogram",
        "s",
        "Duration of runs, without their wait for a thread.",
        (*_SANDBOX, "eryx.run.outcome", "error.type"),
    ),
    Instrument("eryx.run.queue.duration", "histogram", "s", "Waits of runs for their first slice."),
    Instrument("eryx.run.active", "up_down", "{run}", "Runs that go on.", _SANDBOX),
    Instrument("eryx.run.fuel", "counter", "{fuel}", "Work of the runs that are metered."),
    Instrument(
        "eryx.run.memory.peak",
        "histogram",
        "By",
        "Most memory that a guest had in a run.",
        buckets=_BYTES,
    ),
    Instrument(
        "eryx.callback.duration",
        "histogram",
        "s",
        "Duration of callbacks.",
        ("eryx.callback.name", "error.type"),
    ),
    Instrument("eryx.callback.refused", "counter", "{call}", "Calls that were refused."),
    Instrument(
        "eryx.connection.duration",
        "histogram",
        "s",
        "Duration of connections, from the connect to the close.",
        ("eryx.connection.outcome",),
    ),
    Instrument(
        "eryx.connection.io",
        "counter",
        "By",
        "Bytes of connections, as they were on the wire.",
        ("network.io.direction",),
    ),
    Instrument(
        "eryx.secret.requests",
        "counter",
        "{request}",
        "Connections on which a secret was sent, or a request refused because of one.",
        ("eryx.secret.outcome",),
    ),
    Instrument(
        "eryx.pool.wait.duration",
        "histogram",
        "s",
        "Waits for a sandbox of a pool that had none left.",
        ("error.type",),
    ),
    Instrument(
        "eryx.worker.start.duration",
        "histogram",
        "s",
        "Starts of worker processes.",
        ("error.type",),
    ),
    Instrument("eryx.sandbox.live", "measured", "{sandbox}", "Sandboxes that there are.", _SANDBOX),
    Instrument(
        "eryx.pool.sandboxes",
        "measured",
        "{sandbox}",
        "Sandboxes of all pools.",
        ("eryx.pool.state",),
    ),
    Instrument("eryx.pool.waiting", "measured", "{request}", "Who waits for one of them."),
    Instrument("eryx.worker.live", "measured", "{process}", "Worker processes that there are."),
    Instrument(
        "eryx.memory.usage",
        "measured",
        "By",
        "Memory that eryx holds, as eryx.memory() has it.",
        ("eryx.memory.state",),
    ),
)
