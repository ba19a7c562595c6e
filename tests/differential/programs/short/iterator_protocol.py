"""Iterators by class, by __getitem__, by iter() with a sentinel."""


class Up:
    def __init__(self, n):
        self.n, self.i = n, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.i >= self.n:
            raise StopIteration
        self.i += 1
        return self.i


class Old:
    def __getitem__(self, i):
        if i > 2:
            raise IndexError
        return i * 10


u = Up(3)
print(
    list(u),
    list(u),
    list(Old()),
    20 in Old(),
    list(reversed([1, 2])),
    list(iter(iter([1, 2, 3]).__next__, 3)),
    max(Up(4)),
    dict(zip(Up(2), Old())),
    [*map(str, Old())],
)
