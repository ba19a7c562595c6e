import asyncio, random
async def work(name, jobs, done):
    while True:
        job = await jobs.get()
        await asyncio.sleep(random.random())
        done.append((name, job, await fetch(key=str(job), size=1)))
        jobs.task_done()
jobs, done = asyncio.Queue(), []
workers = [asyncio.create_task(work(n, jobs, done)) for n in "xyz"]
for n in range(12): jobs.put_nowait(n)
await jobs.join()
for worker in workers: worker.cancel()
print(done, asyncio.get_running_loop().time())
