"""Garbage in cycles of errors and frames does not count."""


def f():
    data = bytearray(500_000)
    try:
        1 / 0
    except ZeroDivisionError as error:
        kept = error
    return len(data), type(kept).__name__


for _ in range(600):
    last = f()
print(last)
