"""Coroutines driven by hand, without any event loop."""

import inspect
import types


class Wait:
    def __init__(self, name):
        self.name = name

    def __await__(self):
        answer = yield f"wait for {self.name}"
        return answer


@types.coroutine
def old_style(n):
    return (yield n) + 1


async def work():
    a = await Wait("a")
    print("got", a)
    try:
        b = await Wait("b")
    except RuntimeError as error:
        b = f"failed: {error}"
    print("got", b)
    c = await old_style(10)
    return a, b, c


coroutine = work()
print(inspect.getcoroutinestate(coroutine), coroutine.cr_await)
print(coroutine.send(None))
print(coroutine.send(1))
print(coroutine.throw(RuntimeError("no b")))
try:
    coroutine.send(41)
except StopIteration as stop:
    print(stop.value)
print(inspect.getcoroutinestate(coroutine))
try:
    coroutine.send(None)
except RuntimeError as error:
    print(error)


async def nothing():
    return 1


never = nothing()
print(never.__name__, inspect.iscoroutine(never), inspect.isawaitable(never))
never.close()


class Manager:
    async def __aenter__(self):
        print("enter")
        return self

    async def __aexit__(self, kind, value, trace):
        print("exit", kind and kind.__name__)
        return True


async def managed():
    async with Manager() as m:
        raise ValueError
    return "suppressed"


try:
    managed().send(None)
except StopIteration as stop:
    print(stop.value)
