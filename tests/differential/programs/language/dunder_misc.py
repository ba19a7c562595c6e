"""Special methods: format, bytes, missing, class_getitem, length_hint, dir, call, getattribute."""

import operator


class Text:
    def __init__(self, s):
        self.s = s

    def __format__(self, spec):
        return f"<{self.s}|{spec}>"

    def __bytes__(self):
        return self.s.encode()

    def __str__(self):
        return "str:" + self.s

    def __len__(self):
        return len(self.s)

    def __length_hint__(self):
        return 99

    def __reversed__(self):
        return iter(self.s[::-1])

    def __dir__(self):
        return ["z", "a"]

    def __int__(self):
        return 7

    def __complex__(self):
        return 1 + 2j

    def __getattribute__(self, name):
        if name == "ghost":
            return "boo"
        return object.__getattribute__(self, name)

    def __class_getitem__(cls, item):
        return f"{cls.__name__}[{item!r}]"

    def __call__(self, *args, **kwargs):
        return args, kwargs

    def __del__(self):
        print("gone", self.s)


t = Text("abc")
print(
    f"{t:>5}", f"{t!s:>10}", bytes(t), str(t), len(t), list(reversed(t)), dir(t), int(t), complex(t)
)
print(t.ghost, Text[int, "x"], t(1, k=2), operator.length_hint(t), bool(Text("")))
del t


class Default(dict):
    def __missing__(self, key):
        self[key] = key * 2
        return self[key]


d = Default()
print(d["ab"], d, d.get("zz"))


class BadLen:
    def __len__(self):
        return -1


class FloatLen:
    def __len__(self):
        return 1.5


class BadStr:
    def __str__(self):
        return 5

    def __repr__(self):
        return None


class BadBool:
    def __bool__(self):
        return 3


class BadIter:
    def __iter__(self):
        return 3


class BadHash:
    def __hash__(self):
        return "x"


class BadIndex:
    def __index__(self):
        return "1"


for attempt in (
    lambda: len(BadLen()),
    lambda: len(FloatLen()),
    lambda: str(BadStr()),
    lambda: repr(BadStr()),
    lambda: bool(BadBool()),
    lambda: iter(BadIter()),
    lambda: hash(BadHash()),
    lambda: [1][BadIndex()],
    lambda: f"{[]:d}",
    lambda: format(1, "z"),
    lambda: format("a", "d"),
    lambda: f"{1.5:d}",
    lambda: f"{None:5}",
    lambda: f"{1:,_}",
    lambda: f"{'x':=5}",
    lambda: f"{1:c<}",
    lambda: f"{-1:c}",
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
