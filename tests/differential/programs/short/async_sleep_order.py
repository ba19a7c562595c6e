"""Tasks that sleep end in the order of their times."""

import asyncio


async def say(text, delay):
    await asyncio.sleep(delay)
    print(text)
    return text


async def main():
    print(await asyncio.gather(say("slow", 0.03), say("quick", 0.01), say("now", 0)))
    task = asyncio.create_task(say("never", 9))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")


asyncio.run(main())
