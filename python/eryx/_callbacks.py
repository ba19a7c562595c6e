"""Which functions of the host the guest may call: the registry and what `callbacks=` accepts."""

from __future__ import annotations

from types import FunctionType
from weakref import WeakKeyDictionary

from eryx._annotations import late_annotations
from eryx._schema import hints_of, positional_only_names, returns_bytes, schema_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal, TypeVar, overload

    Function = TypeVar("Function", bound=Callable[..., Any])

# What the host library accepts (CALLBACKS_MAX_NAME of src/sandbox/callbacks.h).
_MAX_NAME_BYTES = 1024

# By function: what it depends on; its schema, positional parameters, and hints.
_descriptions: WeakKeyDictionary[
    Callable[..., Any],
    tuple[tuple[object, ...], tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]],
] = WeakKeyDictionary()

_PLAIN_TYPES = frozenset((type(None), bool, int, float, str))

_KEYS = frozenset(("name", "fn", "description", "schema", "thread", "sync", "errors", "on_error"))


class Callback:
    """One function and what the guest is told of it."""

    __slots__ = (
        "answers_bytes",
        "description",
        "errors",
        "fn",
        "hints",
        "name",
        "on_error",
        "positional_only",
        "schema",
        "sync",
        "thread",
    )

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        description: str | None = None,
        schema: dict[str, Any] | None = None,
        thread: bool = False,
        sync: bool = False,
        errors: str = "full",
        on_error: Callable[[str, BaseException], object] | None = None,
    ) -> None:
        """Checks everything. Raises TypeError and ValueError that name the callback."""
        if not callable(fn):
            raise TypeError(f"fn of a callback must be callable, not {type(fn).__name__}")
        self.fn = fn
        self.name = _checked_name(fn, name)
        self.description = _checked_description(fn, self.name, description)
        if schema is None:
            self.schema, self.positional_only, self.hints = _described(fn, self.name)
        else:
            self.schema = _checked_schema(self.name, schema)
            self.positional_only = positional_only_names(fn)
            self.hints = {}
        self.answers_bytes = returns_bytes(fn)
        if not isinstance(sync, bool):
            raise TypeError(f"sync of callback {self.name!r} must be a bool, not {_kind(sync)}")
        self.sync = sync
        if errors not in ("full", "type"):
            raise ValueError(f'errors of callback {self.name!r} must be "full" or "type"')
        self.errors = errors
        if on_error is not None and not callable(on_error):
            raise TypeError(f"on_error of callback {self.name!r} must be callable")
        self.on_error = on_error
        if not isinstance(thread, bool):
            raise TypeError(
                f"thread of callback {self.name!r} must be a bool, not {type(thread).__name__}"
            )
        if thread and _is_async(fn):
            raise TypeError(
                f"callback {self.name!r} is async: it runs on an event loop, not in a thread"
            )
        self.thread = thread

    def __eq__(self, other: object) -> bool:
        """Equal if the guest is told the same and the same function is called."""
        if not isinstance(other, Callback):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def declaration(self) -> dict[str, Any]:
        """What the guest is told."""
        told: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "schema": self.schema,
        }
        if self.sync:
            told["sync"] = True
        if self.answers_bytes:
            told["bytes"] = True
        return told

    def as_dict(self) -> dict[str, Any]:
        """The dict that `callbacks=` accepts."""
        import copy

        result = {
            "name": self.name,
            "fn": self.fn,
            "description": self.description,
            "schema": copy.deepcopy(self.schema),
        }
        if self.thread:
            result["thread"] = True
        if self.sync:
            result["sync"] = True
        if self.errors != "full":
            result["errors"] = self.errors
        if self.on_error is not None:
            result["on_error"] = self.on_error
        return result

    def call(self, arguments: dict[str, Any]) -> Any:
        """Calls the function with what the guest gave."""
        if self.hints:
            from eryx._typed import load_arguments

            arguments = load_arguments(self.name, self.hints, arguments)
        if self.positional_only:
            first = []
            for name in self.positional_only:
                if name not in arguments:
                    break
                first.append(arguments.pop(name))
            return self.fn(*first, **arguments)
        return self.fn(**arguments)


class CallbackRegistry:
    """Functions of the host that the guest may call as ``await name(...)``.

    A sandbox takes what is registered when it is made. Names are unique; a dotted name becomes a
    namespace in the guest.

    >>> registry = CallbackRegistry()
    >>> @registry.callback
    ... def add(a: int, b: int = 1) -> int:
    ...     '''Adds two numbers.'''
    ...     return a + b
    >>> registry
    CallbackRegistry(['add'])
    >>> import eryx
    >>> eryx.Sandbox(callbacks=registry).execute("print(await add(2, b=40))").stdout
    '42'
    """

    __module__ = "eryx"
    __slots__ = ("_callbacks", "_errors", "_on_error")

    def __init__(
        self,
        *,
        errors: Literal["full", "type"] = "full",
        on_error: Callable[[str, BaseException], object] | None = None,
    ) -> None:
        """A registry without functions.

        errors, on_error: for the functions that are registered without their own; see `add`.
        """
        self._callbacks: dict[str, Callback] = {}
        self._errors = errors
        self._on_error = on_error

    if TYPE_CHECKING:

        @overload
        def callback(self, fn: Function) -> Function: ...
        @overload
        def callback(
            self,
            fn: None = None,
            *,
            name: str | None = None,
            description: str | None = None,
            schema: dict[str, Any] | None = None,
            thread: bool = False,
            sync: bool = False,
            errors: Literal["full", "type"] | None = None,
            on_error: Callable[[str, BaseException], object] | None = None,
        ) -> Callable[[Function], Function]: ...

    def callback(
        self,
        fn: Any = None,
        *,
        name: str | None = None,
        description: str | None = None,
        schema: dict[str, Any] | None = None,
        thread: bool = False,
        sync: bool = False,
        errors: Literal["full", "type"] | None = None,
        on_error: Callable[[str, BaseException], object] | None = None,
    ) -> Any:
        """Decorator that registers a function and gives it back as it is.

        With or without parentheses; the parameters are those of `add`.
        """

        def register(function: Any) -> Any:
            self.add(
                function,
                name=name,
                description=description,
                schema=schema,
                thread=thread,
                sync=sync,
                errors=errors,
                on_error=on_error,
            )
            return function

        return register if fn is None else register(fn)

    def add(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        schema: dict[str, Any] | None = None,
        thread: bool = False,
        sync: bool = False,
        errors: Literal["full", "type"] | None = None,
        on_error: Callable[[str, BaseException], object] | None = None,
    ) -> None:
        """Registers a function.

        fn: sync or async. A sync one is called on the thread that runs the sandbox, which waits for
            it; an async one runs on the event loop of `Sandbox.execute_async`, or on a private one.
        name: what the guest calls it; ``fn.__name__`` by default.
        description: for ``list_callbacks()`` and ``help()``; the docstring by default.
        schema: JSON schema of the arguments, an object. By default it is made of the type hints,
            and the arguments are looked at, and made, as these say: dataclasses, TypedDict, Enum,
            datetime, Literal, bytes and others, and what is of pydantic where that is installed.
        thread: call the (sync) function in a worker thread. For functions that block: the guest
            goes on meanwhile, several run at a time, and `callback_timeout_ms` holds at once.
        sync: the guest calls it as ``name(...)``, without ``await``.
        errors: what the guest is told of an exception: its type and text ("full"), or its type
            alone ("type"). The text of a `ToolError` is told in any case.
        on_error: called with the name and each exception of the function.

        Raises TypeError for values of a wrong type, ValueError for a name that is taken or not to
        be used and for a schema that is not JSON.
        """
        callback = Callback(
            fn,
            name,
            description,
            schema,
            thread,
            sync,
            self._errors if errors is None else errors,
            self._on_error if on_error is None else on_error,
        )
        if callback.name in self._callbacks:
            raise ValueError(f"there is a callback named {callback.name!r} already")
        self._callbacks[callback.name] = callback

    def stub(self) -> str:
        """Python type stubs of the functions, as a text for people and language models."""
        from eryx._stub import stub_text

        return stub_text(list(self._callbacks.values()))

    def __len__(self) -> int:
        """Number of functions."""
        return len(self._callbacks)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Gives a dict with name, fn, description and schema for each function."""
        return iter([callback.as_dict() for callback in self._callbacks.values()])

    def __getstate__(self) -> object:
        """For copies and pickle. What is added to a copy later is not added here."""
        state = {name: getattr(self, name) for name in self.__slots__}
        return None, {**state, "_callbacks": dict(self._callbacks)}

    def __eq__(self, other: object) -> bool:
        """Equal if they have the same functions, with the same names and descriptions."""
        if not isinstance(other, CallbackRegistry):
            return NotImplemented
        return self._callbacks == other._callbacks

    __hash__ = None  # type: ignore[assignment]  # they can be changed

    def __repr__(self) -> str:
        """Shows the names."""
        return f"CallbackRegistry({list(self._callbacks)!r})"


class CallbackTable:
    """The callbacks of one sandbox by name, and their declarations as the guest gets them."""

    __slots__ = ("by_name", "declarations")

    def __init__(self, callbacks: list[Callback]) -> None:
        """Raises ValueError if a name is there twice."""
        import json

        self.by_name: dict[str, Callback] = {}
        for callback in callbacks:
            if callback.name in self.by_name:
                raise ValueError(f"there are two callbacks named {callback.name!r}")
            self.by_name[callback.name] = callback
        self.declarations = json.dumps([callback.declaration() for callback in callbacks])


def collect(callbacks: object) -> list[Callback]:
    """The functions in what a caller gave as `callbacks`."""
    if isinstance(callbacks, CallbackRegistry):
        return list(callbacks._callbacks.values())
    if isinstance(callbacks, dict):
        return [Callback(fn, name) for name, fn in callbacks.items()]
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            "callbacks must be a CallbackRegistry, a dict of functions by name, or a list of "
            f"functions, dicts and registries, not {type(callbacks).__name__}"
        )
    result: list[Callback] = []
    for entry in callbacks:
        if isinstance(entry, CallbackRegistry):
            result.extend(entry._callbacks.values())
        elif isinstance(entry, dict):
            result.append(_from_dict(entry))
        elif callable(entry):
            result.append(Callback(entry))
        else:
            raise TypeError(
                "callbacks must be functions, dicts and CallbackRegistry objects, "
                f"not {type(entry).__name__}"
            )
    return result


def table_of(callbacks: object) -> CallbackTable | None:
    """The table for what a caller gave as `callbacks`; None if that holds no function."""
    if callbacks is None:
        return None
    if isinstance(callbacks, CallbackTable):
        return callbacks  # of a factory
    found = collect(callbacks)
    return CallbackTable(found) if found else None


def more_callbacks(table: CallbackTable | None, callbacks: object) -> CallbackTable | None:
    """A table with more callbacks; of two with one name the later one counts."""
    more = collect(callbacks)
    if not more:
        return table
    CallbackTable(more)  # which looks whether a name is there twice
    known = {} if table is None else table.by_name
    return CallbackTable([*{**known, **{callback.name: callback for callback in more}}.values()])


def callback_stub(callbacks: object) -> str:
    """Python type stubs of callbacks, as a text for people and language models.

    callbacks: what `Sandbox` takes.

    >>> def find(text: str, limit: int = 10) -> list[str]:
    ...     '''Finds documents.'''
    ...     return []
    >>> print(callback_stub([{"name": "find", "fn": find}]))
    from typing import Any
    <BLANKLINE>
    async def find(text: str, limit: int = 10) -> list[str]:
        '''Finds documents.'''
    <BLANKLINE>
    """
    from eryx._stub import stub_text

    return stub_text(collect(callbacks))


callback_stub.__module__ = "eryx"
late_annotations(globals(), CallbackRegistry, callback_stub)


def _from_dict(entry: dict[Any, Any]) -> Callback:
    for key in ("name", "fn"):
        if key not in entry:
            raise KeyError(f"a callback must have {key!r}")
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise TypeError(f"callback {entry['name']!r} has the unknown key {unknown[0]!r}")
    if entry["name"] is None:
        raise TypeError("name of a callback must be a str, not NoneType")
    return Callback(
        entry["fn"],
        entry["name"],
        entry.get("description"),
        entry.get("schema"),
        entry.get("thread", False),
        entry.get("sync", False),
        entry.get("errors", "full"),
        entry.get("on_error"),
    )


def _kind(value: object) -> str:
    return type(value).__name__


def _is_async(fn: Callable[..., Any]) -> bool:
    import inspect

    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(
        getattr(fn, "__call__", None)  # noqa: B004  (not to find out whether it is callable)
    )


def _checked_name(fn: Callable[..., Any], name: str | None) -> str:
    if name is None:
        name = getattr(fn, "__name__", None)
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"the callback {fn!r} has no name of its own: give one with name=")
    if not isinstance(name, str):
        raise TypeError(f"name of a callback must be a str, not {type(name).__name__}")
    if not name or not name.isprintable():
        raise ValueError(f"name of a callback must be printable and not empty, not {name!r}")
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise ValueError(f"name of a callback must not be longer than {_MAX_NAME_BYTES} bytes")
    return name


def _checked_description(fn: Callable[..., Any], name: str, description: str | None) -> str:
    if description is None:
        import inspect

        documentation = getattr(fn, "__doc__", None)
        return inspect.cleandoc(documentation) if isinstance(documentation, str) else ""
    if not isinstance(description, str):
        wrong = type(description).__name__
        raise TypeError(f"description of callback {name!r} must be a str, not {wrong}")
    return description


def _described(
    fn: Callable[..., Any], name: str
) -> tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]:
    """The schema, the positional parameters and the hints that a function has by itself.

    Looking at a function takes as long as a third of a short run, and those that make a sandbox for
    each request have the same ones each time.
    """
    parts = _parts(fn)
    known = None if parts is None else _descriptions.get(fn)
    if known is not None and known[0] == parts:
        return known[1]
    found = _checked_schema(name, schema_of(fn)), positional_only_names(fn), hints_of(fn)
    if parts is not None:
        _descriptions[fn] = parts, found
    return found


def _parts(fn: Callable[..., Any]) -> tuple[object, ...] | None:
    """What the description of a function depends on, without what could refer to the function.

    None if it is not a plain function with plain defaults.
    """
    if type(fn) is not FunctionType or fn.__dict__ or fn.__kwdefaults__:
        return None
    defaults = fn.__defaults__
    if defaults is not None and any(type(value) not in _PLAIN_TYPES for value in defaults):
        return None
    return fn.__code__, defaults, id(fn.__annotations__)


def _checked_schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A copy of a schema, so that nobody changes it later."""
    import json

    if not isinstance(schema, dict):
        raise TypeError(f"schema of callback {name!r} must be a dict, not {type(schema).__name__}")
    try:
        copy = json.loads(json.dumps(schema, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"schema of callback {name!r} is not JSON: {error}") from None
    if not isinstance(copy.get("properties", {}), dict):
        raise ValueError(f"schema of callback {name!r}: 'properties' must be an object")
    required = copy.get("required", [])
    if not isinstance(required, list) or not all(isinstance(entry, str) for entry in required):
        raise ValueError(f"schema of callback {name!r}: 'required' must be a list of names")
    if copy.get("type", "object") != "object":
        raise ValueError(f"schema of callback {name!r} must describe an object")
    result: dict[str, Any] = copy
    return result
