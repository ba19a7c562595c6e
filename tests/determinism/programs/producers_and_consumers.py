import queue, random, threading, time
jobs, done = queue.Queue(3), []
def produce(name):
    for n in range(10):
        time.sleep(random.random() / 100)
        jobs.put((name, n))
def consume():
    while (job := jobs.get()) is not None:
        time.sleep(random.random() / 50)
        done.append(job)
producers = [threading.Thread(target=produce, args=(c,)) for c in "abc"]
consumers = [threading.Thread(target=consume) for _ in range(3)]
for one in producers + consumers: one.start()
for one in producers: one.join()
for _ in consumers: jobs.put(None)
for one in consumers: one.join()
print(done, time.monotonic_ns())
