"""Async iterators, async context managers, streams of events and cancellation order."""

import asyncio


class Ticker:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        await asyncio.sleep(0)
        return self.n


class Session:
    async def __aenter__(self):
        print("open")
        return self

    async def __aexit__(self, kind, error, trace):
        print("close", kind and kind.__name__)
        return kind is KeyError


async def child(name, log):
    try:
        log.append(f"{name} starts")
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        log.append(f"{name} cancelled")
        raise
    finally:
        log.append(f"{name} ends")


async def main():
    print(
        [x async for x in Ticker(4)],
        [x async for x in Ticker(5) if x % 2],
        await anext(Ticker(2)),
        await anext(Ticker(0), "none"),
    )
    async with Session():
        raise KeyError("swallowed")
    log = []
    task = asyncio.create_task(child("a", log))
    other = asyncio.create_task(child("b", log))
    await asyncio.sleep(0)
    task.cancel()
    print(await asyncio.gather(task, return_exceptions=True), log)
    other.cancel()
    await asyncio.wait([other])
    print(log, other.cancelled())
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, sum, [1, 2, 3]), await asyncio.to_thread(pow, 2, 5))
    async with asyncio.timeout(None) as t:
        print(t.when(), t.expired())
    try:
        async with asyncio.timeout_at(loop.time() - 1):
            await asyncio.sleep(1)
    except TimeoutError:
        print("too late")
    future = loop.create_future()
    future.add_done_callback(lambda f: print("callback", f.result()))
    future.set_result("x")
    await future
    await asyncio.sleep(0)


asyncio.run(main())
with asyncio.Runner() as runner:
    print(runner.run(asyncio.sleep(0, "a")), runner.run(asyncio.sleep(0, "b")))
try:
    asyncio.run(asyncio.wait_for(asyncio.sleep(5), 0.001))
except TimeoutError as error:
    print(repr(error))
