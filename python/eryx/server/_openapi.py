"""The description of the service, as OpenAPI 3.1 has it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from pydantic.json_schema import models_json_schema

from eryx.server._requests import CheckpointRequest, RunRequest, SessionRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SESSION = {"name": "session", "in": "path", "required": True, "schema": {"type": "string"}}
_PATH = {
    "name": "path",
    "in": "path",
    "required": True,
    "description": "A path in /data of the guest.",
    "schema": {"type": "string", "minLength": 1},
}
_FOLDER = {
    "name": "path",
    "in": "query",
    "required": False,
    "schema": {"type": "string", "default": "/"},
}
_REFERENCE = "#/components/schemas/"

_STATE = {
    "type": "object",
    "required": ["id", "state", "created", "used", "runs", "memory_bytes", "checkpoints"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": ["live", "running", "stored"]},
        "created": {"type": "number", "description": "Seconds since 1970."},
        "used": {"type": "number", "description": "Seconds since 1970."},
        "runs": {"type": "integer"},
        "memory_bytes": {"type": ["integer", "null"]},
        "checkpoints": {"type": "array", "items": {"type": "string"}},
    },
}
_OUTCOME = {
    "type": "object",
    "description": "What a run left; `error` is null if it ended well.",
    "required": ["stdout", "stderr", "value", "result", "display", "duration_ms", "error"],
    "properties": {
        "stdout": {"type": "string"},
        "stderr": {"type": "string"},
        "value": {"description": "Of the last expression, if JSON can hold it."},
        "value_repr": {"type": ["string", "null"]},
        "result": {"description": "Of the variable `result`."},
        "display": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"mime": {"type": "object"}, "metadata": {"type": "object"}},
            },
        },
        "duration_ms": {"type": "number"},
        "error": {
            "type": ["object", "null"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE + name}}}


def _object(**properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"application/json": {"schema": schema}}


_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_RUN = {
    **_json("Outcome"),
    "application/x-ndjson": {
        "schema": {"type": "string", "description": "An event a line: `output`, then `done`."}
    },
    "text/event-stream": {"schema": {"type": "string"}},
}
_STRING, _INTEGER = {"type": "string"}, {"type": "integer"}

_REASONS = {
    401: "There is no key, or none that is known.",
    404: "There is no such thing.",
    409: "It cannot be done in the present state.",
    413: "The body is too large.",
    422: "The body is not what it should be.",
    429: "A quota is used up, or there is no room; `Retry-After` says when to come back.",
    503: "The service is about to end.",
}

_USUAL = (401, 404, 409, 429)  # of what is done with a session


class _Operation:
    """One method of one path."""

    def __init__(
        self,
        method: str,
        path: str,
        summary: str,
        content: dict[str, Any] | None,
        *,
        status: int = 200,
        body: str | None = None,
        refused: tuple[int, ...] = _USUAL,
    ) -> None:
        """content: of a good answer. body: name of a schema, or ``bytes``."""
        self.method, self.path, self.summary = method, path, summary
        self.content, self.status, self.body = content, status, body
        self.refused = refused if body is None else (*refused, 413, 422)

    def described(self) -> dict[str, Any]:
        """As the document has it."""
        good: dict[str, Any] = {"description": self.summary}
        if self.content is not None:
            good["content"] = self.content
        described: dict[str, Any] = {
            "summary": self.summary,
            "parameters": self._parameters(),
            "responses": {str(self.status): good},
        }
        if 401 not in self.refused:
            described["security"] = []
        for status in self.refused:
            described["responses"][str(status)] = {
                "description": _REASONS[status],
                "content": _json("Error"),
            }
        if self.body is not None:
            described["requestBody"] = {
                "required": self.body not in ("SessionRequest", "bytes"),
                "content": _BYTES if self.body == "bytes" else _json(self.body),
            }
        return described

    def _parameters(self) -> list[dict[str, Any]]:
        names = {"{session}": _SESSION, "{path}": _PATH}
        found = [parameter for name, parameter in names.items() if name in self.path]
        return [*found, _FOLDER] if self.path.endswith("/files") else found


_ONE = "/v1/sessions/{session}"
_FILE = f"{_ONE}/files/{{path}}"
_SESSIONS = {"type": "array", "items": {"$ref": f"{_REFERENCE}Session"}}
_NAMES = {"type": "array", "items": _STRING}

_OPERATIONS = (
    _Operation("get", "/healthz", "Whether the process lives", _object(status=_STRING), refused=()),
    _Operation("get", "/readyz", "Whether it takes work", _object(status=_STRING), refused=(503,)),
    _Operation("get", "/v1/status", "What it does", _object(node=_STRING), refused=(401,)),
    _Operation(
        *("post", "/v1/runs", "Runs a program in a clean sandbox", _RUN),
        body="RunRequest",
        refused=(401, 429, 503),
    ),
    _Operation(
        *("get", "/v1/sessions", "The sessions of the caller", _object(sessions=_SESSIONS)),
        refused=(401,),
    ),
    _Operation(
        *("post", "/v1/sessions", "Makes a session", _json("Session")),
        status=201,
        body="SessionRequest",
        refused=(401, 429, 503),
    ),
    _Operation("get", _ONE, "One session", _json("Session")),
    _Operation("delete", _ONE, "Ends a session", None, status=204),
    _Operation(
        *("post", f"{_ONE}/runs", "Runs a program in a session", _RUN),
        body="RunRequest",
        refused=(*_USUAL, 503),
    ),
    _Operation(
        "post", f"{_ONE}/cancel", "Ends the present run", _object(cancelled={"type": "boolean"})
    ),
    _Operation(
        *("post", f"{_ONE}/fork", "Makes a copy of its state", _json("Session")),
        status=201,
        refused=(*_USUAL, 503),
    ),
    _Operation("post", f"{_ONE}/save", "Puts its state into the store", _object(bytes=_INTEGER)),
    _Operation("post", f"{_ONE}/reset", "Starts a new interpreter", _json("Session")),
    _Operation(
        *("post", f"{_ONE}/checkpoint", "Remembers its state", _json("Session")),
        body="CheckpointRequest",
    ),
    _Operation(
        *("post", f"{_ONE}/rollback", "Goes back to a checkpoint", _json("Session")),
        body="CheckpointRequest",
    ),
    _Operation("get", f"{_ONE}/files", "What a folder holds", _object(path=_STRING, files=_NAMES)),
    _Operation("get", _FILE, "Reads a file", _BYTES),
    _Operation("put", _FILE, "Writes a file", None, status=204, body="bytes"),
    _Operation("delete", _FILE, "Removes a file", None, status=204),
)


def description(has_keys: bool) -> dict[str, Any]:
    """The whole document. has_keys: whether requests need one."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in _OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = operation.described()
    kinds = (SessionRequest, RunRequest, CheckpointRequest)
    _, schemas = models_json_schema(
        [(kind, "validation") for kind in kinds], ref_template=_REFERENCE + "{model}"
    )
    components: dict[str, Any] = {
        "schemas": {
            **schemas.get("$defs", {}),
            "Session": _STATE,
            "Outcome": _OUTCOME,
            "Error": _ERROR,
        }
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "eryx", "version": _version(), "summary": "Sessions of Python to run"},
        "paths": paths,
        "components": components,
    }
    if has_keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document


def _version() -> str:
    try:
        return version("eryx-sandbox")
    except PackageNotFoundError:
        return "0"
