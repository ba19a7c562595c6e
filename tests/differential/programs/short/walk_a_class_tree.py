"""Subclasses, names, documentation and members of classes."""


class Base:
    """The base."""


class Left(Base): ...


class Right(Base):
    """Right's own."""


class Leaf(Left, Right): ...


def tree(c, depth=0):
    print("  " * depth + c.__name__, c.__doc__)
    for s in c.__subclasses__():
        tree(s, depth + 1)


tree(Base)
print(
    [c.__name__ for c in Leaf.__mro__],
    Leaf.__bases__,
    issubclass(Leaf, Base),
    Leaf().__class__,
    [n for n in vars(Right) if not n.startswith("__")],
)
