"""Structural pattern matching: sequences, mappings, classes, guards and captures."""

from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


class Line:
    __match_args__ = ("start", "end")

    def __init__(self, start, end):
        self.start = start
        self.end = end


def describe(value):
    match value:
        case None | True | False:
            return f"singleton {value}"
        case int(n) if n < 0:
            return f"negative {n}"
        case int() | float():
            return "number"
        case "":
            return "empty text"
        case str() as text:
            return f"text of {len(text)}"
        case []:
            return "empty sequence"
        case [only]:
            return f"one: {only!r}"
        case [first, *middle, last]:
            return f"{first!r} {middle!r} {last!r}"
        case {"kind": "circle", "r": r, **rest}:
            return f"circle {r} {rest}"
        case {}:
            return "mapping"
        case Point(x=0, y=0):
            return "origin"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Line(Point(0, _), Point() as end):
            return f"line from the axis to {end}"
        case Line():
            return "line"
        case _:
            return f"other {type(value).__name__}"


for each in (
    None,
    False,
    -4,
    7,
    2.5,
    "",
    "four",
    [],
    (1,),
    [1, 2],
    range(5),
    {"kind": "circle", "r": 2},
    {"kind": "circle", "r": 1, "fill": "red"},
    {},
    Point(0, 0),
    Point(3, 3),
    Point(1, 2),
    Line(Point(0, 5), Point(1, 1)),
    Line(Point(1, 5), 2),
    {1, 2},
    b"bytes",
    bytearray(b"x"),
    3j,
):
    print(describe(each))
