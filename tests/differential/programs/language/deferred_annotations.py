"""PEP 649: annotations are evaluated when asked for, in four formats."""

import annotationlib
from annotationlib import Format, ForwardRef, get_annotations


class Node:
    value: int
    next: Node | None = None
    other: Undefined
    pair: tuple[Missing, str]


def link(a: Node, b: Later, *, c: "text" = 1) -> list[Later]:
    """Later is nowhere."""


print(get_annotations(Node, format=Format.STRING))
print(get_annotations(link, format=Format.STRING))
forward = get_annotations(Node, format=Format.FORWARDREF)
print(forward["value"], forward["next"], forward["other"])
print(forward["pair"])
try:
    Node.__annotations__
except NameError as error:
    print("NameError", error)
try:
    link.__annotations__
except NameError as error:
    print("NameError", error)


class Later:
    pass


print(link.__annotations__)
Undefined = Missing = float
print(Node.__annotations__)
print(Node.__annotate__(Format.VALUE)["other"])
try:
    Node.__annotate__(Format.STRING)
except NotImplementedError as error:
    print("NotImplementedError", error)
print(annotationlib.call_annotate_function(Node.__annotate__, Format.STRING))
print(repr(ForwardRef("int | str")), ForwardRef("int | str").evaluate())
print(annotationlib.annotations_to_string({"a": int, "b": list[str], "c": "x", "d": None}))
x: int = 3
print(__annotations__)
link.__annotations__ = {"a": 1}
print(link.__annotations__, link.__annotate__)


def conditional(flag):
    class Holder:
        a: int
        if flag:
            b: str
        else:
            c: bytes

    return Holder.__annotations__


print(conditional(True), conditional(False))
