import asyncio
try:
    async with asyncio.timeout(0.001):
        print(await fetch(key="in time"))
except TimeoutError:
    print("too late")
