import asyncio, time
async def tick(n):
    for i in range(4):
        await asyncio.sleep(n)
        print("tick", n, i, time.monotonic_ns())
async def ask(key):
    print("asked", key, await fetch(key=key), time.monotonic_ns())
await asyncio.gather(tick(0.003), ask("a"), tick(0.002), ask("b"))
