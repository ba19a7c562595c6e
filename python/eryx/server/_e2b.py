"""The protocol of the ``e2b`` and ``e2b-code-interpreter`` clients, as far as a sandbox has it.

A sandbox of theirs is a set of contexts, each of which is a session, with one home folder for all.
There are three services, told apart by their paths, so all may be on one port: the control plane
(``/sandboxes``), files (``/files`` and ``/filesystem.Filesystem/``), and code (``/execute``,
``/contexts``). Processes, which a sandbox of eryx has not, are refused with a sentence.

In their debug mode clients neither create nor kill anything: they all use one sandbox,
``debug_sandbox_id``, which is made when it is first asked for, if the service has no keys.
"""

from __future__ import annotations

import asyncio
import json
import posixpath
import secrets
import time
from contextlib import suppress

import pydantic
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from eryx._errors import EryxError, WorkerCrashedError
from eryx._events import Done, Output
from eryx._session import Session
from eryx._storage import VfsStorage
from eryx.server._errors import RequestError, TooManyError
from eryx.server._requests import RunRequest
from eryx.server._routes import by_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

    from starlette.routing import Route

    from eryx._events import Event
    from eryx._processes import Tenant
    from eryx._result import ExecuteResult
    from eryx.server._app import Service
    from eryx.server._quotas import Holder

HOME = "/home/user"
_DEBUG = "debug_sandbox_id"
_VERSION = "0.5.7"  # of the file service that this one is like
_DEFAULT_SECONDS = 300
_MOST_CONTEXTS = 16

# What Result of the client calls the kinds of data of Jupyter.
_FORMATS = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
}


class _Error(Exception):
    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or {404: "not_found", 401: "unauthenticated"}.get(status, "internal")


class _Context:
    def __init__(self, identity: str, cwd: str, make: Callable[[str], Session]) -> None:
        """make: makes its session, for a folder to begin in."""
        self.id = identity
        self.cwd = cwd
        self._make = make
        self.session = make(cwd)
        self.lock = asyncio.Lock()

    def restart(self) -> None:
        """Begins with a new interpreter; under the lock."""
        self.session.close()
        self.session = self._make(self.cwd)

    def told(self) -> dict[str, str]:
        return {"id": self.id, "language": "python", "cwd": self.cwd}


class _Sandbox:
    """One sandbox of the client."""

    def __init__(self, identity: str, holder: Holder, asked: _New, place: Tenant | None) -> None:
        """place: where its sessions run."""
        self.id = identity
        self.holder = holder
        self._place = place
        self.token = secrets.token_urlsafe(24)
        self.template = asked.templateID
        self.metadata = asked.metadata
        self.env = asked.envVars
        self.started = time.time()
        self.ends = self.started + asked.timeout
        self.files = VfsStorage()
        self.contexts: dict[str, _Context] = {}

    def told(self, domain: str | None) -> dict[str, Any]:
        return {
            "sandboxID": self.id,
            "templateID": self.template,
            "domain": domain,
            "clientID": "eryx",
            "envdVersion": _VERSION,
            "envdAccessToken": self.token,
            "metadata": self.metadata,
            "startedAt": _time(self.started),
            "endAt": _time(self.ends),
            "state": "running",
            "cpuCount": 1,
            "memoryMB": self.holder.quota.memory_bytes >> 20,
            "diskSizeMB": 64,
        }

    async def context(self, identity: str | None, cwd: str = HOME) -> _Context:
        """That of the name; None for the usual one, which is made when it is asked for first."""
        found = self.contexts.get(identity or "default")
        if found is not None:
            return found
        if identity is not None:
            raise _Error(404, f"there is no context {identity[:64]!r}")
        return await self.new_context("default", cwd)

    async def new_context(self, identity: str, cwd: str) -> _Context:
        if len(self.contexts) >= _MOST_CONTEXTS:
            raise _Error(429, f"a sandbox has at most {_MOST_CONTEXTS} contexts")
        made = await asyncio.to_thread(_Context, identity, cwd, self._session)
        self.contexts[identity] = made
        return made

    def _session(self, cwd: str) -> Session:
        quota = self.holder.quota
        session = Session(
            resource_limits=quota.limits(),
            files=self.files,
            files_path=HOME,
            network=quota.network,
            isolation=self._place,
        )
        session.execute(
            "import os; os.makedirs(folder, exist_ok=True); os.chdir(folder); del folder, os",
            inputs={"folder": cwd},
        )
        return session

    async def close(self) -> None:
        for context in self.contexts.values():
            context.session.cancel()
            async with context.lock:
                await asyncio.to_thread(context.session.close)
        self.contexts.clear()


class _Body(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore")


class _New(_Body):
    templateID: str = "base"  # noqa: N815  (the client's names)
    timeout: int = pydantic.Field(default=_DEFAULT_SECONDS, ge=0)
    metadata: dict[str, str] = pydantic.Field(default_factory=dict)
    envVars: dict[str, str] = pydantic.Field(default_factory=dict)  # noqa: N815


class _Timeout(_Body):
    timeout: int = pydantic.Field(default=_DEFAULT_SECONDS, ge=0)


class _Execute(_Body):
    code: str
    context_id: str | None = None
    language: str | None = None
    env_vars: dict[str, str] | None = None


class _NewContext(_Body):
    cwd: str | None = None
    language: str | None = None


class _Paths(_Body):
    path: str = ""
    source: str = ""
    destination: str = ""
    depth: int = 1


class E2b:
    """The sandboxes of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sandboxes: dict[str, _Sandbox] = {}

    def _told(self, sandbox: _Sandbox) -> dict[str, Any]:
        return sandbox.told(self._service.settings.e2b_domain)

    # ---- Control plane -----------------------------------------------------------------------

    async def create(self, request: Request, holder: Holder) -> Response:
        asked = await self._parsed(request, _New)
        await self._end_old()
        count = sum(sandbox.holder is holder for sandbox in self._sandboxes.values())
        if count >= holder.quota.sessions:
            raise _Error(429, f"{holder.quota.sessions} sandboxes are allowed")
        place = self._service.places.of(holder)
        sandbox = _Sandbox(f"i{secrets.token_hex(10)}", holder, asked, place)
        self._sandboxes[sandbox.id] = sandbox
        return JSONResponse(self._told(sandbox), status_code=201)

    async def show_all(self, request: Request, holder: Holder) -> Response:
        await self._end_old()
        found = [self._told(one) for one in self._sandboxes.values() if one.holder is holder]
        return JSONResponse(found)

    async def show(self, request: Request, holder: Holder) -> Response:
        return JSONResponse(self._told(await self._own(request, holder)))

    async def kill(self, request: Request, holder: Holder) -> Response:
        sandbox = await self._own(request, holder)
        del self._sandboxes[sandbox.id]
        await sandbox.close()
        return Response(status_code=204)

    async def set_timeout(self, request: Request, holder: Holder) -> Response:
        sandbox = await self._own(request, holder)
        sandbox.ends = time.time() + (await self._parsed(request, _Timeout)).timeout
        return Response(status_code=204)

    async def connect(self, request: Request, holder: Holder) -> Response:
        sandbox = await self._own(request, holder)
        asked = await self._parsed(request, _Timeout)
        sandbox.ends = max(sandbox.ends, time.time() + asked.timeout)
        return JSONResponse(self._told(sandbox))

    # ---- Code --------------------------------------------------------------------------------

    async def execute(self, request: Request, sandbox: _Sandbox) -> Response:
        asked = await self._parsed(request, _Execute)
        _check_language(asked.language)
        context = await sandbox.context(asked.context_id)
        program = RunRequest(code=asked.code, env={**sandbox.env, **(asked.env_vars or {})})
        events = self._events(context, program, sandbox.holder)
        first = await anext(events)  # or it is refused, with a status of its own

        async def lines() -> AsyncIterator[bytes]:
            try:
                for line in _lines(first, context.session):
                    yield line
                async for event in events:
                    for line in _lines(event, context.session):
                        yield line
            finally:
                await events.aclose()  # type: ignore[attr-defined]

        return StreamingResponse(lines(), media_type="application/json")

    async def _events(
        self, context: _Context, program: RunRequest, holder: Holder
    ) -> AsyncIterator[Event]:
        async with self._service.begun(holder), context.lock:
            async for event in self._service.events(context.session, program, holder, None):
                if isinstance(event, Done) and isinstance(event.error, WorkerCrashedError):
                    # As the kernel of a notebook: the next run finds a new interpreter.
                    await asyncio.to_thread(context.restart)
                yield event

    async def create_context(self, request: Request, sandbox: _Sandbox) -> Response:
        asked = await self._parsed(request, _NewContext)
        _check_language(asked.language)
        cwd = _place(asked.cwd or HOME)
        return JSONResponse((await sandbox.new_context(secrets.token_hex(8), cwd)).told())

    async def list_contexts(self, request: Request, sandbox: _Sandbox) -> Response:
        await sandbox.context(None)
        return JSONResponse([context.told() for context in sandbox.contexts.values()])

    async def restart_context(self, request: Request, sandbox: _Sandbox) -> Response:
        context = await self._context(request, sandbox)
        context.session.cancel()
        async with context.lock:
            await asyncio.to_thread(context.restart)
        return Response(status_code=200)

    async def remove_context(self, request: Request, sandbox: _Sandbox) -> Response:
        context = await self._context(request, sandbox)
        del sandbox.contexts[context.id]
        context.session.cancel()
        async with context.lock:
            await asyncio.to_thread(context.session.close)
        return Response(status_code=200)

    # ---- Files -------------------------------------------------------------------------------

    async def health(self, request: Request, sandbox: _Sandbox) -> Response:
        return Response(status_code=204)

    async def read(self, request: Request, sandbox: _Sandbox) -> Response:
        path = _place(request.query_params.get("path", ""))
        data = await _of_files(lambda: sandbox.files.read_bytes(_inside(path)), path)
        return Response(data, media_type="application/octet-stream")

    async def write(self, request: Request, sandbox: _Sandbox) -> Response:
        given = request.query_params.get("path")
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            written = await self._parts(request, given)
        else:
            if given is None:
                raise _Error(400, "a path is needed", "invalid_argument")
            written = [(_place(given), await self._service.body(request))]
        for path, data in written:
            await _of_files(lambda p=path, d=data: sandbox.files.write_bytes(_inside(p), d), path)  # type: ignore[misc]
        told = [
            {"name": posixpath.basename(path), "type": "file", "path": path} for path, _ in written
        ]
        return JSONResponse(told)

    async def _parts(self, request: Request, given: str | None) -> list[tuple[str, bytes]]:
        """The files of a form, of which the body has been taken whole, so that it is bounded."""
        body = await self._service.body(request)

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        form = await Request(request.scope, receive).form(max_files=1000, max_fields=100)
        found = []
        for _, part in form.multi_items():
            if isinstance(part, str):
                continue
            path = given if given is not None else part.filename or ""
            found.append((_place(path), await part.read()))
        await form.close()
        if not found:
            raise _Error(400, "there is no file in the form", "invalid_argument")
        return found

    async def stat(self, request: Request, sandbox: _Sandbox) -> Response:
        path = _place((await self._parsed(request, _Paths)).path)
        found = await _of_files(lambda: _entry(sandbox.files, path), path)
        return JSONResponse({"entry": found})

    async def list_folder(self, request: Request, sandbox: _Sandbox) -> Response:
        asked = await self._parsed(request, _Paths)
        path = _place(asked.path)
        found = await _of_files(lambda: _entries(sandbox.files, path, max(1, asked.depth)), path)
        return JSONResponse({"entries": found})

    async def remove(self, request: Request, sandbox: _Sandbox) -> Response:
        path = _place((await self._parsed(request, _Paths)).path)
        await _of_files(lambda: sandbox.files.remove(_inside(path)), path)
        return JSONResponse({})

    async def refuse(self, request: Request, sandbox: _Sandbox) -> Response:
        raise _Error(
            501,
            f"{request.url.path}: sandboxes of eryx have no processes and watch no files: "
            "run Python with run_code()",
            "unimplemented",
        )

    # ---- Who asks for what -------------------------------------------------------------------

    async def _parsed(self, request: Request, kind: type[Any]) -> Any:
        data = await self._service.body(request)
        try:
            return kind.model_validate_json(data or b"{}")
        except pydantic.ValidationError as error:
            raise _Error(400, str(error), "invalid_argument") from None

    async def _own(self, request: Request, holder: Holder) -> _Sandbox:
        await self._end_old()
        found = self._sandboxes.get(request.path_params["sandbox"])
        if found is None or found.holder is not holder:
            raise _Error(404, f"there is no sandbox {request.path_params['sandbox'][:64]!r}")
        return found

    async def of(self, request: Request) -> _Sandbox:
        """The sandbox that a request for files or code is to."""
        await self._end_old()
        identity = request.headers.get("e2b-sandbox-id") or self._named(request) or _DEBUG
        found = self._sandboxes.get(identity)
        if found is None and identity == _DEBUG and not self._service.settings.keys:
            holder = self._service.holders.of(None)
            place = self._service.places.of(holder)
            found = _Sandbox(identity, holder, _New(timeout=86_400), place)
            self._sandboxes[identity] = found
        if found is None:
            raise _Error(502, "the sandbox is not running", "unavailable")
        token = request.headers.get("x-access-token", "")
        if self._service.settings.keys and not secrets.compare_digest(token, found.token):
            raise _Error(401, "the access token is another one")
        return found

    def _named(self, request: Request) -> str | None:
        """The sandbox that the request's host stands for, which is ``PORT-ID.DOMAIN``."""
        domain = self._service.settings.e2b_domain
        name, _, rest = request.headers.get("host", "").partition(".")
        if domain is None or rest.lower() != domain.lower():
            return None
        return name.partition("-")[2]

    async def _context(self, request: Request, sandbox: _Sandbox) -> _Context:
        return await sandbox.context(request.path_params["context"])

    async def _end_old(self) -> None:
        now = time.time()
        for sandbox in [one for one in self._sandboxes.values() if one.ends <= now]:
            with suppress(KeyError):
                del self._sandboxes[sandbox.id]
            await sandbox.close()

    async def close(self) -> None:
        """At the end of the service."""
        for sandbox in list(self._sandboxes.values()):
            await sandbox.close()
        self._sandboxes.clear()


def _lines(event: Event, session: Session) -> list[bytes]:
    """What the client gets of an event."""
    if isinstance(event, Output):
        told = {"type": event.stream, "text": event.text, "timestamp": time.time_ns()}
        return [_line(told)]
    if not isinstance(event, Done):
        return []
    lines = []
    if event.result is not None:
        lines += [_line({"type": "result", **one}) for one in _results(event.result)]
    if event.error is not None:
        lines.append(_line({"type": "error", **_failure(event.error)}))
    count = {"type": "number_of_executions", "execution_count": session.execution_count}
    return [*lines, _line(count), _line({"type": "end_of_execution"})]


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode() + b"\n"


def _results(result: ExecuteResult) -> list[dict[str, Any]]:
    """The displays, and the value, which is the last of them if it is more than text."""
    found = []
    for display in result.display:
        told: dict[str, Any] = {"is_main_result": False}
        extra = {}
        for kind, data in display.mime.items():
            name = _FORMATS.get(kind)
            if name is None:
                extra[kind] = data
            else:
                told[name] = data
        found.append({**told, "extra": extra} if extra else told)
    if result.value_repr is not None:
        if found and found[-1].get("text") == result.value_repr:
            found[-1]["is_main_result"] = True
        else:
            found.append({"text": result.value_repr, "is_main_result": True})
    return found


def _failure(error: EryxError) -> dict[str, str]:
    name = getattr(error, "exc_type", "") or type(error).__name__
    value = getattr(error, "exc_message", "") or str(error)
    return {"name": name, "value": value, "traceback": str(error)}


def _check_language(language: str | None) -> None:
    if language not in (None, "", "python", "python3"):
        raise _Error(400, f"there is no {language[:32]} here, only python", "invalid_argument")


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _place(path: str) -> str:
    """A path of the client as one of the guest: what is relative begins at home."""
    if not path or "\0" in path:
        raise _Error(400, "a path is needed", "invalid_argument")
    found = posixpath.normpath(posixpath.join(HOME, path))
    if found != HOME and not found.startswith(f"{HOME}/"):
        raise _Error(400, f"files are under {HOME}, {path[:200]!r} is not", "invalid_argument")
    return found


def _inside(path: str) -> str:
    return path.removeprefix(HOME) or "/"


def _entry(files: VfsStorage, path: str) -> dict[str, Any]:
    inside = _inside(path)
    is_folder = inside == "/"
    if not is_folder:
        parent, _, name = inside.rpartition("/")
        found = dict(files._entries(parent or "/"))
        if name not in found:
            raise FileNotFoundError(path)
        is_folder = found[name]
    size = 0 if is_folder else len(files.read_bytes(inside))
    return {
        "name": posixpath.basename(path),
        "type": "FILE_TYPE_DIRECTORY" if is_folder else "FILE_TYPE_FILE",
        "path": path,
        "size": str(size),
        "mode": 0o755 if is_folder else 0o644,
        "permissions": "drwxr-xr-x" if is_folder else "-rw-r--r--",
        "owner": "user",
        "group": "user",
    }


def _entries(files: VfsStorage, path: str, depth: int) -> list[dict[str, Any]]:
    found = []
    for name, is_folder in sorted(files._entries(_inside(path))):
        found.append(_entry(files, f"{path}/{name}"))
        if is_folder and depth > 1:
            found += _entries(files, f"{path}/{name}", depth - 1)
    return found


async def _of_files(function: Callable[[], Any], path: str) -> Any:
    try:
        return await asyncio.to_thread(function)
    except FileNotFoundError:
        raise _Error(404, f"there is no {path!r}") from None
    except (OSError, ValueError, EryxError) as error:
        raise _Error(400, f"{path!r}: {error}", "invalid_argument") from None


def e2b_routes(service: Service, e2b: E2b) -> list[Route]:
    """The routes of the protocol."""

    def answering(work: Callable[[Request], Awaitable[Response]]) -> Any:
        async def handle(request: Request) -> Response:
            try:
                return await work(request)
            except _Error as error:
                told = {"code": error.code, "message": error.message}
                if request.url.path.startswith(("/execute", "/contexts")):
                    return PlainTextResponse(error.message, status_code=error.status)
                return JSONResponse(told, status_code=error.status)
            except TooManyError as error:
                told = {"code": error.code, "message": error.message}
                return JSONResponse(told, status_code=error.status, headers=error.headers)
            except RequestError as error:
                told = {"code": error.code, "message": error.message}
                return JSONResponse(told, status_code=error.status)

        return handle

    def controlling(method: Callable[[Request, Holder], Awaitable[Response]]) -> Any:
        async def work(request: Request) -> Response:
            service.authenticate(request)
            return await method(request, request.state.holder)

        return answering(work)

    def working(method: Callable[[Request, _Sandbox], Awaitable[Response]]) -> Any:
        async def work(request: Request) -> Response:
            return await method(request, await e2b.of(request))

        return answering(work)

    rpc = "/filesystem.Filesystem/"
    return by_path(
        [
            ("POST", "/sandboxes", controlling(e2b.create)),
            ("POST", "/v2/sandboxes", controlling(e2b.create)),
            ("GET", "/v2/sandboxes", controlling(e2b.show_all)),
            ("GET", "/sandboxes/{sandbox}", controlling(e2b.show)),
            ("DELETE", "/sandboxes/{sandbox}", controlling(e2b.kill)),
            ("POST", "/sandboxes/{sandbox}/timeout", controlling(e2b.set_timeout)),
            ("POST", "/sandboxes/{sandbox}/connect", controlling(e2b.connect)),
            ("POST", "/v2/sandboxes/{sandbox}/connect", controlling(e2b.connect)),
            ("GET", "/health", working(e2b.health)),
            ("POST", "/execute", working(e2b.execute)),
            ("POST", "/contexts", working(e2b.create_context)),
            ("GET", "/contexts", working(e2b.list_contexts)),
            ("DELETE", "/contexts/{context}", working(e2b.remove_context)),
            ("POST", "/contexts/{context}/restart", working(e2b.restart_context)),
            ("GET", "/files", working(e2b.read)),
            ("POST", "/files", working(e2b.write)),
            ("POST", f"{rpc}Stat", working(e2b.stat)),
            ("POST", f"{rpc}ListDir", working(e2b.list_folder)),
            ("POST", f"{rpc}Remove", working(e2b.remove)),
            ("POST", f"{rpc}{{method}}", working(e2b.refuse)),
            ("POST", "/process.Process/{method}", working(e2b.refuse)),
        ]
    )
