"""What can be a key, and what cannot be changed."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class P:
    x: int


table = {
    (1, 2): "tuple",
    frozenset({1}): "set",
    P(1): "data",
    "s": "text",
    None: "none",
    1.5: "float",
    (): "empty",
}
print(table[(1, 2)], table[frozenset([1])], table[P(1)], len(table))
for action in (
    lambda: {[1]: 1},
    lambda: {P([1]): 1},
    lambda: setattr(P(1), "x", 2),
    lambda: MappingProxyType({})["a"],
    lambda: (1, 2).__setitem__(0, 1),
    lambda: hash(({},)),
):
    try:
        print(action())
    except Exception as error:
        print(type(error).__name__, error)
