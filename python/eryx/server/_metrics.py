"""``/metrics`` of the service, where prometheus_client is installed."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from eryx._observing import instrument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from eryx._observing import Instrumentation
    from eryx.server._app import Service

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


class Metrics:
    """Those of one service, and of the process that it is in."""

    def __init__(self, service: Service) -> None:
        """Nothing is counted before `begin`."""
        self._registry = registry = CollectorRegistry()
        self._instrumentation: Instrumentation | None = None
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Duration of requests until their answer begins.",
            ["http_request_method", "http_route", "http_response_status_code"],
            registry=registry,
        )
        for name, text, measure in (
            ("running", "Runs that go on.", lambda: service.admission.running),
            ("waiting", "Runs that wait for room.", lambda: service.admission.waiting),
            ("sessions", "Live sessions of clients.", lambda: service.sessions.live),
            ("stored", "How often a session went to the store.", lambda: service.sessions.stored),
            ("restored", "How often one came back.", lambda: service.sessions.restored),
        ):
            gauge = Gauge(f"eryx_server_{name}", text, registry=registry)
            gauge.set_function(measure)

    def begin(self) -> None:
        """From now on runs are counted, all of the process."""
        self._instrumentation = instrument(prometheus=self._registry)

    def end(self) -> None:
        """They are not counted any more."""
        if self._instrumentation is not None:
            self._instrumentation.close()

    def watch(self, app: Starlette) -> None:
        """Requests of that application are counted."""
        app.add_middleware(_Counting, metrics=self)

    async def answer(self, request: Request) -> Response:
        """All that there is, in the format that is asked for."""
        import asyncio

        encode, kind = choose_encoder(request.headers.get("accept", ""))
        text = await asyncio.to_thread(encode, self._registry)
        return Response(text, headers={"Content-Type": kind})

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """An answer begins."""
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        route = getattr(scope.get("route"), "path", "")
        self._requests.labels(method, route, str(status)).observe(seconds)


class _Counting:
    """Counts requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.count(scope, message["status"], time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, sending)
