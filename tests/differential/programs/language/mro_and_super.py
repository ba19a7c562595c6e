"""Method resolution, cooperative super(), and zero-argument super in odd places."""


class Root:
    def __init__(self, **rest):
        print("Root", rest)

    def who(self):
        return ["Root"]


class Left(Root):
    def __init__(self, left, **rest):
        print("Left", left)
        super().__init__(**rest)

    def who(self):
        return ["Left", *super().who()]


class Right(Root):
    def __init__(self, right, **rest):
        print("Right", right)
        super().__init__(**rest)

    def who(self):
        return ["Right", *super().who()]


class Bottom(Left, Right):
    def who(self):
        return ["Bottom", *super().who()]

    @classmethod
    def make(cls):
        return cls(left=1, right=2, more=3)

    @staticmethod
    def nothing():
        return super


b = Bottom.make()
print(b.who(), [c.__name__ for c in Bottom.__mro__])
print(super(Left, b).who(), super(Bottom, Bottom).who(b))
print(repr(super(Left, b)).split(",")[0])
for attempt in (
    lambda: super(),
    lambda: super(Left, Root()),
    lambda: super(3, b),
    lambda: type("X", (Left, Root, Right), {}),
    lambda: type("Y", (Root, Left), {}),
    lambda: super(Left, b).missing,
    lambda: Bottom(1, 2),
):
    try:
        print(attempt())
    except (TypeError, RuntimeError, AttributeError) as error:
        print(type(error).__name__, error)


class Changing(Left):
    pass


Changing.__bases__ = (Right,)
print([c.__name__ for c in Changing.__mro__])
try:
    Root.__bases__ = (Left,)
except TypeError as error:
    print(error)
b.__class__ = Bottom
try:
    b.__class__ = int
except TypeError as error:
    print(error)
