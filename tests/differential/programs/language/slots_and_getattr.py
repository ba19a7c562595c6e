"""__getattr__, __setattr__, __slots__ with inheritance, proxies, dynamic attributes."""


class Proxy:
    def __init__(self, target):
        object.__setattr__(self, "_target", target)

    def __getattr__(self, name):
        print("get", name)
        return getattr(self._target, name)

    def __setattr__(self, name, value):
        print("set", name)
        setattr(self._target, name, value)

    def __delattr__(self, name):
        print("delete", name)
        delattr(self._target, name)


class Thing:
    x = 1


p = Proxy(Thing())
p.y = 2
print(p.x, p.y, vars(p._target))
del p.y
try:
    p.y
except AttributeError as error:
    print(error, error.name, type(error.obj).__name__)


class Base:
    __slots__ = ("a",)


class Child(Base):
    __slots__ = ("b",)


class Open(Base):
    pass


c = Child()
c.a, c.b = 1, 2
o = Open()
o.z = 5
print(c.a, c.b, o.__dict__, hasattr(c, "__dict__"), Child.__slots__)
for name in ("q", "__dict__"):
    try:
        setattr(c, name, {})
    except AttributeError as error:
        print(error)


class Record(dict):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


r = Record(a=1)
r.b = 2
print(r, r.a)
try:
    r.zz
except KeyError as error:
    print("KeyError", error)
print(getattr(5, "real"), hasattr("", "upper"), getattr(None, "x", "default"))
