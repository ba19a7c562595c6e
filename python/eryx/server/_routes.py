"""From methods, paths and functions to the routes of an application."""

from __future__ import annotations

from starlette.routing import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Awaitable[Response]]


def by_path(handlers: list[tuple[str, str, Handler]]) -> list[Route]:
    """One route for each path, so that what else is allowed there is known when one is not."""
    found: dict[str, dict[str, Handler]] = {}
    for method, path, handler in handlers:
        found.setdefault(path, {})[method] = handler

    def choosing(methods: dict[str, Handler]) -> Handler:
        async def handle(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            return await methods[method](request)

        return handle

    return [Route(path, choosing(methods), methods=[*methods]) for path, methods in found.items()]
