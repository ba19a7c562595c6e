"""Values between JSON and the types that callbacks are annotated with.

Standard types are done here; what is of pydantic is left to it, where it is installed.
"""

from __future__ import annotations

import base64
import binascii
import collections.abc
import dataclasses
import enum
import functools
import types
import typing
from typing import Any

_LISTS = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

# Types whose values are texts, by name, so that nothing is imported for them: how one is made of a
# text, and what JSON schema calls its format.
_TEXTS = {
    ("datetime", "datetime"): ("fromisoformat", "date-time"),
    ("datetime", "date"): ("fromisoformat", "date"),
    ("datetime", "time"): ("fromisoformat", "time"),
    ("decimal", "Decimal"): ("", "decimal"),
    ("uuid", "UUID"): ("", "uuid"),
    ("pathlib", "Path"): ("", "path"),
}


def text_format(hint: object) -> str | None:
    """What JSON schema calls the texts that stand for values of a type; None if none do."""
    found = _text_type(hint)
    return None if found is None else found[1]


def _text_type(hint: object) -> tuple[str, str] | None:
    if not isinstance(hint, type):
        return None
    module = hint.__module__.partition(".")[0].removeprefix("_")
    return _TEXTS.get((module, hint.__name__))


def needs_pydantic(hint: object) -> bool:
    """Whether a hint is, or has in it, something of pydantic."""
    if isinstance(hint, type) and hasattr(hint, "__pydantic_validator__"):
        return True
    for metadata in getattr(hint, "__metadata__", ()):
        if type(metadata).__module__.partition(".")[0] in ("pydantic", "annotated_types"):
            return _pydantic() is not None
    return any(needs_pydantic(inner) for inner in typing.get_args(hint))


def _pydantic() -> Any:
    try:
        import pydantic
    except ImportError:
        return None
    return pydantic


def adapter(hint: Any) -> Any:
    """What pydantic does with a hint."""
    return _pydantic().TypeAdapter(hint)


@functools.lru_cache(maxsize=256)
def _kept_adapter(hint: Any) -> Any:
    """The same, for who asks for each call: to make one takes longer than a short run."""
    return adapter(hint)


def _adapter_for_call(hint: Any) -> Any:
    try:
        hash(hint)
    except TypeError:
        return adapter(hint)
    return _kept_adapter(hint)


class MisfitError(TypeError):
    """An argument that does not fit: the guest is told, whatever it may know of exceptions."""


def load_arguments(name: str, hints: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call as its function wants them.

    Raises MisfitError that names the callback and the argument that does not fit.
    """
    loaded = dict(arguments)
    for parameter, hint in hints.items():
        if parameter in arguments and type(arguments[parameter]) is not hint:
            place = f"callback {name!r}: argument {parameter!r}"
            try:
                loaded[parameter] = load(hint, arguments[parameter], place)
            except (TypeError, ValueError) as error:
                raise MisfitError(str(error)) from None
    return loaded


def load(hint: Any, value: Any, place: str) -> Any:
    """A value of JSON as a hint says. place: for messages."""
    if hint is Any or hint is object:
        return value
    if hint is None or hint is types.NoneType:
        return _checked(value, types.NoneType, place)
    if hint is float and type(value) is int:
        return float(value)
    if hint in (bool, int, float, str, dict):
        return _checked(value, hint, place)
    if hint is bytes:
        return _bytes(value, place)
    if needs_pydantic(hint):
        return _by_pydantic(hint, value, place)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return load(inner[0], value, place)
    if origin is typing.Literal:
        if any(value == each and type(value) is type(each) for each in inner):
            return value
        raise ValueError(f"{place} must be one of {', '.join(map(repr, inner))}, not {value!r:.60}")
    if origin in (typing.Union, types.UnionType):
        return _one_of(inner, value, place)
    kind = origin or hint
    if kind in _LISTS:
        return _items(_LISTS[kind], inner, value, place)
    if kind in _MAPPINGS:
        _checked(value, dict, place)
        each = inner[1] if len(inner) == 2 else Any
        if _is_as_wanted(each, value.values()):
            return value
        return {key: load(each, item, f"{place}[{key!r}]") for key, item in value.items()}
    if typing.is_typeddict(hint):
        required = hint.__required_keys__
        return _fields(typing.get_type_hints(hint), required, value, place)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint, value, place)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        try:
            return hint(value)
        except ValueError:
            known = ", ".join(repr(member.value) for member in hint)
            raise ValueError(f"{place} must be one of {known}, not {value!r:.60}") from None
    if _text_type(hint) is not None:
        return _of_text(hint, value, place)
    return value


def _checked(value: Any, kind: type, place: str) -> Any:
    if not isinstance(value, kind):
        wanted = "None" if kind is types.NoneType else kind.__name__
        raise TypeError(f"{place} must be {wanted}, not {type(value).__name__}")
    return value


def _bytes(value: Any, place: str) -> bytes:
    text = _checked(value, str, place)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{place} must be bytes, which come as base64") from None


def _by_pydantic(hint: Any, value: Any, place: str) -> Any:
    pydantic = _pydantic()
    try:
        return _adapter_for_call(hint).validate_python(value)
    except pydantic.ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ")
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError(f"{place}: {'; '.join(problems)}") from None


def _one_of(hints: tuple[Any, ...], value: Any, place: str) -> Any:
    for hint in hints:
        if type(value) is hint or (value is None and hint is types.NoneType):
            return value
    problems = []
    for hint in hints:
        try:
            return load(hint, value, place)
        except (TypeError, ValueError) as error:
            problems.append(error)
    others = [problem for problem in problems if "must be None" not in str(problem)]
    if len(others) == 1:
        raise others[0]
    names = " or ".join(getattr(hint, "__name__", str(hint)) for hint in hints)
    raise TypeError(f"{place} must be {names}, not {type(value).__name__}")


def _is_as_wanted(hint: Any, values: collections.abc.Iterable[Any]) -> bool:
    """Whether nothing is to be done to the values, of which there may be very many."""
    if hint is Any or hint is object:
        return True
    return hint in (bool, int, float, str) and set(map(type, values)) <= {hint}


def _items(kind: Any, inner: tuple[Any, ...], value: Any, place: str) -> Any:
    _checked(value, list, place)
    if kind is tuple and inner and inner[-1] is not ...:
        if len(value) != len(inner):
            raise ValueError(f"{place} must have {len(inner)} items, not {len(value)}")
        return tuple(
            load(hint, item, f"{place}[{index}]")
            for index, (hint, item) in enumerate(zip(inner, value, strict=True))
        )
    each = inner[0] if inner else Any
    if _is_as_wanted(each, value):
        return value if kind is list else kind(value)
    return kind(load(each, item, f"{place}[{index}]") for index, item in enumerate(value))


def _fields(
    hints: dict[str, Any], required: typing.AbstractSet[str], value: Any, place: str
) -> dict[str, Any]:
    _checked(value, dict, place)
    for name in value:
        if name not in hints:
            raise ValueError(f"{place} has no member {name!r}")
    missing = sorted(required - value.keys())
    if missing:
        raise ValueError(f"{place} must have the member {missing[0]!r}")
    return {
        name: load(_bare(hints[name]), item, f"{place}[{name!r}]") for name, item in value.items()
    }


def _bare(hint: Any) -> Any:
    """Without Required and NotRequired."""
    if typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        return typing.get_args(hint)[0]
    return hint


def _dataclass(hint: Any, value: Any, place: str) -> Any:
    hints = typing.get_type_hints(hint, include_extras=True)
    fields = [field for field in dataclasses.fields(hint) if field.init]
    required = {field.name for field in fields if not _has_default(field)}
    return hint(**_fields({f.name: hints[f.name] for f in fields}, required, value, place))


def _has_default(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _of_text(hint: Any, value: Any, place: str) -> Any:
    found = _text_type(hint)
    assert found is not None
    if found[1] == "decimal" and isinstance(value, int | float):
        value = str(value)
    text = _checked(value, str, place)
    try:
        return (getattr(hint, found[0]) if found[0] else hint)(text)
    except (ValueError, ArithmeticError):
        raise ValueError(f"{place} must be a {hint.__name__}, not {text!r:.60}") from None


def fields_of(hint: Any) -> tuple[dict[str, Any], set[str]] | None:
    """Names and hints of what JSON has as an object, and which must be there; None for others."""
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint)
        return {name: _bare(inner) for name, inner in hints.items()}, set(hint.__required_keys__)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint, include_extras=True)
        fields = [field for field in dataclasses.fields(hint) if field.init]
        required = {field.name for field in fields if not _has_default(field)}
        return {field.name: hints[field.name] for field in fields}, required
    return None


def dump(value: Any) -> Any:
    """What JSON is to have in place of a value that it does not know."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(type(value), "__pydantic_validator__"):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return list(value)
    for kind in type(value).__mro__:
        found = _text_type(kind)
        if found is not None:
            return value.isoformat() if found[0] else str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
