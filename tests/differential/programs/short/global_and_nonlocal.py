"""Names that are assigned to are local unless they are said not to be."""

total = 0


def add(n):
    global total
    total += n


def counter():
    n = 0

    def up():
        nonlocal n
        n += 1
        return n

    return up


def broken():
    total += 1


add(5)
c = counter()
print(total, c(), c(), counter()())
broken()
