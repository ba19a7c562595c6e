import asyncio
async def attempt(n):
    try:
        return await (fail(text=f"no {n}") if n % 2 else fetch(key=str(n)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
print(await asyncio.gather(*(attempt(n) for n in range(9))))
