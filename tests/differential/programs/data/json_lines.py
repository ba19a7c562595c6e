"""JSON lines with bad lines, own types, order, escapes and numbers."""

import json
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from uuid import UUID


class Colour(Enum):
    RED = "red"


@dataclass
class Item:
    name: str
    price: Decimal
    colour: Colour = Colour.RED
    day: date = date(2024, 2, 29)
    tags: set = field(default_factory=set)


def encode(value):
    if is_dataclass(value):
        return asdict(value)
    match value:
        case Decimal() | UUID() | PurePosixPath():
            return str(value)
        case date():
            return value.isoformat()
        case Enum():
            return value.value
        case set() | frozenset():
            return sorted(value)
        case bytes():
            return value.hex()
    raise TypeError(f"cannot encode {type(value).__name__}")


text = json.dumps(
    [
        Item("é", Decimal("1.10"), tags={"b", "a"}),
        datetime(2024, 1, 1, 2),
        b"\x00\xff",
        UUID(int=7),
        PurePosixPath("/a"),
    ],
    default=encode,
)
print(text)
for number, line in enumerate(
    (
        '{"a": 1}',
        "",
        "{bad}",
        '{"a": 1.0, "a": 2}',
        "[1e400, -1e-400]",
        '"\\u00e9\\ud83d\\ude00"',
        "123456789012345678901234567890",
        "true false",
    ),
    1,
):
    try:
        print(number, json.loads(line))
    except json.JSONDecodeError as error:
        print(number, error.msg, error.colno)
try:
    json.dumps({"x": [object]}, default=encode)
except TypeError as error:
    print(error, error.__notes__)
print(
    json.dumps(
        {"b": [1, {"c": None}], "a": "\u2028</script>"},
        indent=2,
        sort_keys=True,
        ensure_ascii=False,
    )
)
