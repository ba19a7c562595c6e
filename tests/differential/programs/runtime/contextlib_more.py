"""AsyncExitStack, aclosing, chdir, suppress with groups, ExitStack.pop_all, reusable managers."""

import asyncio
import contextlib
import os


@contextlib.asynccontextmanager
async def resource(name):
    print("open", name)
    try:
        yield name
    finally:
        await asyncio.sleep(0)
        print("close", name)


async def numbers():
    try:
        yield 1
        yield 2
    finally:
        print("numbers closed")


async def main():
    async with contextlib.AsyncExitStack() as stack:
        names = [await stack.enter_async_context(resource(n)) for n in "ab"]
        stack.push_async_callback(asyncio.sleep, 0)
        stack.callback(print, "callback")
        print(names)
    async with contextlib.aclosing(numbers()) as n:
        async for each in n:
            print(each)
            break
    try:
        async with resource("c"):
            raise KeyError("inside")
    except KeyError as error:
        print(repr(error))


asyncio.run(main())
os.mkdir("sub")
before = os.getcwd()
with contextlib.chdir("sub"):
    print(os.path.basename(os.getcwd()))
print(os.getcwd() == before)
with contextlib.suppress(ValueError):
    raise ExceptionGroup("g", [ValueError(1), ValueError(2)])
try:
    with contextlib.suppress(ValueError):
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
except ExceptionGroup as group:
    print(repr(group))
with contextlib.ExitStack() as stack:
    stack.callback(print, "kept")
    kept = stack.pop_all()
print("nothing closed yet")
kept.close()
suppressing = contextlib.suppress(KeyError)
for _ in range(2):
    with suppressing:
        {}["x"]
print(
    isinstance(suppressing, contextlib.AbstractContextManager),
    contextlib.nullcontext(5).__enter__(),
)
