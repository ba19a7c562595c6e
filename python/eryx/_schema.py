"""JSON schema of a function's arguments, made of its signature and type hints."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable
    from typing import Any

# How far dataclasses in dataclasses are described, which may be in themselves.
_DEEPEST = 8

_JSON_TYPES: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    tuple: "array",
    dict: "object",
    None: "null",
    type(None): "null",
}


def schema_of(fn: Callable[..., Any]) -> dict[str, Any]:
    """The schema of what a function takes; `*args` and `**kwargs` are left out."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in _parameters(fn):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        schema = _schema_of_type(parameter.annotation)
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        elif isinstance(parameter.default, str | int | float | bool | None) and (
            parameter.default == parameter.default  # no NaN
        ):
            schema["default"] = parameter.default
        properties[parameter.name] = schema
    return _with_definitions({"type": "object", "properties": properties, "required": required})


def positional_only_names(fn: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters that cannot be given by name."""
    return tuple(
        parameter.name
        for parameter in _parameters(fn)
        if parameter.kind is parameter.POSITIONAL_ONLY
    )


def return_type(fn: Callable[..., Any]) -> object:
    """The schema of what a function returns; empty if nothing is known."""
    annotation = _hints(fn).get("return", ...)
    return {} if annotation is ... else _with_definitions(_schema_of_type(annotation))


def _with_definitions(schema: dict[str, Any]) -> dict[str, Any]:
    """Has the definitions that parts of a schema brought at its top, where references lead."""
    definitions: dict[str, Any] = {}
    _take_definitions(schema, definitions)
    return {**schema, "$defs": definitions} if definitions else schema


def _take_definitions(part: Any, definitions: dict[str, Any]) -> None:
    """Takes the definitions out of a part. Where two are of one name the later gets another."""
    inner = list(part.values()) if isinstance(part, dict) else part
    if isinstance(part, dict) and isinstance(part.get("$defs"), dict):
        own = part.pop("$defs")
        names: dict[str, str] = {}
        for name, definition in own.items():
            found, number = name, 2
            while definitions.get(found, definition) != definition:
                found, number = f"{name}{number}", number + 1
            names[f"#/$defs/{name}"] = f"#/$defs/{found}"
            definitions[found] = definition
        _rename_references([part, own], names)
    elif isinstance(inner, list):
        for each in inner:
            _take_definitions(each, definitions)


def _rename_references(part: Any, names: dict[str, str]) -> None:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str):
            part["$ref"] = names.get(reference, reference)
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _rename_references(each, names)


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    """The type hints; none at all if one of them cannot be found."""
    import functools
    import typing

    while isinstance(fn, functools.partial):
        fn = fn.func
    target = fn if hasattr(fn, "__annotations__") else getattr(fn, "__call__", fn)  # noqa: B004
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # a hint may be any expression
        return {}


def _parameters(fn: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters with their hints; none for what has no signature, as some builtins."""
    import inspect

    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return []
    hints = _hints(fn)
    return [
        parameter.replace(annotation=hints.get(parameter.name, parameter.empty))
        for parameter in parameters
    ]


def hints_of(fn: Callable[..., Any]) -> dict[str, Any]:
    """What the arguments of a function are to be, by the names of its parameters."""
    import typing

    found: dict[str, Any] = {}
    for parameter in _parameters(fn):
        hint = parameter.annotation
        if hint in (parameter.empty, typing.Any) or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        found[parameter.name] = typing.Union[hint, None] if parameter.default is None else hint  # noqa: UP007
    return found


def returns_bytes(fn: Callable[..., Any]) -> bool:
    """Whether a function is said to give bytes."""
    return _hints(fn).get("return") is bytes


def _schema_of_type(hint: Any, depth: int = 0) -> dict[str, Any]:
    """The schema of one type; empty, which allows everything, for types that JSON does not know."""
    import enum
    import types
    import typing

    if _hashable(hint) and hint in _JSON_TYPES:
        return {"type": _JSON_TYPES[hint]}
    if hint is bytes:
        return {"type": "string", "contentEncoding": "base64"}
    if depth > _DEEPEST:
        return {}
    from eryx import _typed

    if _typed.needs_pydantic(hint):
        found: dict[str, Any] = _typed.adapter(hint).json_schema()
        return found
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    depth += 1
    if origin is typing.Annotated:
        return _schema_of_type(arguments[0], depth)
    if origin is typing.Literal and all(
        isinstance(value, str | int | bool | None) for value in arguments
    ):
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema_of_type(argument, depth) for argument in arguments]}
    if origin is list and arguments:
        return {"type": "array", "items": _schema_of_type(arguments[0], depth)}
    if origin is dict and len(arguments) == 2:
        return {"type": "object", "additionalProperties": _schema_of_type(arguments[1], depth)}
    if origin in (list, tuple, dict):
        return {"type": _JSON_TYPES[origin]}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    text_format = _typed.text_format(hint)
    if text_format is not None:
        return {"type": "string", "format": text_format}
    fields = _typed.fields_of(hint)
    if fields is not None:
        return {
            "title": hint.__name__,
            "type": "object",
            "properties": {name: _schema_of_type(f, depth) for name, f in fields[0].items()},
            "required": [name for name in fields[0] if name in fields[1]],
        }
    return {}


def _hashable(value: object) -> bool:
    return getattr(value, "__hash__", None) is not None
