"""Defaults are evaluated once, where the function is defined."""

i = 5


def f(x=i, items=[], *, when=print("evaluated")):
    items.append(x)
    return items


i = 6
print(f(), f(1), f(2, []), f.__defaults__, f.__kwdefaults__)
