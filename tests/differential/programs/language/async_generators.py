"""Async generators, async comprehensions and their clean-up."""

import asyncio


async def ticks(n):
    try:
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    finally:
        print("cleaned", n)


async def consume():
    print([i async for i in ticks(4) if i % 2])
    print({i: i * i async for i in ticks(3)}, {i % 2 async for i in ticks(4)})
    print([await asyncio.sleep(0, i) for i in range(3)])
    gen = ticks(10)
    print(await anext(gen), await gen.asend(None))
    await gen.aclose()
    print(await anext(gen, "default"))
    gen = ticks(5)
    await anext(gen)
    try:
        await gen.athrow(KeyError("thrown"))
    except KeyError as error:
        print("out", error)
    async for value in ticks(3):
        if value == 1:
            break
    else:
        print("not here")
    print("left")


asyncio.run(consume())
agen = ticks(2)
print(type(agen).__name__, hasattr(agen, "__anext__"))
try:
    for _ in ticks(1):
        pass
except TypeError as error:
    print(error)


async def wrong():
    async for _ in [1]:
        pass


async def wrong_with():
    async with 3:
        pass


async def wrong_await():
    await 5


for each in (wrong, wrong_with, wrong_await):
    try:
        asyncio.run(each())
    except TypeError as error:
        print(error)
