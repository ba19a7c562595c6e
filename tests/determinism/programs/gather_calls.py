import asyncio
answers = await asyncio.gather(*(fetch(key=k, size=n) for n, k in enumerate("abcdefgh")))
print(answers)
