"""Annotations are kept and not enforced."""

from typing import get_type_hints


def f(a: int, b: "list[str]" = None, *c: float) -> dict[str, int]:
    return {"a": a}


print(f("not an int"), f.__annotations__["a"], get_type_hints(f), f.__annotations__["b"])
x: int = "text"
print(x, isinstance([1], list), type(x).__name__)
