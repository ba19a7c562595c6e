"""Python type stubs of callbacks."""

from __future__ import annotations

import builtins
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


def stub_text(callbacks: list[Callback], *, most_of_servers: int | None = None) -> str:
    """The text: functions, a class for each namespace, comments for what only `invoke` reaches.

    most_of_servers: characters of what is said of tools of MCP servers; None for all.
    """
    root = _Namespace()
    others: list[Callback] = []
    names = {callback.name for callback in callbacks}
    roots: dict[str, str] = {}
    for callback in callbacks:
        parts = _written(callback.name, names, roots)
        if parts is None:
            others.append(callback)
            continue
        namespace = root
        for part in parts[:-1]:
            namespace = namespace.inner.setdefault(part, _Namespace())
        namespace.functions[parts[-1]] = callback
    lines = ["from typing import Any", "", *_namespace_lines(root, "", most_of_servers)]
    for callback in others:
        lines += _comment_lines(callback, most_of_servers)
    return "\n".join(lines).rstrip("\n") + "\n"


def _written(name: str, names: set[str], roots: dict[str, str]) -> list[str] | None:
    """The parts of a name as programs write it, with _ for -; None if they cannot.

    names: those that there are, to which what is written for this one is added.
    roots: how the first parts that were seen are spelled, by how they are written.
    """
    root, dot, rest = name.partition(".")
    parts = name.replace("-", "_").split(".")
    if not all(map(_usable, parts)) or roots.setdefault(parts[0], root) != root:
        return None
    if parts[0].startswith("__") or (hasattr(builtins, parts[0]) and parts[0] != "display"):
        return None  # which the guest leaves to Python
    written = root + dot + rest.replace("-", "_")
    if written != name and written in names:
        return None
    names.add(written)
    return parts


def _usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _description(callback: Callback, most_of_servers: int | None) -> str:
    text = callback.description
    if most_of_servers is None or not callback.name.startswith("mcp."):
        return text
    line = " ".join(text.split())
    return line if len(line) <= most_of_servers else f"{line[: most_of_servers - 3].rstrip()}..."


def _namespace_lines(namespace: _Namespace, indent: str, most_of_servers: int | None) -> list[str]:
    lines: list[str] = []
    for name, callback in namespace.functions.items():
        if indent:
            lines.append(f"{indent}@staticmethod")
        how = "def" if callback.sync else "async def"
        lines.append(f"{indent}{how} {name}({_parameters(callback)}) -> {_returns(callback)}:")
        description = _description(callback, most_of_servers)
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
        lines += _namespace_lines(inner, indent + _INDENT, most_of_servers)
    return lines


def _comment_lines(callback: Callback, most_of_servers: int | None) -> list[str]:
    how = "" if callback.sync else "await "
    words = ", ".join(filter(None, [repr(callback.name), _parameters(callback)]))
    call = f"# {how}invoke({words}) -> {_returns(callback)}"
    description = " ".join(_description(callback, most_of_servers).split())
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
