import asyncio
import contextvars
import time


def slow(seconds=0.2):
    time.sleep(seconds)
    return "slow"


async def one():
    return 1


async def nested():
    return await asyncio.to_thread(lambda: asyncio.run(one()))


def ask(function):
    try:
        return function()
    except RuntimeError as error:
        return str(error)


def fail(error):
    raise error


async def main():
    print(asyncio.current_task().get_name(), asyncio.create_task(one()).get_name())
    try:
        print(await asyncio.wait_for(asyncio.to_thread(slow), 0.03))
    except TimeoutError:
        print("TimeoutError")
    try:
        async with asyncio.timeout(0.03):
            await asyncio.to_thread(slow)
    except TimeoutError:
        print("TimeoutError")
    print(await asyncio.wait_for(asyncio.to_thread(slow, 0.01), 10))
    task = asyncio.create_task(asyncio.to_thread(slow))
    done, pending = await asyncio.wait({task}, timeout=0.03)
    print(len(done), len(pending), await task)
    try:
        for each in asyncio.as_completed([asyncio.to_thread(slow)], timeout=0.03):
            print(await each)
    except TimeoutError:
        print("TimeoutError")
    print(await asyncio.to_thread(lambda: asyncio.run(one())))
    print(await asyncio.to_thread(lambda: asyncio.run(nested())))
    print(await asyncio.gather(*[asyncio.to_thread(pow, n, 2) for n in range(4)]))
    print(await asyncio.to_thread(ask, asyncio.get_running_loop))
    print(await asyncio.to_thread(ask, asyncio.current_task))
    for error in (ValueError("x"), StopIteration(3), KeyError("k")):
        try:
            await asyncio.to_thread(fail, error)
        except Exception as caught:
            print(type(caught).__name__, caught)
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("set")
    loop = asyncio.get_running_loop()
    print(await asyncio.to_thread(variable.get), await loop.run_in_executor(None, variable.get))
    print(asyncio.get_running_loop() is asyncio.get_event_loop())
    loop.run_in_executor(None, print, "last")


asyncio.run(main())
