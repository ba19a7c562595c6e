"""Stars in calls and in definitions."""


def f(*args, **kwargs):
    return args, kwargs


def g(a, /, b, *, c=3):
    return a, b, c


print(
    f(),
    f(1, *[2, 3], *"ab", k=1, **{"z": 2}),
    g(1, 2),
    g(1, b=2, c=4),
    g(*(1, 2), **{"c": 5}),
    f(*{}, **{}),
    f(*{"a": 1}),
    print(*[]) is None,
    [*range(3), *"x"],
    {**{"a": 1}, **{"a": 2}},
)
