"""What is said of wrong calls."""


def f(a, b, c=0):
    return a, b, c


def g(*, k):
    return k


def h(a, /):
    return a


class C:
    def __init__(self, x):
        self.x = x

    def m(self):
        return self

    @staticmethod
    def s():
        return 1

    @classmethod
    def c(cls, y):
        return y


for source in (
    "f()",
    "f(1)",
    "f(1, 2, 3)",
    "f(1, 2, 3, 4)",
    "f(x=1)",
    "f(1, a=2)",
    "f(1, 2, c=3, d=4)",
    "f(*1)",
    "f(**1)",
    "f(**{1: 2})",
    "g(1)",
    "g()",
    "g(k=1, j=2)",
    "h(1, 2)",
    "h(a=1)",
    "C()",
    "C(1)",
    "C(1, 2)",
    "C(1).m(2)",
    "C.m()",
    "C(1).s(1)",
    "C(1)()",
    "C(1).nope",
    "C.nope",
    "C(1).c()",
    "print(1, sepp=2)",
    "open()",
    "len()",
    "len(1, 2)",
    "isinstance(1)",
    'isinstance(1, "a")',
    "issubclass(1, int)",
    "type(1, 2)",
    "object(1)",
    "super()",
    "sorted()",
    "sorted([1], 1)",
    "map(1)",
    "filter(1)",
    "list(map(1, [1]))",
    "lambda: 1 / 0",
    "(lambda x: x)()",
    "(lambda *, x: x)(1)",
    "undefined_name",
    "undefined.attr",
    "f.attr",
    "f[0]",
    "f + 1",
    "f < f",
    "C < C",
    "C(1) + 1",
    "C[1]",
    "C(1)[1]",
    "iter(C(1))",
    "len(C(1))",
    "C(1) in C(1)",
    "with_no",
):
    try:
        print(source, "->", eval(source))
    except Exception as error:
        print(source, "->", type(error).__name__, error)
