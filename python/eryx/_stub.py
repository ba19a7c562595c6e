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

# How far objects in objects are described.
_DEEPEST = 16


class _Namespace:
    """What dotted names with the same beginning share."""

    def __init__(self) -> None:
        self.functions: dict[str, Callback] = {}
        self.inner: dict[str, _Namespace] = {}


def stub_text(
    callbacks: list[Callback], *, most_of_servers: int | None = None, takes_any_dict: bool = False
) -> str:
    """The text: types, functions, a class for each namespace, comments for what `invoke` reaches.

    most_of_servers: characters of what is said of tools of MCP servers; None for all.
    takes_any_dict: where a function wants a dict of certain members it takes others as well, as
    what a program has in a variable is often of no type that a checker could tell.
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
    types = _Types(set(roots), takes_any_dict)
    lines = _namespace_lines(root, "", types, most_of_servers)
    for callback in others:
        lines += _comment_lines(callback, types, most_of_servers)
    lines = [f"from typing import {', '.join(sorted(types.imports))}", "", *types.lines, *lines]
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


def _namespace_lines(
    namespace: _Namespace, indent: str, types: _Types, most_of_servers: int | None
) -> list[str]:
    lines: list[str] = []
    for name, callback in namespace.functions.items():
        if indent:
            lines.append(f"{indent}@staticmethod")
        how = "def" if callback.sync else "async def"
        lines.append(
            f"{indent}{how} {name}({_parameters(callback, types)}) -> {_returns(callback, types)}:"
        )
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
        lines += _namespace_lines(inner, indent + _INDENT, types, most_of_servers)
    return lines


def _comment_lines(callback: Callback, types: _Types, most_of_servers: int | None) -> list[str]:
    how = "" if callback.sync else "await "
    words = ", ".join(filter(None, [repr(callback.name), _parameters(callback, types)]))
    call = f"# {how}invoke({words}) -> {_returns(callback, types)}"
    description = " ".join(_description(callback, most_of_servers).split())
    return [call, f"#     {description}", ""] if description else [call, ""]


def _parameters(callback: Callback, types: _Types) -> str:
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
        text = f"{name}: {types.taken(entry, schema)}"
        if name in required:
            if seen_default and in_order:
                parts.append("*")  # so the others are given by name, as they are in the guest
                in_order = False
        else:
            seen_default = True
            default = entry.get("default", ...) if isinstance(entry, dict) else ...
            text += " = ..." if not _plain(default) else f" = {default!r}"
        parts.append(text)
    if rest:
        parts.append("**arguments: Any")
    return ", ".join(parts)


def _plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _returns(callback: Callback, types: _Types) -> str:
    schema = return_type(callback.fn)
    return types.given(schema, schema)


class _Types:
    """The Python types that JSON schemas describe, as far as Python has words for them."""

    def __init__(self, taken_names: set[str], takes_any_dict: bool) -> None:
        self.imports = {"Any"}
        self.lines: list[str] = []
        self._takes_any_dict = takes_any_dict
        self._names = {*taken_names, *_TYPES.values(), "Any", "Literal", "TypedDict", "NotRequired"}
        self._classes: dict[str, str] = {}  # what a class has, and its name
        self._has_class = False  # of the type that is being made
        self._open: list[str] = []  # titles of those that are being described

    def taken(self, schema: Any, root: Any) -> str:
        """The type of a parameter. root: where references lead."""
        self._has_class = False
        text = self._type(schema, root, 0)
        if self._takes_any_dict and self._has_class:
            return _union([text, _TYPES["object"]])
        return text

    def given(self, schema: Any, root: Any) -> str:
        """The type of an answer."""
        return self._type(schema, root, 0)

    def _type(self, schema: Any, root: Any, depth: int) -> str:
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return "Any"
        depth += 1
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._of_reference(reference, root, depth)
        options = schema.get("anyOf")
        if isinstance(options, list) and options:
            return _union([self._type(option, root, depth) for option in options])
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if isinstance(values, list) and values:
            return self._of_values(values)
        kind = schema.get("type")
        if isinstance(kind, list) and kind:
            return _union([self._type({"type": entry}, root, depth) for entry in kind])
        if schema.get("contentEncoding") == "base64":
            return "bytes"
        if kind == "array" and "items" in schema:
            return f"list[{self._type(schema['items'], root, depth)}]"
        if kind == "object" and isinstance(schema.get("properties"), dict):
            return self._class_of(schema, root, depth)
        if kind == "object" and "additionalProperties" in schema:
            return f"dict[str, {self._type(schema['additionalProperties'], root, depth)}]"
        return _TYPES.get(kind, "Any") if isinstance(kind, str) else "Any"

    def _of_reference(self, reference: str, root: Any, depth: int) -> str:
        """The type of a definition."""
        found = root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return self._type(found, root, depth)

    def _of_values(self, values: list[Any]) -> str:
        if all(value is None or isinstance(value, str | bool | int) for value in values):
            self.imports.add("Literal")
            return f"Literal[{', '.join(map(repr, values))}]"
        return _union([_TYPES.get(_json_type(value), "Any") for value in values])

    def _class_of(self, schema: dict[str, Any], root: Any, depth: int) -> str:
        """The name of a class for dicts with certain members."""
        members = schema["properties"]
        title = schema.get("title")
        if not members or not all(map(_usable, members)) or not isinstance(title, str):
            return _TYPES["object"]
        if not _usable(title):
            return _TYPES["object"]
        if title in self._open:
            return title  # it is in itself
        required = schema.get("required", ())
        lines = []
        self._open.append(title)
        for name, entry in members.items():
            text = self._type(entry, root, depth)
            if name not in required:
                self.imports.add("NotRequired")
                text = f"NotRequired[{text}]"
            lines.append(f"{_INDENT}{name}: {text}")
        self._open.pop()
        body = "\n".join(lines)
        self._has_class = True
        found = self._classes.get(f"{title}\n{body}")
        if found is None:
            found, number = title, 2
            while found in self._names:
                found, number = f"{title}{number}", number + 1
            self._names.add(found)
            self._classes[f"{title}\n{body}"] = found
            self.imports.add("TypedDict")
            self.lines += [f"class {found}(TypedDict):", body, ""]
        return found


def _json_type(value: object) -> str:
    for python_type, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, python_type):
            return name
    return "string" if isinstance(value, str) else "null" if value is None else "any"


def _union(types: list[str]) -> str:
    distinct = list(dict.fromkeys(types))
    return "Any" if "Any" in distinct else " | ".join(distinct)
