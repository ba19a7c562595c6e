"""to_thread, run_in_executor and timeouts over them."""

import asyncio


async def one():
    await asyncio.sleep(0)
    return 1


async def main():
    print(await asyncio.to_thread(lambda: asyncio.run(one())))
    print(await asyncio.gather(*(asyncio.to_thread(pow, 2, n) for n in range(4))))
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, "a".upper))
    try:
        await asyncio.to_thread(int, "x")
    except ValueError as error:
        print(error)
    print(await asyncio.wait_for(asyncio.to_thread(sum, [1, 2]), 5))


asyncio.run(main())
