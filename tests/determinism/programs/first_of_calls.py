import asyncio
tasks = {asyncio.create_task(fetch(key=k)): k for k in "wxyz"}
while tasks:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        print(tasks.pop(task), task.result())
