"""What goes wrong in the service, and which answer of HTTP says so."""

from __future__ import annotations

from eryx._errors import EryxError


class MissingServerError(EryxError):
    """A package that serving takes is not installed."""

    __module__ = "eryx.server"

    def __init__(self, package: str, *, extra: str = "server") -> None:
        """package: the one that was looked for; extra: that which brings it."""
        super().__init__(
            f"serving needs {package}, which `pip install 'eryx-sandbox[{extra}]'` brings"
        )


class RequestError(Exception):
    """A request that is answered with an error.

    code: a word for programs; message: a sentence for people.
    """

    status = 400

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers or {}


class MalformedError(RequestError):
    """The request is not what the description says."""

    status = 422


class UnauthorizedError(RequestError):
    """There is no key, or none that is known."""

    status = 401


class MissingError(RequestError):
    """There is no such thing, or it is somebody else's."""

    status = 404


class ConflictError(RequestError):
    """It cannot be done in the present state."""

    status = 409


class TooLargeError(RequestError):
    """The request is larger than allowed."""

    status = 413


class TooManyError(RequestError):
    """A quota is used up, or the service has enough to do: to be tried again."""

    status = 429

    def __init__(self, code: str, message: str, retry_seconds: float) -> None:
        """retry_seconds: when it is worth another try."""
        super().__init__(code, message, {"Retry-After": str(max(1, round(retry_seconds + 0.5)))})


class UnavailableError(TooManyError):
    """The service is about to end."""

    status = 503
