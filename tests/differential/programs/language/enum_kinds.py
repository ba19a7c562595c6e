"""Enum, IntEnum, StrEnum, Flag, auto, aliases, members with behaviour."""

import enum
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum, auto, unique


class Colour(Enum):
    RED = 1
    GREEN = 2
    CRIMSON = 1

    @property
    def nice(self):
        return self.name.title()

    @classmethod
    def _missing_(cls, value):
        return cls.RED if value == "red" else None


class Level(IntEnum):
    LOW = auto()
    HIGH = auto()


class Name(StrEnum):
    FIRST = auto()
    LAST = "Surname"


class Access(Flag):
    READ = auto()
    WRITE = auto()
    EXECUTE = auto()
    ALL = READ | WRITE | EXECUTE


class Mode(IntFlag):
    A = 1
    B = 4


class Planet(Enum):
    EARTH = (5.97e24, 6.37e6)
    MARS = (6.4e23, 3.4e6)

    def __init__(self, mass, radius):
        self.mass = mass
        self.radius = radius


print(
    list(Colour),
    Colour.CRIMSON,
    Colour("red"),
    Colour["GREEN"],
    Colour.GREEN.nice,
    Colour.__members__,
)
print(
    Level.LOW < Level.HIGH,
    Level.HIGH + 1,
    f"{Level.HIGH}",
    f"{Level.HIGH!r}",
    str(Name.FIRST),
    Name.LAST.upper(),
)
print(
    Access.READ | Access.WRITE,
    ~Access.READ,
    Access(0),
    list(Access.ALL),
    Access.READ in Access.ALL,
    Access(3),
)
print(Mode(5), Mode(7), Mode(2), Mode.A | 8, repr(Mode.A & Mode.B))
print(Planet.EARTH.mass, Planet((6.4e23, 3.4e6)), Planet.MARS.value)
print(Enum("Animal", "CAT DOG").DOG, isinstance(Colour.RED, Colour), Colour.RED is Colour.CRIMSON)
print({Colour.RED: 1}, Colour.RED == 1, Level.LOW == 1, hash(Level.LOW) == hash(1))
attempts = [
    lambda: Colour(7),
    lambda: Colour["BLUE"],
    lambda: Access(64),
    lambda: setattr(Colour, "RED", 3),
    lambda: Colour.RED.GREEN,
    lambda: type("More", (Colour,), {}),
    lambda: Colour.RED < Colour.GREEN,
    lambda: unique(Colour),
    lambda: Colour.PURPLE,
    lambda: delattr(Colour, "RED"),
    lambda: Enum("X", {"a": 1, "b": 1}).b,
    lambda: 3 in Colour,
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)


class Sequence(Enum):
    @staticmethod
    def _generate_next_value_(name, start, count, last):
        return f"{count}-{name.lower()}"

    ONE = auto()
    TWO = auto()
    HIDDEN = enum.nonmember(5)


print([m.value for m in Sequence], Sequence.HIDDEN)
