"""What asyncio says of tasks whose errors nobody asks for, of never awaited coroutines and of debug mode."""

import asyncio
import gc
import logging
import sys

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")


async def fails():
    raise ValueError("nobody asks")


async def main():
    task = asyncio.create_task(fails(), name="failing")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print(task.done(), repr(task.exception()))
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda loop, context: print("handler:", context["message"], repr(context.get("exception")))
    )
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.01)
    lost = asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    del lost
    gc.collect()
    await asyncio.sleep(0)


asyncio.run(main())


async def never():
    pass


never()
print("end")
