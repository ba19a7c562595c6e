import asyncio, threading, time
seen = []
def work(n):
    for i in range(3):
        time.sleep(0.001 * n)
        seen.append((n, i, asyncio.run(one(f"{n}{i}"))))
async def one(key):
    return await fetch(key=key)
workers = [threading.Thread(target=work, args=(n,)) for n in (3, 1, 2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(seen)
