import asyncio, time
task = asyncio.create_task(fetch(key="a"))
await asyncio.sleep(0)
time.sleep(5)
print(time.monotonic_ns(), task.done())
print(await task, time.monotonic_ns())
