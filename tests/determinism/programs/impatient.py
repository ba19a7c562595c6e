import asyncio
task = asyncio.create_task(fetch(key="slow"))
looks = 0
while not task.done():
    looks += 1
    await asyncio.sleep(0)
print(task.result(), looks)
