"""Python type stubs of callbacks."""

from __future__ import annotations

import keyword

from eryx._schema import return_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx._callbacks import Callback

_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list[Any]",
    "object": "dict[str, Any]",
    "null": "None",
}

_INDENT = "    "


class _Namespace:
    """What dotted names with the same beginning share."""

    def __init__(self) -> None:
        self.functions: dict[str, Callback] = {}
        self.inner: dict[str, _Namespace] = {}


def stub_text(callbacks: list[Callback]) -> str:
    """The text: functions, a class for each namespace, comments for what only `invoke` reaches."""
    root = _Namespace()
    others: list[Callback] = []
    for callback in callbacks:
        parts = callback.name.split(".")
        if not all(_usable(part) for part in parts):
            others.append(callback)
            continue
        namespace = root
        for part in parts[:-1]:
            namespace = namespace.inner.setdefault(part, _Namespace())
        namespace.functions[parts[-1]] = callback
    lines = ["from typing import Any", "", *_namespace_lines(root, "")]
    for callback in others:
        lines += _comment_lines(callback)
    return "\n".join(lines).rstrip("\n") + "\n"


def _usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _namespace_lines(namespace: _Namespace, indent: str) -> list[str]:
    lines: list[str] = []
    for name, callback in namespace.functions.items():
        if indent:
            lines.append(f"{indent}@staticmethod")
        how = "def" if callback.sync else "async def"
        lines.append(f"{indent}{how} {name}({_parameters(callback)}) -> {_returns(callback)}:")
        description = callback.description
        if description:
            quotes = "'''" if "'''" not in description and description[-1] != "'" else '"""'
            if quotes in description or description[-1] == '"' or "\\" in description:
                lines.append(f"{indent}{_INDENT}{description!r}")
            else:
                first, *rest = description.splitlines()
                text = [f"{quotes}{first}", *rest]
                text[-1] += f"\n{indent}{_INDENT}{quotes}" if rest else quotes
                lines += [f"{indent}{_INDENT}{line}" if line else "" for line in text]
        else:
            lines.append(f"{indent}{_INDENT}...")
        lines.append("")
    for name, inner in namespace.inner.items():
        lines.append(f"{indent}class {name}:")
        lines += _namespace_lines(inner, indent + _INDENT)
    return lines


def _comment_lines(callback: Callback) -> list[str]:
    how = "" if callback.sync else "await "
    call = f"# {how}invoke({callback.name!r}, {_parameters(callback)}) -> {_returns(callback)}"
    description = " ".join(callback.description.split())
    return [call, f"#     {description}", ""] if description else [call, ""]


def _parameters(callback: Callback) -> str:
    schema = callback.schema
    required = set(schema.get("required", ()))
    parts: list[str] = []
    seen_default = False
    in_order = True
    rest = not schema.get("properties") and "properties" not in schema
    for name, entry in schema.get("properties", {}).items():
        if not _usable(name):
            rest = True
            continue
        text = f"{name}: {_type_of(entry)}"
        if name in required:
            in_order = in_order and not seen_default
        else:
            seen_default = True
            default = entry.get("default", ...) if isinstance(entry, dict) else ...
            text += " = ..." if not _plain(default) else f" = {default!r}"
        parts.append(text)
    if parts and not in_order:
        parts.insert(0, "*")
    if rest:
        parts.append("**arguments: Any")
    return ", ".join(parts)


def _plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _returns(callback: Callback) -> str:
    return _type_of(return_type(callback.fn))


def _type_of(schema: Any) -> str:
    """The Python type that a JSON schema describes, as far as Python has a word for it."""
    if not isinstance(schema, dict):
        return "Any"
    options = schema.get("anyOf")
    if isinstance(options, list) and options:
        return _union([_type_of(option) for option in options])
    values = schema.get("enum")
    if isinstance(values, list) and values:
        return _union([_type_of({"type": _json_type(value)}) for value in values])
    kind = schema.get("type")
    if isinstance(kind, list) and kind:
        return _union([_type_of({"type": entry}) for entry in kind])
    if schema.get("contentEncoding") == "base64":
        return "bytes"
    if kind == "array" and "items" in schema:
        return f"list[{_type_of(schema['items'])}]"
    if kind == "object" and "additionalProperties" in schema:
        return f"dict[str, {_type_of(schema['additionalProperties'])}]"
    return _TYPES.get(kind, "Any") if isinstance(kind, str) else "Any"


def _json_type(value: object) -> str:
    for python_type, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, python_type):
            return name
    return "string" if isinstance(value, str) else "null" if value is None else "any"


def _union(types: list[str]) -> str:
    distinct = list(dict.fromkeys(types))
    return "Any" if "Any" in distinct else " | ".join(distinct)
