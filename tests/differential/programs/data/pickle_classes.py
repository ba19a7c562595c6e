"""Pickling of own classes: inheritance, slots, changed definitions, singletons, cycles."""

import pickle
from dataclasses import dataclass


@dataclass
class Base:
    a: int


@dataclass
class Child(Base):
    b: list


class Tree:
    def __init__(self, name, parent=None):
        self.name, self.parent, self.children = name, parent, []
        if parent:
            parent.children.append(self)


class Singleton:
    _it = None

    def __new__(cls):
        cls._it = cls._it or super().__new__(cls)
        return cls._it

    def __reduce__(self):
        return Singleton, ()


class Versioned:
    def __init__(self):
        self.new_field = 1

    def __setstate__(self, state):
        self.__dict__ = {"new_field": "default", **state}


root = Tree("root")
leaf = Tree("leaf", root)
again = pickle.loads(pickle.dumps(leaf))
print(
    again.parent.children[0] is again,
    again.parent.name,
    pickle.loads(pickle.dumps(Child(1, [2]))),
    pickle.loads(pickle.dumps(Singleton())) is Singleton(),
)
v = Versioned()
data = pickle.dumps(v)
print(pickle.loads(data).new_field)
del v.new_field
v.old = 2
print(vars(pickle.loads(pickle.dumps(v))))
Gone = type("Gone", (), {"__module__": "__main__"})
data = pickle.dumps(Gone())
del Gone
for attempt in (
    lambda: pickle.loads(data),
    lambda: pickle.dumps(lambda: 0),
    lambda: pickle.dumps(open),
    lambda: pickle.loads(pickle.dumps(print)) is print,
    lambda: pickle.dumps((x for x in ())),
    lambda: pickle.loads(data[:10]),
):
    try:
        print(attempt() if attempt.__code__.co_names[-1] != "open" else type(attempt()).__name__)
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])
