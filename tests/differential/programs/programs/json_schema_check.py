"""Checks JSON documents against a small schema and tells where each is wrong."""

import json

SCHEMA = {
    "type": "object",
    "required": ["name", "tags"],
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
        "home": {"type": "object", "properties": {"zip": {"pattern": r"^\d{5}$"}}},
    },
}
KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
}


def errors(value, schema, path="$"):
    kind = schema.get("type")
    if kind and (
        not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool))
    ):
        yield f"{path}: {json.dumps(value)} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(map(repr, schema['enum']))}"
    if len(value) < schema["minLength"] if "minLength" in schema else False:
        yield f"{path}: shorter than {schema['minLength']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value} < {schema['minimum']}"
    if "pattern" in schema:
        import re

        if not re.search(schema["pattern"], str(value)):
            yield f"{path}: {value!r} does not match"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{path}: {name} is missing"
        for name, sub in schema.get("properties", {}).items():
            if name in value:
                yield from errors(value[name], sub, f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from errors(item, schema["items"], f"{path}[{index}]")


for text in (
    '{"name": "Ann", "tags": ["a"]}',
    '{"name": "A", "age": -1, "tags": ["a", "z", 5]}',
    "[1, 2]",
    '{"name": 5, "tags": {}}',
    '{"age": true, "home": {"zip": "1234"}}',
    '{"name": "x"',
    '{"name": "Bob", "tags": [], "age": 1.0}',
):
    try:
        print(text, "->", list(errors(json.loads(text), SCHEMA)) or "fine")
    except json.JSONDecodeError as error:
        print(text, "->", error)
