"""send, throw, close, yield from, return values and states."""

import inspect


def averager():
    total = count = 0
    average = None
    while True:
        try:
            value = yield average
        except ValueError as error:
            average = f"skipped {error}"
            continue
        if value is None:
            return count
        total += value
        count += 1
        average = total / count


def outer():
    result = yield from averager()
    print("inner gave", result)
    yield "after"


g = outer()
print(inspect.getgeneratorstate(g), next(g), g.send(10), g.send(20), g.throw(ValueError("bad")))
print(g.send(3), g.send(None), inspect.getgeneratorstate(g))
print(list(g), inspect.getgeneratorstate(g))


def stubborn():
    try:
        yield 1
        yield 2
    except GeneratorExit:
        print("closing")
        return "closed value"
    finally:
        print("finally")


g = stubborn()
next(g)
print(g.close(), g.close())


def ignores():
    for _ in range(2):
        try:
            yield 1
        except GeneratorExit:
            pass


g = ignores()
next(g)
try:
    g.close()
except RuntimeError as error:
    print(error)


def reentrant():
    try:
        next(me)
    except ValueError as error:
        yield str(error)


me = reentrant()
print(next(me))


def leaks():
    yield 1
    raise StopIteration("inside")


try:
    list(leaks())
except RuntimeError as error:
    print(error, "|", repr(error.__cause__))
try:
    g2 = averager()
    g2.send(5)
except TypeError as error:
    print(error)
squares = (i * i for i in range(5))
print(squares.__name__, squares.__qualname__, next(squares), squares.gi_yieldfrom, list(squares))
try:
    raise StopIteration(4)
except StopIteration as stop:
    print(stop.value)


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


print(list(tree(4)))
del g
