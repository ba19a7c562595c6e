import random, time
from concurrent.futures import ThreadPoolExecutor, as_completed
def work(n):
    time.sleep(random.random() * 3)
    return n, random.getrandbits(32)
with ThreadPoolExecutor(4) as pool:
    futures = [pool.submit(work, n) for n in range(16)]
    print([future.result() for future in as_completed(futures)], time.time())
