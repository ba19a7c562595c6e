import threading, time
lock, event = threading.Lock(), threading.Event()
lock.acquire()
start = time.monotonic()
print(lock.acquire(timeout=2.5), event.wait(1.25), round(time.monotonic() - start, 3))
timer = threading.Timer(3600, event.set)
timer.start()
print(event.wait(), round(time.monotonic() - start), time.ctime())
