"""A recursion of some hundred levels works, and its limit is told."""


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def total(tree):
    return sum(total(t) if isinstance(t, list) else t for t in tree)


print(depth(900), total([1, [2, [3, [4, [5]]]], [[[6]]]]))
try:
    depth(10**5)
except RecursionError as error:
    print(type(error).__name__)
