"""A context manager sees the error and may swallow it."""


class Guard:
    def __init__(self, *kinds):
        self.kinds = kinds

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        print("exit", kind and kind.__name__, value)
        return kind is not None and issubclass(kind, self.kinds)


with Guard(KeyError):
    {}["k"]
with Guard() as g:
    print(g.kinds)
try:
    with Guard(KeyError):
        1 / 0
except ZeroDivisionError as error:
    print(error)
