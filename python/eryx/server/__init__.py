"""An HTTP service of sessions, for `eryx serve` and for applications of one's own.

Takes ``pip install 'eryx-sandbox[server]'``. `create_app` gives an ASGI application:

    uvicorn.run(eryx.server.create_app(eryx.server.Settings(store="file:///var/lib/eryx")))

What it offers is told by ``/openapi.json``; ``docs/server.md`` explains it.
"""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx.server._errors import MissingServerError
from eryx.server._settings import ApiKey, Quota, Settings, new_key, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = [
    "ApiKey",
    "MissingServerError",
    "Quota",
    "Settings",
    "create_app",
    "new_key",
    "read_settings",
]


def create_app(settings: Settings | None = None) -> Starlette:
    """Makes the application.

    settings: None for those of `Settings()`, which let everybody in: for a socket that only those
        can reach who may use it.

    Raises MissingServerError if the extra ``server`` is not installed, and ValueError for a store
    that there is not.

    >>> from eryx.server import Settings, create_app
    >>> app = create_app(Settings(max_sessions=10))
    >>> app.state.eryx.sessions.live
    0
    """
    try:
        from eryx.server._app import make_app
    except ModuleNotFoundError as error:
        if error.name in ("starlette", "pydantic", "uvicorn"):
            raise MissingServerError(error.name) from None
        raise
    return make_app(settings or Settings())


late_annotations(globals(), create_app)
