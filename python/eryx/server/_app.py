"""The application: its routes, and what is around each request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from contextlib import asynccontextmanager

import pydantic
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from eryx._errors import EryxError, WorkerCrashedError
from eryx._events import Done
from eryx._sandbox import Sandbox
from eryx.server import _mcp, _streams
from eryx.server._errors import (
    ConflictError,
    MalformedError,
    MissingError,
    RequestError,
    TooLargeError,
)
from eryx.server._openapi import description
from eryx.server._places import Places
from eryx.server._quotas import Admission, Holders
from eryx.server._requests import CheckpointRequest, RunRequest, SessionRequest
from eryx.server._routes import by_path
from eryx.server._sessions import Sessions, in_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any, TypeVar

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from eryx._events import Event
    from eryx._result import ExecuteResult
    from eryx.server._e2b import E2b
    from eryx.server._mcp import Endpoint
    from eryx.server._metrics import Metrics
    from eryx.server._quotas import Holder
    from eryx.server._routes import Handler
    from eryx.server._sessions import Entry
    from eryx.server._settings import Settings

    Body = TypeVar("Body", bound=pydantic.BaseModel)

log = logging.getLogger("eryx.server")

_SWEEP_SECONDS = 5.0

# Runs that are over by then are not worth looking whether somebody still waits for them.
_SHORT_SECONDS = 0.05


class Service:
    """What the requests share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.holders = Holders(settings)
        self.places = Places(settings)
        self.sessions = Sessions(settings, self.places)
        self.admission = Admission(settings.max_runs or 1, settings.max_waiting)
        self.started = time.time()
        self.runs: dict[str, int] = {}  # by outcome
        self.e2b: E2b | None = None
        self.mcp: Endpoint | None = None

    def authenticate(self, request: Request) -> None:
        """Finds out who asks. Raises UnauthorizedError."""
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            key = request.headers.get("x-api-key", "")
        request.state.holder = self.holders.of(key.strip() or None)

    async def entry(self, request: Request) -> Entry:
        """The session of the path."""
        return await self.sessions.get(_holder(request), request.path_params["session"])

    async def body(self, request: Request) -> bytes:
        """The body. Raises TooLargeError, whatever the request says of its length."""
        most = self.settings.max_body_bytes
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise TooLargeError("too_large", f"a request has at most {most} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def parsed(self, request: Request, kind: type[Body]) -> Body:
        """The body as what it should be; no body is an empty object. Raises MalformedError."""
        data = await self.body(request)
        try:
            return kind.model_validate_json(data or b"{}")
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "body"
            raise MalformedError("malformed", f"{place}: {first['msg']}") from None

    @asynccontextmanager
    async def begun(self, holder: Holder) -> AsyncIterator[None]:
        """Around a run: quotas and the room for all."""
        self.admission.check_open()
        async with holder.run(), self.admission.run():
            yield

    def count(self, error: EryxError | None) -> None:
        """Takes note of a run that has ended, for those who watch."""
        how = "ok" if error is None else type(error).__name__
        self.runs[how] = self.runs.get(how, 0) + 1

    async def events(
        self, sandbox: Sandbox, asked: RunRequest, holder: Holder, memory_bytes: int | None
    ) -> AsyncIterator[Event]:
        """Runs a program. If nobody takes the events any more, the run is ended."""
        try:
            limits = holder.quota.limits(asked.timeout_ms, memory_bytes)
            run = sandbox.start(asked.code, limits=limits, **asked.options())
        except (TypeError, ValueError) as error:
            raise MalformedError("malformed", str(error)) from None
        async with run:
            try:
                async for event in run:
                    if isinstance(event, Done):
                        self.count(event.error)
                    yield event
            except BaseException:
                # The state of a session stays, if the program lets itself be stopped.
                sandbox.cancel()
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(1):
                        async for _ in run:
                            pass
                raise

    async def result(
        self, sandbox: Sandbox, asked: RunRequest, holder: Holder, memory_bytes: int | None
    ) -> ExecuteResult | EryxError:
        """Runs a program whose output nobody waits for, which is done in half the steps."""
        try:
            limits = holder.quota.limits(asked.timeout_ms, memory_bytes)
            found = await sandbox.execute_async(asked.code, limits=limits, **asked.options())
        except (TypeError, ValueError) as error:
            raise MalformedError("malformed", str(error)) from None
        except EryxError as error:
            self.count(error)
            return error
        self.count(None)
        return found


class Program:
    """A program that a request wants to have run, in a session or in a clean sandbox."""

    def __init__(
        self, service: Service, holder: Holder, asked: RunRequest, entry: Entry | None = None
    ) -> None:
        """entry: the session; None for none."""
        self._service = service
        self._holder = holder
        self._asked = asked
        self._entry = entry
        self._running: Sandbox | None = None

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator[Sandbox]:
        async with self._service.begun(self._holder):
            if self._entry is None:
                self._running = Sandbox(isolation=self._service.places.of(self._holder))
                yield self._running
                return
            async with self._service.sessions.use(self._entry) as entry:
                entry.running = True
                self._running = entry.session
                try:
                    yield entry.session
                finally:
                    entry.running = False

    async def events(self) -> AsyncIterator[Event]:
        """What happens, one by one."""
        async with self._begun() as sandbox:
            async for event in self._service.events(sandbox, *self._options()):
                if isinstance(event, Done) and event.error is not None:
                    await self._look_after(event.error)
                yield event

    async def outcome(self) -> dict[str, Any]:
        """What it left."""
        async with self._begun() as sandbox:
            found = await self._service.result(sandbox, *self._options())
            if isinstance(found, EryxError):
                await self._look_after(found)
                return _streams.failed(found)
            return _streams.succeeded(found)

    def cancel(self) -> bool:
        """Ends the run; the state of a session stays if the program lets itself be stopped.

        Whether it had begun.
        """
        if self._running is not None:
            self._running.cancel()
        return self._running is not None

    def _options(self) -> tuple[RunRequest, Holder, int | None]:
        memory_bytes = None if self._entry is None else self._entry.memory_bytes
        return self._asked, self._holder, memory_bytes

    async def _look_after(self, error: EryxError) -> None:
        """Says what has become of a session whose worker has died."""
        if isinstance(error, WorkerCrashedError) and self._entry is not None:
            error.args = (f"{error}; {await self._service.sessions.recover(self._entry)}",)


# ---- Sessions --------------------------------------------------------------------------------


async def create_session(request: Request) -> Response:
    service = _service(request)
    asked = await service.parsed(request, SessionRequest)
    service.admission.check_open()
    entry = await service.sessions.create(_holder(request), asked.memory_bytes)
    return _created(entry)


async def list_sessions(request: Request) -> Response:
    service = _service(request)
    return JSONResponse({"sessions": await service.sessions.records(_holder(request))})


async def show_session(request: Request) -> Response:
    entry = await _service(request).entry(request)
    return JSONResponse(entry.record())


async def close_session(request: Request) -> Response:
    service = _service(request)
    await service.sessions.close(await service.entry(request))
    return Response(status_code=204)


async def fork_session(request: Request) -> Response:
    service = _service(request)
    service.admission.check_open()
    fork = await service.sessions.fork(await service.entry(request))
    return _created(fork)


async def save_session(request: Request) -> Response:
    service = _service(request)
    size = await service.sessions.save(await service.entry(request))
    return JSONResponse({"bytes": size})


async def reset_session(request: Request) -> Response:
    service = _service(request)
    async with service.sessions.use(await service.entry(request)) as entry:
        await asyncio.to_thread(entry.session.reset)
    return JSONResponse(entry.record())


async def make_checkpoint(request: Request) -> Response:
    service = _service(request)
    asked = await service.parsed(request, CheckpointRequest)
    async with service.sessions.use(await service.entry(request)) as entry:
        await in_state(lambda: service.sessions.checkpoint(entry, asked.name))
    return JSONResponse(entry.record())


async def roll_back(request: Request) -> Response:
    service = _service(request)
    asked = await service.parsed(request, CheckpointRequest)
    async with service.sessions.use(await service.entry(request)) as entry:
        checkpoint = entry.checkpoints.get(asked.name)
        if checkpoint is None:
            raise MissingError("no_checkpoint", f"there is no checkpoint {asked.name!r}")
        await in_state(lambda: entry.session.rollback(checkpoint))
    return JSONResponse(entry.record())


# ---- Runs ------------------------------------------------------------------------------------


async def run_once(request: Request) -> Response:
    service = _service(request)
    asked = await service.parsed(request, RunRequest)
    return await _answer(request, Program(service, _holder(request), asked))


async def run_in_session(request: Request) -> Response:
    service = _service(request)
    asked = await service.parsed(request, RunRequest)
    entry = await service.entry(request)
    return await _answer(request, Program(service, entry.holder, asked, entry))


async def cancel_run(request: Request) -> Response:
    entry = await _service(request).entry(request)
    running = entry.running
    entry.session.cancel()
    return JSONResponse({"cancelled": running})


# ---- Files -----------------------------------------------------------------------------------


async def list_files(request: Request) -> Response:
    service = _service(request)
    path = request.query_params.get("path", "/")
    async with service.sessions.use(await service.entry(request)) as entry:
        found = await _with_files(lambda: sorted(entry.session.files.list(path)), path)
    return JSONResponse({"path": path, "files": found})


async def read_file(request: Request) -> Response:
    service = _service(request)
    path = f"/{request.path_params['path']}"
    async with service.sessions.use(await service.entry(request)) as entry:
        data = await _with_files(lambda: entry.session.files.read_bytes(path), path)
    return Response(data, media_type="application/octet-stream")


async def write_file(request: Request) -> Response:
    service = _service(request)
    path = f"/{request.path_params['path']}"
    data = await service.body(request)
    async with service.sessions.use(await service.entry(request)) as entry:
        await _with_files(lambda: entry.session.files.write_bytes(path, data), path)
    return Response(status_code=204)


async def remove_file(request: Request) -> Response:
    service = _service(request)
    path = f"/{request.path_params['path']}"
    async with service.sessions.use(await service.entry(request)) as entry:
        await _with_files(lambda: entry.session.files.remove(path), path)
    return Response(status_code=204)


# ---- The service itself ----------------------------------------------------------------------


async def healthy(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    closing = _service(request).admission.closing
    return JSONResponse(
        {"status": "closing" if closing else "ok"}, status_code=503 if closing else 200
    )


async def status(request: Request) -> Response:
    service = _service(request)
    return JSONResponse(
        {
            "node": service.settings.node,
            "uptime_seconds": time.time() - service.started,
            "live_sessions": service.sessions.live,
            "stored": service.sessions.stored,
            "restored": service.sessions.restored,
            "crashed": service.sessions.crashed,
            "workers": service.places.count,
            "running": service.admission.running,
            "waiting": service.admission.waiting,
            "runs": service.runs,
        }
    )


async def describe(request: Request) -> Response:
    return JSONResponse(description(_service(request).settings.keys != ()))


# ---- Around them -----------------------------------------------------------------------------


def _service(request: Request) -> Service:
    service: Service = request.app.state.eryx
    return service


def _holder(request: Request) -> Holder:
    holder: Holder = request.state.holder
    return holder


def _created(entry: Entry) -> Response:
    return JSONResponse(
        entry.record(), status_code=201, headers={"Location": f"/v1/sessions/{entry.id}"}
    )


async def _with_files(function: Callable[[], Any], path: str) -> Any:
    try:
        return await asyncio.to_thread(function)
    except FileNotFoundError:
        raise MissingError("no_file", f"there is no file {path!r}") from None
    except (OSError, ValueError) as error:
        raise ConflictError("file", f"{path!r}: {error}") from None
    except WorkerCrashedError:
        raise
    except EryxError as error:
        raise ConflictError("state", str(error)) from None


async def _answer(request: Request, program: Program) -> Response:
    """The run as a stream if that is asked for, else as one object.

    Either way the first event is waited for, so that what is refused has its own status.
    """
    kind = _streams.wanted(request.headers.get("accept", ""))
    if kind is None:
        return JSONResponse(await _outcome(request, program))
    events = program.events()
    first = await anext(events)

    async def pieces() -> AsyncIterator[bytes]:
        try:
            told = _streams.as_event(first)
            if told is not None:
                yield _streams.encoded(kind, told)
            async for event in events:
                told = _streams.as_event(event)
                if told is not None:
                    yield _streams.encoded(kind, told)
        finally:
            await events.aclose()  # type: ignore[attr-defined]

    return StreamingResponse(pieces(), media_type=kind, headers={"Cache-Control": "no-store"})


async def _outcome(request: Request, program: Program) -> dict[str, Any]:
    """How the run ended; a client that goes away ends it, which is looked for after a while."""
    running = asyncio.ensure_future(program.outcome())
    leaving: asyncio.Future[None] | None = None
    try:
        await asyncio.wait([running], timeout=_SHORT_SECONDS)
        if not running.done():
            leaving = asyncio.ensure_future(_gone_away(request))
            await asyncio.wait([running, leaving], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        raise ClientDisconnect
    finally:
        if leaving is not None:
            leaving.cancel()
        if not running.done():
            if program.cancel():
                await asyncio.wait([running], timeout=1)
            running.cancel()
            await asyncio.wait([running])


async def _gone_away(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class RequestIds:
    """Gives each request an id, or leaves it the one it has, and logs how it ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        usable = 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
        identity = given if usable else secrets.token_hex(8)
        began = time.monotonic()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", identity.encode())]
                log.info(
                    "%s %s %s %d %.1f ms",
                    *(identity, scope["method"], scope["path"], message["status"]),
                    (time.monotonic() - began) * 1e3,
                )
            await send(message)

        await self._app(scope, receive, sending)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return JSONResponse(
        {"error": {"code": error.code, "message": error.message}},
        status_code=error.status,
        headers=error.headers,
    )


async def _refused_by_router(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "no_route", 405: "no_method"}.get(error.status_code, "http")
    return JSONResponse(
        {"error": {"code": code, "message": error.detail}},
        status_code=error.status_code,
        headers=error.headers,
    )


async def _failed(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse(
        {"error": {"code": "internal", "message": "the service failed; its log says why"}},
        status_code=500,
    )


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


_SESSION = "/v1/sessions/{session}"
_FILE = "/v1/sessions/{session}/files/{path:path}"

OPEN_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/healthz", healthy),
    ("GET", "/readyz", ready),
    ("GET", "/openapi.json", describe),
]

# Looked through in this order: what is asked for most comes first.
ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", f"{_SESSION}/runs", run_in_session),
    ("POST", "/v1/runs", run_once),
    ("GET", "/v1/status", status),
    ("GET", "/v1/sessions", list_sessions),
    ("POST", "/v1/sessions", create_session),
    ("GET", _SESSION, show_session),
    ("DELETE", _SESSION, close_session),
    ("POST", f"{_SESSION}/cancel", cancel_run),
    ("POST", f"{_SESSION}/fork", fork_session),
    ("POST", f"{_SESSION}/save", save_session),
    ("POST", f"{_SESSION}/reset", reset_session),
    ("POST", f"{_SESSION}/checkpoint", make_checkpoint),
    ("POST", f"{_SESSION}/rollback", roll_back),
    ("GET", f"{_SESSION}/files", list_files),
    ("GET", _FILE, read_file),
    ("PUT", _FILE, write_file),
    ("DELETE", _FILE, remove_file),
]


def _for_holders(handler: Handler) -> Handler:
    """The same for those only who have a key."""

    async def handle(request: Request) -> Response:
        _service(request).authenticate(request)
        return await handler(request)

    return handle


def make_app(settings: Settings) -> Starlette:
    """The application of those settings."""
    service = Service(settings)
    metrics = _metrics_of(service)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.ensure_future(_sweep(service))
        if metrics is not None:
            metrics.begin()
        try:
            yield
        finally:
            if not await service.admission.drain(settings.drain_seconds):
                log.warning("runs go on after %.0f seconds: ended", settings.drain_seconds)
            sweeping.cancel()
            if service.mcp is not None:
                await service.mcp.close()
            await service.sessions.put_all_away()
            if service.e2b is not None:
                await service.e2b.close()
            service.places.close()
            if metrics is not None:
                metrics.end()

    handlers = [
        *((method, path, _for_holders(handler)) for method, path, handler in ROUTES),
        *OPEN_ROUTES,
    ]
    if metrics is not None:
        handlers.append(("GET", "/metrics", _for_holders(metrics.answer)))
    routes = by_path(handlers)
    if settings.e2b:
        from eryx.server._e2b import E2b, e2b_routes

        service.e2b = E2b(service)
        routes += e2b_routes(service, service.e2b)
    if _mcp.is_wanted(settings):
        service.mcp = _mcp.Endpoint(service)
        routes.append(Route(_mcp.PATH, service.mcp))
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={
            RequestError: _refused,
            HTTPException: _refused_by_router,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    if metrics is not None:
        metrics.watch(app)
    app.add_middleware(RequestIds)
    app.state.eryx = service
    return app


def _metrics_of(service: Service) -> Metrics | None:
    """What answers ``/metrics``; None where the package for it is not installed."""
    try:
        from eryx.server._metrics import Metrics
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "prometheus_client":
            raise
        return None
    return Metrics(service)


async def _sweep(service: Service) -> None:
    settings = service.settings
    seconds = min(_SWEEP_SECONDS, settings.idle_seconds / 2, settings.lease_seconds / 3)
    while True:
        await asyncio.sleep(seconds)
        await service.sessions.sweep()
