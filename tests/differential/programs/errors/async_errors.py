"""What is said of wrong uses of async functions."""

import asyncio
import warnings

warnings.simplefilter("ignore")


async def coro():
    return 1


async def agen():
    yield 1


async def wrong(source):
    try:
        names = {"asyncio": asyncio, "coro": coro, "agen": agen}
        code = "async def f():\n" + "".join(f"    {line}\n" for line in source.splitlines())
        exec(code, names)
        print(repr(source), "->", await names["f"]())
    except Exception as error:
        print(repr(source), "->", type(error).__name__, str(error).split(" at 0x")[0])


async def main():
    for source in (
        "return coro() + 1",
        "return await 5",
        "return await coro",
        "async for x in coro(): pass",
        "for x in agen(): pass",
        "async for x in [1]: pass",
        "async with open('x', 'w'): pass",
        "with asyncio.Lock(): pass",
        "async with 5: pass",
        "return await agen()",
        "return [x async for x in 5]",
        "return asyncio.run(coro())",
        "return await asyncio.gather(1)",
        "return await asyncio.wait([])",
        "return await asyncio.wait([coro()])",
        "return await asyncio.wait_for(1, 1)",
        "return asyncio.create_task(1)",
        "return asyncio.create_task(coro)",
        "return await asyncio.sleep('a')",
        "return await asyncio.to_thread(1)",
        "t = asyncio.create_task(coro())\nreturn t.result()",
        "t = asyncio.create_task(coro())\nawait t\nawait t\nreturn await t",
        "c = coro()\nawait c\nawait c",
        "asyncio.current_task().cancel()\nawait asyncio.sleep(0)"
        if False
        else "return asyncio.current_task().cancelled()",
        "asyncio.Queue().get_nowait()",
        "async with asyncio.timeout('x'): pass",
        "async with asyncio.TaskGroup() as g: g.create_task(5)",
        "return asyncio.Semaphore(-1)",
        "f = asyncio.Future()\nf.result()",
        "f = asyncio.Future()\nf.set_result(1)\nf.set_result(2)",
        "return anext([])",
        "return aiter([])",
        "await asyncio.open_connection('x', 'y', 'z')",
        "return len(agen())",
        "return coro().__await__().send(5)",
    ):
        await wrong(source)


asyncio.run(main())
for attempt in (
    lambda: asyncio.run(coro),
    lambda: asyncio.run(main),
    lambda: asyncio.run(agen()),
    lambda: asyncio.get_running_loop(),
    lambda: asyncio.create_task(coro()),
    lambda: asyncio.gather(coro()),
    lambda: asyncio.Runner().run(5),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])
