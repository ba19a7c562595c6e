"""The exceptions of pools."""

from __future__ import annotations

from eryx._errors import EryxError


class PoolError(EryxError):
    """Base of the exceptions of pools."""

    __module__ = "eryx"


class PoolExhaustedError(PoolError):
    """All sandboxes of the pool are in use."""

    __module__ = "eryx"


class PoolTimeoutError(PoolError):
    """No sandbox was given back within the time."""

    __module__ = "eryx"


class PoolClosedError(PoolError):
    """The pool is closed."""

    __module__ = "eryx"
