"""Tasks, gather, wait, timeouts, cancellation, task groups, shielding."""

import asyncio


async def work(name, delay, fail=False):
    await asyncio.sleep(delay)
    if fail:
        raise ValueError(name)
    return name


async def main():
    print(await asyncio.gather(work("a", 0.02), work("b", 0.01), work("c", 0)))
    print(await asyncio.gather(work("a", 0), work("x", 0, True), return_exceptions=True))
    try:
        await asyncio.gather(work("x", 0, True), work("a", 0.01))
    except ValueError as error:
        print("gather raised", error)
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)
    except TimeoutError as error:
        print("timeout", repr(error))
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    except TimeoutError:
        print("wait_for timed out")
    task = asyncio.create_task(work("late", 5), name="late one")
    await asyncio.sleep(0)
    print(task.get_name(), task.done(), task.cancel("why"), task.cancelling())
    try:
        await task
    except asyncio.CancelledError as error:
        print("cancelled", error, task.cancelled())
    done, pending = await asyncio.wait(
        [asyncio.create_task(work(n, d)) for n, d in (("q", 0), ("s", 9))],
        return_when=asyncio.FIRST_COMPLETED,
    )
    print([t.result() for t in done], len(pending))
    for each in pending:
        each.cancel()
    async for each in asyncio.as_completed([work("slow", 0.02), work("quick", 0)]):
        print("completed", await each)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(i, 0)) for i in range(3)]
    print([t.result() for t in tasks])
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work("bad", 0.01, True))
            sleeper = group.create_task(work("sleeper", 5))
    except* ValueError as errors:
        print(errors.exceptions, sleeper.cancelled())
    inner = asyncio.create_task(work("kept", 0.01))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.001)
    except TimeoutError:
        print("shielded", await inner)


asyncio.run(main())


async def stubborn():
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        return "refused"


async def more():
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    task.cancel()
    print(await task, task.cancelled())
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, 5)
    print(await future, future.done())
    order = []
    loop.call_later(0.02, order.append, "later")
    loop.call_later(0.01, order.append, "sooner")
    loop.call_soon(order.append, "soon")
    await asyncio.sleep(0.05)
    print(order, asyncio.current_task() in asyncio.all_tasks(), len(asyncio.all_tasks()))
    for attempt in (
        lambda: future.set_result(1),
        lambda: asyncio.run(more()),
        lambda: future.exception(),
    ):
        try:
            print(attempt())
        except Exception as error:
            print(type(error).__name__, error)


import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    asyncio.run(more())
for attempt in (
    lambda: asyncio.run(5),
    lambda: asyncio.get_running_loop(),
    lambda: asyncio.current_task(),
    lambda: asyncio.get_event_loop(),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, str(error).split("'")[0])
