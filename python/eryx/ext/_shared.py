"""What adapters have in common: sessions of conversations, and runs as a model is to see them."""

from __future__ import annotations

import builtins
import contextlib
import inspect
import threading
import typing
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, Unpack

from eryx import (
    EryxError,
    ExecuteResult,
    InitializationError,
    SandboxFactory,
    Session,
    SuspendCallback,
    callback_stub,
    prompt,
)
from eryx._option_types import RunOptions, SessionOptions

MOST_SESSIONS = 100
MOST_CHARACTERS = 20_000

# Pictures that models of today look at.
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")

# A run that ended well, or what ended it; both have `to_text`, `display`, `stdout` and the like.
Ending = ExecuteResult | EryxError

_STARTED_ANEW = "\nAll variables are lost: the interpreter was started anew."


class Picture(NamedTuple):
    """A picture that a program has shown."""

    mime: str
    base64: str
    data: bytes

    @property
    def url(self) -> str:
        """As a data URL."""
        return f"data:{self.mime};base64,{self.base64}"


def missing(module: str, extra: str, error: ImportError) -> ImportError:
    """The exception for a package that is not installed."""
    return ImportError(
        f"eryx.ext.{module} needs another package ({error}): pip install 'eryx-sandbox[{extra}]'",
        name=error.name,
    )


class Conversations:
    """A session for each conversation, made when it is needed.

    If there are too many, the one that was used longest ago is closed; those in a run stay.
    """

    def __init__(self, factory: SandboxFactory | None, most: int, options: SessionOptions) -> None:
        """factory: makes the sessions, in place of `Session`; None for that. Raises ValueError."""
        if most < 1:
            raise ValueError("max_sessions must be at least 1")
        self._make: Callable[[], Session] = lambda: (
            factory.create_session if factory else Session
        )(**options)
        self._most = most
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._users: dict[str, int] = {}
        self._lock = threading.Lock()
        self.prompt = prompt(self._make())

    @contextlib.contextmanager
    def session(self, key: str) -> Iterator[Session]:
        """That of a conversation; it is not closed meanwhile, but by `close`."""
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                session = self._sessions[key] = self._make()
            self._sessions.move_to_end(key)
            self._users[key] = self._users.get(key, 0) + 1
            surplus = self._take_surplus()
        try:
            for one in surplus:
                one.close()
            yield session
        finally:
            with self._lock:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key]

    @contextlib.contextmanager
    def session_or_new(self, key: str | None) -> Iterator[Session]:
        """That of a conversation; one for this use alone if there is no key."""
        if key is not None:
            with self.session(key) as session:
                yield session
        else:
            with self._make() as session:
                yield session

    def _take_surplus(self) -> list[Session]:
        idle = [key for key in self._sessions if key not in self._users]
        return [self._sessions.pop(key) for key in idle[: len(self._sessions) - self._most]]

    def end(self, key: str) -> None:
        """Closes the session of a conversation, if it has one."""
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    def close(self) -> None:
        """Closes all sessions."""
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
        for session in sessions:
            session.close()


class Lifetimes:
    """Keys of conversations that last as long as an object of a framework does."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._keys: dict[int, str] = {}
        self._lock = threading.Lock()
        self._count = 0

    def key(self, thing: object) -> str:
        """The key for an object; when that goes, the session is closed."""
        with self._lock:
            key = self._keys.get(id(thing))
            if key is None:
                self._count += 1
                key = self._keys[id(thing)] = f"lifetime {self._count}"
                weakref.finalize(thing, self._end, id(thing), key).atexit = False
        return key

    def _end(self, number: int, key: str) -> None:
        self._keys.pop(number, None)
        self._conversations.end(key)


def run(session: Session, code: str, **options: Unpack[RunOptions]) -> Ending:
    """Runs a program; gives what ended it instead of raising it.

    Handlers of output are called besides those of the session.
    """
    for name, own in _own_handlers(session, options):
        options[name] = _one_after_the_other(own, options[name])
    try:
        return session.execute(code, **options)
    except SuspendCallback:
        raise
    except EryxError as error:
        return _after(session, error)


async def run_async(session: Session, code: str, **options: Unpack[RunOptions]) -> Ending:
    """The same for event loops."""
    for name, own in _own_handlers(session, options):
        options[name] = _one_awaited_after_the_other(own, options[name])
    try:
        return await session.execute_async(code, **options)
    except SuspendCallback:
        raise
    except EryxError as error:
        return _after(session, error)


def _own_handlers(
    session: Session, options: RunOptions
) -> Iterator[tuple[Literal["on_stdout", "on_stderr"], Callable[[str], Any]]]:
    """Those of the session that ones of a run would be called in place of."""
    stdout, stderr = session._request.handlers
    if stdout is not None and options.get("on_stdout") is not None:
        yield "on_stdout", stdout
    if stderr is not None and options.get("on_stderr") is not None:
        yield "on_stderr", stderr


def _one_after_the_other(first: Any, second: Any) -> Callable[[str], None]:
    def call(text: str) -> None:
        first(text)
        second(text)

    return call


def _one_awaited_after_the_other(first: Any, second: Any) -> Callable[[str], Any]:
    async def call(text: str) -> None:
        for handler in (first, second):
            answer = handler(text)
            if inspect.isawaitable(answer):
                await answer

    return call


def _after(session: Session, error: EryxError) -> EryxError:
    """Makes a session that has lost its state fit for the next run."""
    if isinstance(error, InitializationError):
        session.reset()  # raises it again if there is no memory
        error.args = (str(error) + _STARTED_ANEW,)
    return error


def failed(ending: Ending) -> bool:
    """Whether the program was ended by something."""
    return isinstance(ending, EryxError)


def pictures(ending: Ending) -> list[Picture]:
    """The pictures that the program has shown, of each display one."""
    found = []
    for display in ending.display:
        for mime in _PICTURES:
            value = display.mime.get(mime)
            if isinstance(value, str):
                with contextlib.suppress(ValueError):  # the guest wrote it by hand
                    found.append(Picture(mime, value.strip(), display.read(mime)))
                break
    return found


def returning(function: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    """The function, said to give what another one is said to give."""
    try:
        hint = typing.get_type_hints(other).get("return", Any)
    except Exception:  # a hint may be any expression
        hint = Any
    function.__annotations__ = {"return": hint}
    return function


def identifier(name: str, taken: Any = ()) -> str:
    """A name that Python can write, of the name of a tool; another one than those taken."""
    word = "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)
    if not word.isidentifier():
        word = f"tool_{word}"
    while word in taken:
        word += "_"
    return word


def stub(callbacks: Iterable[Any]) -> str:
    """What a model is told of functions; nothing if there are none."""
    listed = [*callbacks]
    if not listed:
        return ""
    return f"\n\nThese functions are there without import:\n\n{callback_stub(listed)}"


def bindings(names: Iterable[str]) -> str:
    """A program that defines functions whose names the guest does not take for those of the host.

    Which are those that Python has itself, and those that look so.
    """
    return "\n".join(
        f"def {name}(*positional, **named): return invoke.sync({name!r}, *positional, **named)"
        for name in names
        if name.startswith("__") or hasattr(builtins, name)
    )


def without_await(functions: Iterable[Callable[..., Any]]) -> list[dict[str, Any]]:
    """Functions as callbacks that programs call as they call their own."""
    return [
        {"name": getattr(function, "__name__", None), "fn": function, "sync": True}
        for function in functions
    ]
