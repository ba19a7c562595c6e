"""The names by which a program calls the host's functions."""

import base64
import builtins
import difflib
import inspect
import json
import keyword
from collections.abc import Coroutine, Iterator
from typing import Any

from _eryx_runtime import callbacks
from _eryx_runtime.pending import Pending, as_bytes


def _attribute(name: str) -> str:
    return name.replace("-", "_")


class Namespace:
    """Functions of the host whose names begin alike; members by attribute or item."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._members: dict[str, Namespace] = {}

    def _member(self, name: str) -> "Namespace | None":
        members: dict[str, Namespace] = self.__dict__.get("_members", {})  # a copy begins without
        member = members.get(name)
        if member is not None:
            return member
        for other in members:
            if _attribute(other) == name:
                return members[other]
        return None

    def __getattr__(self, name: str) -> "Namespace":
        member = self._member(name)
        if member is None:
            path = self.__dict__.get("_path", "?")
            raise AttributeError(f"callback {path!r} has no member {name!r}", name=name, obj=self)
        return member

    def __getitem__(self, name: str) -> "Namespace":
        member = self._member(name)
        if member is None:
            raise KeyError(name)
        return member

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *map(_attribute, self._members)]

    def __repr__(self) -> str:
        return f"<callback namespace {self._path!r}>"


class Callback(Namespace):
    """A function of the host: `await it(...)`, or `it.sync(...)` in synchronous code."""

    def __init__(
        self,
        name: str,
        description: str,
        schema: dict[str, Any],
        *,
        is_sync: bool = False,
        gives_bytes: bool = False,
    ) -> None:
        super().__init__(name)
        self.__name__ = name
        self.__doc__ = description
        self._schema = schema
        self._is_sync = is_sync
        self._gives_bytes = gives_bytes
        properties = schema.get("properties")
        self._parameters = tuple(properties) if isinstance(properties, dict) else ()
        self._closed = schema.get("additionalProperties") is False

    def _bind(self, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        parameters = self._parameters
        if len(positional) > len(parameters):
            raise TypeError(
                f"{self._path}() takes {len(parameters)} positional arguments"
                f" but {len(positional)} were given"
            )
        bound = dict(zip(parameters, positional, strict=False))
        for name, value in named.items():
            if name in bound:
                raise TypeError(f"{self._path}() got multiple values for argument {name!r}")
            if self._closed and name not in parameters:
                raise TypeError(f"{self._path}() got an unexpected keyword argument {name!r}")
            bound[name] = value
        return bound

    def __call__(self, /, *positional: Any, **named: Any) -> Any:
        if positional or self._closed:
            named = self._bind(positional, named)
        if self._is_sync:
            return self._wait(named)
        return Pending(_call_for_bytes if self._gives_bytes else _call, self._path, named)

    def sync(self, /, *positional: Any, **named: Any) -> Any:
        """Call without a running event loop, or past it: only other threads run meanwhile."""
        if positional or self._closed:
            named = self._bind(positional, named)
        return self._wait(named)

    def _wait(self, named: dict[str, Any]) -> Any:
        answer = _call_and_wait(self._path, named)
        if self._gives_bytes and isinstance(answer, str):
            return base64.b64decode(answer)
        return answer

    def help_text(self) -> str:
        """What help() prints."""
        from _eryx_runtime.signatures import help_text

        return help_text(self._path, self.__doc__ or "", self._schema, is_sync=self._is_sync)

    @property
    def __signature__(self) -> inspect.Signature:
        from _eryx_runtime.signatures import signature_of

        return signature_of(self._schema)

    def __repr__(self) -> str:
        return f"<callback {self._path!r}>"


class _Invoke:
    """Calls a function of the host by its name: await invoke("name", **arguments)."""

    __name__ = "invoke"

    def __call__(self, name: str, /, *positional: Any, **named: Any) -> Coroutine[Any, Any, Any]:
        return _find(name)(*positional, **named)

    def sync(self, name: str, /, *positional: Any, **named: Any) -> Any:
        """Call without await."""
        return _find(name).sync(*positional, **named)

    def __repr__(self) -> str:
        return "<function invoke>"


def list_callbacks() -> list[dict[str, Any]]:
    """Give name, description, and parameters_schema of each function of the host."""
    return [
        {
            "name": entry["name"],
            "description": entry.get("description") or "",
            "parameters_schema": entry.get("schema") or {},
        }
        for entry in json.loads(_declared.text)
    ]


class _Declared:
    """What the host has declared last."""

    text = b"[]"
    callbacks: dict[str, Callback]
    names: dict[str, object]  # globals


def _call_for_bytes(name: str, arguments: dict[str, Any]) -> Coroutine[Any, Any, Any]:
    return as_bytes(callbacks.call(name, arguments))


_call = callbacks.call
_call_and_wait = callbacks.call_and_wait
_invoke = _Invoke()
_declared = _Declared()
_declared.callbacks = {}
_declared.names = {}


def _find(name: str) -> Callback:
    found = _declared.callbacks.get(name)
    if found is not None:
        return found
    if not isinstance(name, str):
        raise TypeError(f"the name of a callback is a str, not {type(name).__name__}")
    near = difflib.get_close_matches(name, _declared.callbacks, 3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise callbacks.CallbackNotFoundError(f"callback {name!r} not found{hint}")


def _may_be_global(name: str) -> bool:
    """Whether a program can do without what it has of that name already."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and (not hasattr(builtins, name) or name == "display")
        and not (name.startswith("__") and name.endswith("__"))
    )


def _place(names: dict[str, Namespace], path: str, callback: Callback) -> None:
    """Put a callback where its dotted name says, with the namespaces on the way there."""
    members, walked = names, []
    *parents, last = path.split(".")
    for part in parents:
        walked.append(part)
        members = members.setdefault(part, Namespace(".".join(walked)))._members
    earlier = members.get(last)
    if earlier is not None:
        callback._members = earlier._members
    members[last] = callback


def _declare(text: bytes) -> None:
    entries = json.loads(text)
    found: dict[str, Callback] = {}
    tree: dict[str, Namespace] = {}
    for entry in entries:
        name, schema = entry["name"], entry.get("schema")
        if not isinstance(name, str) or name in found:
            raise ValueError(f"callbacks: the name {name!r} is not a text or there twice")
        schema = schema if isinstance(schema, dict) else {}
        found[name] = Callback(
            name,
            entry.get("description") or "",
            schema,
            is_sync=entry.get("sync") is True,
            gives_bytes=entry.get("bytes") is True,
        )
        _place(tree, name, found[name])
    names: dict[str, object] = {}
    for root, member in tree.items():
        if _may_be_global(_attribute(root)):
            names.setdefault(_attribute(root), member)
    names["invoke"] = _invoke
    names["list_callbacks"] = list_callbacks
    _declared.text, _declared.callbacks, _declared.names = text, found, names


def install(text: bytes | None, target: dict[str, Any], result_variable: str | None) -> None:
    """Give the globals of a program the names of the callbacks that are declared; None: no names.

    Names from an earlier run that are not declared any more are taken away. What the program itself
    has put in the place of one stays as long as the declarations are the same.
    """
    if text == _declared.text and "invoke" in target:
        if result_variable in _declared.names and (
            target.get(result_variable) is _declared.names[result_variable]
        ):
            del target[result_variable]
        return
    for name, value in _declared.names.items():
        if target.get(name) is value:
            del target[name]
    if text is None:
        _declared.text, _declared.callbacks, _declared.names = b"[]", {}, {}
        return
    if text != _declared.text or not _declared.names:
        try:
            _declare(text)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"the declarations of callbacks are malformed: {error!r}") from None
    # A name that the result is to have is the program's; such a callback is reached by invoke().
    target.update({k: v for k, v in _declared.names.items() if k != result_variable})
