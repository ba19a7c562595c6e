"""Dataclasses: ordering, frozen, slots, keyword-only, InitVar, replace, inheritance."""

import copy
from dataclasses import (
    KW_ONLY,
    InitVar,
    asdict,
    astuple,
    dataclass,
    field,
    fields,
    make_dataclass,
    replace,
)


@dataclass(order=True)
class Version:
    major: int
    minor: int = 0
    label: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    weight: float = 1.0


@dataclass
class Basket:
    owner: str
    _: KW_ONLY
    items: list[str] = field(default_factory=list)
    discount: InitVar[float] = 0.0
    total: float = field(init=False, metadata={"unit": "EUR"})

    def __post_init__(self, discount):
        self.total = len(self.items) * (1 - discount)


@dataclass
class Child(Basket):
    age: int = field(kw_only=True)


print(sorted([Version(2), Version(1, 5), Version(1, 2, "x")]), Version(1) == Version(1, 0, "z"))
tag = Tag("a")
print(tag, hash(tag) == hash(Tag("a")), replace(tag, weight=2), Tag.__slots__, copy.copy(tag))
basket = Basket("Ann", items=["x", "y"], discount=0.5)
print(basket, asdict(basket), astuple(basket), Basket.__match_args__)
print([(f.name, f.init, dict(f.metadata)) for f in fields(Basket)])
print(Child("Bob", age=3), copy.replace(tag, name="b"))
Dynamic = make_dataclass(
    "Dynamic",
    [("x", int), ("y", int, field(default=4))],
    namespace={"sum": lambda self: self.x + self.y},
)
print(Dynamic(1), Dynamic(1).sum())
print(Version.__doc__, Basket.__init__.__annotations__["return"])


def bad_default():
    @dataclass
    class Bad:
        items: list = []


def bad_order():
    @dataclass
    class Bad:
        a: int = 1
        b: str


def bad_frozen():
    @dataclass
    class Bad(Tag):
        pass


def bad_slots():
    @dataclass(slots=True)
    class Bad:
        __slots__ = ("a",)
        a: int


attempts = [
    lambda: setattr(tag, "name", "b"),
    lambda: delattr(tag, "name"),
    lambda: Version(),
    lambda: Version(1) < 3,
    lambda: hash(Version(1)),
    lambda: replace(basket, total=1),
    lambda: asdict(3),
    bad_default,
    bad_order,
    bad_frozen,
    bad_slots,
    lambda: Basket("a", ["x"]),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
