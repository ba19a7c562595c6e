"""Producers and workers over queues, with a rate limit, retries and a summary."""

import asyncio
import random
from collections import Counter

random.seed(5)
FLAKY = {item: random.random() < 0.3 for item in range(12)}


class FetchError(Exception):
    pass


async def fetch(item, attempt):
    await asyncio.sleep(0)
    if FLAKY[item] and attempt == 1:
        raise FetchError(f"item {item}")
    if item == 7:
        raise ValueError("seven is broken")
    return item * item


async def worker(name, queue, results, counts):
    while True:
        item = await queue.get()
        try:
            for attempt in (1, 2):
                try:
                    results[item] = await fetch(item, attempt)
                    break
                except FetchError:
                    counts["retries"] += 1
        except ValueError as error:
            counts[f"failed: {error}"] += 1
        finally:
            counts[name] += 1
            queue.task_done()


async def main():
    queue, results, counts = asyncio.Queue(3), {}, Counter()
    workers = [asyncio.create_task(worker(f"w{n}", queue, results, counts)) for n in range(3)]
    for item in range(12):
        await queue.put(item)
    await queue.join()
    for each in workers:
        each.cancel()
    ended = await asyncio.gather(*workers, return_exceptions=True)
    print(dict(sorted(results.items())), [type(e).__name__ for e in ended])
    print(
        sum(counts[f"w{n}"] for n in range(3)),
        counts["retries"],
        {k: v for k, v in counts.items() if "failed" in k},
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(fetch(1, 1), name="good")
        group.create_task(fetch(7, 2), name="bad")


asyncio.run(main())
