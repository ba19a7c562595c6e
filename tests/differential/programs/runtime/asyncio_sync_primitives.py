"""Locks, events, semaphores, conditions, queues, barriers of asyncio."""

import asyncio


async def producer(queue, n):
    for i in range(n):
        await queue.put(i)
    await queue.put(None)


async def consumer(queue, out):
    while (item := await queue.get()) is not None:
        out.append(item)
        queue.task_done()
    queue.task_done()


async def main():
    queue = asyncio.Queue(maxsize=2)
    out = []
    await asyncio.gather(producer(queue, 5), consumer(queue, out))
    await queue.join()
    print(out, queue.empty(), queue.full(), queue.qsize())
    try:
        queue.get_nowait()
    except asyncio.QueueEmpty as error:
        print(repr(error))
    priority = asyncio.PriorityQueue()
    for item in (3, 1, 2):
        priority.put_nowait(item)
    print([priority.get_nowait() for _ in range(3)])
    queue.shutdown()
    try:
        await queue.put(1)
    except asyncio.QueueShutDown as error:
        print(repr(error))
    lock = asyncio.Lock()
    trace = []

    async def critical(name):
        async with lock:
            trace.append(f"{name} in")
            await asyncio.sleep(0)
            trace.append(f"{name} out")

    await asyncio.gather(*(critical(n) for n in "abc"))
    print(trace, lock.locked())
    event = asyncio.Event()
    waiter = asyncio.create_task(event.wait())
    await asyncio.sleep(0)
    print(waiter.done(), event.is_set())
    event.set()
    print(await waiter)
    semaphore = asyncio.Semaphore(2)
    running = most = 0

    async def limited():
        nonlocal running, most
        async with semaphore:
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(limited() for _ in range(6)))
    print(most)
    condition = asyncio.Condition()
    ready = []

    async def wait_ready(n):
        async with condition:
            await condition.wait_for(lambda: len(ready) >= n)
            return n

    waiting = [asyncio.create_task(wait_ready(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    for _ in range(2):
        async with condition:
            ready.append(1)
            condition.notify_all()
    print(await asyncio.gather(*waiting))
    barrier = asyncio.Barrier(2)
    print(sorted(await asyncio.gather(barrier.wait(), barrier.wait())), barrier.n_waiting)
    try:
        lock.release()
    except RuntimeError as error:
        print(error)
    try:
        asyncio.BoundedSemaphore(1).release()
    except ValueError as error:
        print(error)
    reader = asyncio.StreamReader()
    reader.feed_data(b"line one\nrest of")
    reader.feed_eof()
    print(await reader.readline(), await reader.read(4), await reader.read(), reader.at_eof())
    try:
        await reader.readexactly(5)
    except asyncio.IncompleteReadError as error:
        print(error)


asyncio.run(main())
