"""A call that is not awaited yet: a coroutine that says so when it is taken for more."""

import base64
import warnings
from collections.abc import Callable, Coroutine, Generator
from typing import Any, NoReturn

_warn = warnings.warn
_decode = base64.b64decode


async def as_bytes(call: Coroutine[Any, Any, Any]) -> Any:
    """Give bytes, which come as base64."""
    text = await call
    return _decode(text) if isinstance(text, str) else text


class Pending(Coroutine[Any, Any, Any]):
    """What `name(...)` gives, to be awaited."""

    __slots__ = ("_arguments", "_begun", "_call", "_name")

    def __init__(
        self, call: Callable[..., Coroutine[Any, Any, Any]], name: str, arguments: dict[str, Any]
    ) -> None:
        self._call = call
        self._name = name
        self._arguments = arguments
        self._begun: Coroutine[Any, Any, Any] | None = None

    def _coroutine(self) -> Coroutine[Any, Any, Any]:
        begun = self._begun
        if begun is None:
            begun = self._begun = self._call(self._name, self._arguments)
        return begun

    def __await__(self) -> Generator[Any, Any, Any]:
        # A generator, since the interpreter tells tracers of the end of other iterators.
        return (yield from self._coroutine().__await__())

    def send(self, value: Any) -> Any:
        return self._coroutine().send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine().throw(*error)

    def close(self) -> None:
        self._coroutine().close()

    def _advice(self) -> str:
        return (
            f"callback {self._name!r} was not awaited: write `await {self._name}(...)`,"
            f" or `{self._name}.sync(...)` in synchronous code"
        )

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(self._advice())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coroutine):
            self._refuse()
        return self is other

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") or name in ("cr_frame", "cr_running", "cr_code", "cr_await"):
            raise AttributeError(name)
        raise AttributeError(self._advice())

    def __del__(self) -> None:
        if self._begun is None:
            try:
                _warn(self._advice(), RuntimeWarning, stacklevel=2)
            except Exception:
                pass

    def __repr__(self) -> str:
        return f"<{self._advice()}>"

    __getitem__ = __setitem__ = __contains__ = __iter__ = __len__ = __bool__ = _refuse
    __call__ = __int__ = __float__ = __index__ = __enter__ = __aiter__ = __aenter__ = _refuse
    __format__ = __bytes__ = __abs__ = __neg__ = __round__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
    __or__ = __ror__ = __and__ = __rand__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse


# Errors of functions in C name the type, as in "argument must be str, not ...".
Pending.__name__ = Pending.__qualname__ = "call that was not awaited"
