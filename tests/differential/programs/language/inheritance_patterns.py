"""Mixins, abstract properties, class methods as constructors, overriding with super, isinstance."""

from abc import ABC, abstractmethod


class Shape(ABC):
    registry = {}

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        Shape.registry[cls.__name__.lower()] = cls

    @property
    @abstractmethod
    def area(self) -> float: ...

    def __lt__(self, other):
        return self.area < other.area

    def __str__(self):
        return f"{type(self).__name__} of {self.area:.2f}"

    @classmethod
    def parse(cls, text):
        kind, *numbers = text.split()
        return cls.registry[kind](*map(float, numbers))


class JsonMixin:
    def to_json(self):
        import json

        return json.dumps({"type": type(self).__name__, **vars(self)}, sort_keys=True)


class Circle(JsonMixin, Shape):
    def __init__(self, r):
        self.r = r

    @property
    def area(self):
        return 3.14159 * self.r**2


class Rectangle(JsonMixin, Shape):
    def __init__(self, w, h):
        self.w, self.h = w, h

    @property
    def area(self):
        return self.w * self.h


class Square(Rectangle):
    def __init__(self, side):
        super().__init__(side, side)


shapes = [Shape.parse(t) for t in ("circle 1", "rectangle 2 3", "square 1.5")]
for each in sorted(shapes):
    print(each, each.to_json(), [c.__name__ for c in type(each).__mro__])
print(
    max(shapes),
    isinstance(shapes[2], Rectangle),
    issubclass(Square, JsonMixin),
    sorted(Shape.registry),
)
for attempt in (
    lambda: Shape(),
    lambda: Shape.parse("hexagon 1"),
    lambda: Shape.parse("square 1 2"),
    lambda: Circle("x").area,
    lambda: shapes[0] < 5,
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
