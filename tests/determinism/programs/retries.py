import asyncio, random, time
async def unsure():
    if random.random() < 0.7:
        raise OSError("busy")
    return await fetch(key="ok")
for tries in range(50):
    try:
        print(await unsure(), tries, time.monotonic())
        break
    except OSError:
        await asyncio.sleep(2 ** min(tries, 6) * random.random())
