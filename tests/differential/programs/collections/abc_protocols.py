"""collections.abc: what mixins give, what is recognised by its methods, what is refused."""

from collections import abc


class Ring(abc.MutableSequence):
    def __init__(self, *items):
        self.items = list(items)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Ring(*self.items[index])
        if index >= 3 * len(self.items):
            raise IndexError("round three times")
        return self.items[index % len(self.items)]

    def __setitem__(self, index, value):
        self.items[index] = value

    def __delitem__(self, index):
        del self.items[index]

    def __len__(self):
        return len(self.items)

    def insert(self, index, value):
        self.items.insert(index, value)


r = Ring(1, 2, 3)
r.append(4)
r.extend([5, 6])
r += [7]
print(
    r[9],
    r.pop(),
    r.index(3),
    r.count(2),
    5 in r,
    list(reversed(r)),
    r.remove(1),
    r.items,
    r.reverse(),
    r.items,
)


class Lower(abc.MutableMapping):
    def __init__(self, **kw):
        self.data = {}
        self.update(kw)

    def __getitem__(self, key):
        return self.data[key.lower()]

    def __setitem__(self, key, value):
        self.data[key.lower()] = value

    def __delitem__(self, key):
        del self.data[key.lower()]

    def __iter__(self):
        return iter(self.data)

    def __len__(self):
        return len(self.data)


m = Lower(A=1, B=2)
print(
    m["a"],
    m.get("C"),
    list(m.items()),
    m.pop("B"),
    m == {"a": 1},
    m.setdefault("Q", 5),
    dict(m),
    m.keys() & {"q"},
    m.popitem(),
    {**m},
    "A" in m,
    m.values(),
)


class Odd(abc.Set):
    def __init__(self, items):
        self.items = sorted(set(items))

    def __contains__(self, x):
        return x in self.items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


print(
    list(Odd([1, 3]) | Odd([5])),
    list(Odd([1, 3]) & [3]),
    Odd([1]) <= Odd([1, 3]),
    Odd([1]) == {1},
    Odd([1]).isdisjoint([2]),
    list(Odd([1, 3]) ^ Odd([3, 5])),
    Odd([1])._hash() == Odd([1])._hash(),
)


class Duck:
    def __iter__(self):
        return iter("quack")

    def __len__(self):
        return 5

    def __contains__(self, x):
        return True


print(
    [name for name in sorted(abc.__all__) if isinstance(Duck(), getattr(abc, name))],
    [name for name in sorted(abc.__all__) if isinstance([], getattr(abc, name))],
    [name for name in sorted(abc.__all__) if isinstance((i for i in ""), getattr(abc, name))],
    [name for name in sorted(abc.__all__) if isinstance(b"", getattr(abc, name))],
)
abc.Sequence.register(Duck)
print(
    isinstance(Duck(), abc.Sequence),
    issubclass(Duck, abc.Reversible),
    abc.Mapping[str, int],
    abc.Callable[[int], str],
    abc.Callable[..., int].__args__,
)


class Half(abc.Mapping):
    def __len__(self):
        return 0


for attempt in (
    lambda: Half(),
    lambda: abc.Sized(),
    lambda: abc.Callable[int],
    lambda: abc.Callable[[int], str, int],
    lambda: isinstance(1, abc.Callable[[int], int]),
    lambda: abc.MutableSet(),
    lambda: Ring().pop(),
    lambda: m["zz"],
    lambda: m.pop("zz"),
    lambda: Lower().popitem(),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
