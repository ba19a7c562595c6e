"""copy and deepcopy: sharing, cycles, hooks, slots, and what cannot be copied."""

import copy
import dataclasses
import types


class Node:
    def __init__(self, name):
        self.name = name
        self.children = []
        self.parent = None


root = Node("root")
child = Node("child")
child.parent = root
root.children += [child, child]
shallow = copy.copy(root)
deep = copy.deepcopy(root)
print(
    shallow.children is root.children,
    deep.children is root.children,
    deep.children[0] is deep.children[1],
    deep.children[0].parent is deep,
    deep.name,
)


class Hooked:
    def __copy__(self):
        return "copied"

    def __deepcopy__(self, memo):
        return f"deep {type(memo).__name__}"


class Slotted:
    __slots__ = ("a", "b")


s = Slotted()
s.a = [1]
t = copy.deepcopy(s)
print(copy.copy(Hooked()), copy.deepcopy([Hooked()]), t.a, t.a is s.a, hasattr(t, "b"))
atoms = [1, "a", None, (1, 2), len, int, frozenset([1]), ..., range(3)]
print(
    [copy.deepcopy(x) is x for x in atoms],
    copy.copy([1, [2]]),
    copy.copy({1: 2}),
    copy.copy({1}),
    copy.copy(bytearray(b"x")),
    copy.deepcopy(([1],))[0],
    copy.copy((1,)),
    copy.deepcopy(types.SimpleNamespace(a=[1])),
)
loop = [1]
loop.append(loop)
again = copy.deepcopy(loop)
print(again[1] is again, again is not loop)


@dataclasses.dataclass
class Pair:
    a: int
    b: list


p = Pair(1, [2])
print(
    copy.replace(p, a=9),
    copy.replace(p, a=9).b is p.b,
    copy.deepcopy(p) == p,
    copy.deepcopy(p).b is p.b,
    copy.replace(types.SimpleNamespace(x=1, y=2), x=5),
)
for attempt in (
    lambda: copy.deepcopy((i for i in [])),
    lambda: copy.copy(open("f", "w")),
    lambda: copy.deepcopy(copy),
    lambda: copy.replace(1),
    lambda: copy.replace(p, zz=1),
    lambda: copy.copy(iter([1])).__next__(),
    lambda: copy.deepcopy(memoryview(b"x")),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
print(copy.Error, copy.deepcopy(ValueError("a", [1])).args, copy.copy(lambda x: x)(3))
