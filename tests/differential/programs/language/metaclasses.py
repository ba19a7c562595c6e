"""Metaclasses, __prepare__, __init_subclass__, conflicts and abstract classes."""

import abc


class Recording(dict):
    def __setitem__(self, key, value):
        if not key.startswith("__"):
            print("set", key)
        super().__setitem__(key, value)


class Meta(type):
    registry = []

    @classmethod
    def __prepare__(meta, name, bases, **options):
        print("prepare", name, [base.__name__ for base in bases], options)
        return Recording()

    def __new__(meta, name, bases, namespace, **options):
        made = super().__new__(meta, name, bases, dict(namespace))
        meta.registry.append(name)
        return made

    def __init__(cls, name, bases, namespace, **options):
        super().__init__(name, bases, namespace)
        cls.options = options

    def __call__(cls, *args):
        print("call", cls.__name__)
        return super().__call__(*args)

    def __instancecheck__(cls, instance):
        return hasattr(instance, "magic")

    def __len__(cls):
        return len(cls.__name__)


class Base(metaclass=Meta, flavour="plain"):
    a = 1

    def method(self):
        return self.a


class Child(Base, flavour="sweet", extra=2):
    b = 2


print(Child.options, Meta.registry, len(Child), Child().method(), isinstance(3, Child))


class Plugin:
    found = {}

    def __init_subclass__(cls, /, key=None, **rest):
        super().__init_subclass__(**rest)
        Plugin.found[key or cls.__name__] = cls.__qualname__


class A(Plugin, key="first"):
    pass


class B(A):
    pass


print(Plugin.found)


class Shape(abc.ABC):
    @property
    @abc.abstractmethod
    def area(self): ...

    @abc.abstractmethod
    def name(self): ...


for attempt in (
    lambda: Shape(),
    lambda: type("Half", (Shape,), {"name": lambda self: 1})(),
    lambda: type("C", (Base, Shape), {}),
    lambda: type("Loop", (object, Base), {}),
    lambda: type("Bad", (int, str), {}),
    lambda: type("Key", (Plugin,), {}, unknown=1),
    lambda: type("Final", (bool,), {}),
    lambda: type("x\0y", (), {}),
    lambda: type("A", "B"),
):
    try:
        print(attempt())
    except TypeError as error:
        print(error)
    except ValueError as error:
        print("ValueError", error)
print(Base.__mro__, type(Base), Meta.__mro__)
