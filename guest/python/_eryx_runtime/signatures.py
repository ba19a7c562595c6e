"""Signatures and help of the host's functions; imported when a program asks."""

import inspect
from typing import Any, Literal

_TYPES = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": None,
}


class _Given:
    """A default that JSON has no word for."""

    def __repr__(self) -> str:
        return "..."


_GIVEN = _Given()


def _annotation(schema: Any) -> Any:
    """The Python type of a schema, as far as there is one."""
    if not isinstance(schema, dict):
        return inspect.Parameter.empty
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(values, list) and values:
        return Literal[tuple(values)]
    if isinstance(schema.get("$ref"), str):
        return dict  # definitions are of objects, but for enumerations
    if schema.get("contentEncoding") == "base64":
        return bytes
    kind = schema.get("type")
    if isinstance(kind, str) and kind in _TYPES:
        return _TYPES[kind]
    options = schema.get("anyOf")
    if isinstance(options, list) and options:
        found = [_annotation(option) for option in options]
        if inspect.Parameter.empty not in found:
            union = found[0]
            for other in found[1:]:
                union = union | other
            return union
    return inspect.Parameter.empty


def signature_of(schema: dict[str, Any]) -> inspect.Signature:
    """The signature that a schema of arguments describes."""
    properties = schema.get("properties")
    required = schema.get("required") or ()
    parameters: list[inspect.Parameter] = []
    if isinstance(properties, dict):
        seen_default = False
        for name, entry in properties.items():
            if not name.isidentifier():
                continue
            default: Any = inspect.Parameter.empty
            if name not in required:
                default = entry.get("default", _GIVEN) if isinstance(entry, dict) else _GIVEN
                seen_default = True
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            if default is inspect.Parameter.empty and seen_default:
                kind = inspect.Parameter.KEYWORD_ONLY
            annotation = _annotation(entry)
            try:
                parameters.append(
                    inspect.Parameter(name, kind, default=default, annotation=annotation)
                )
            except ValueError:
                continue  # a keyword
    parameters.sort(key=lambda parameter: parameter.kind)
    return inspect.Signature(parameters)


def help_text(name: str, description: str, schema: dict[str, Any], *, is_sync: bool) -> str:
    """What help() prints of a function of the host."""
    how = "" if is_sync else "await "
    lines = [f"{how}{name}{signature_of(schema)}", ""]
    lines += [f"    {line}".rstrip() for line in description.splitlines()]
    return "\n".join(lines).rstrip() + "\n"
