"""queue and sched without threads of one's own, threading objects, thread-local data."""

import queue
import sched
import threading

q = queue.Queue(2)
q.put(1)
q.put_nowait(2)
print(
    q.full(),
    q.qsize(),
    q.get(),
    q.get_nowait(),
    q.empty(),
    q.unfinished_tasks,
    q.task_done(),
    q.task_done(),
    q.join(),
)
l = queue.LifoQueue()
p = queue.PriorityQueue()
s = queue.SimpleQueue()
for each in ((2, "b"), (1, "z"), (1, "a")):
    l.put(each)
    p.put(each)
    s.put(each)
print([l.get() for _ in range(3)], [p.get() for _ in range(3)], [s.get() for _ in range(3)])
q.put(1)
q.put(2)
for attempt in (
    lambda: q.put(3, block=False),
    lambda: q.put(3, timeout=0.01),
    lambda: queue.Queue().get(block=False),
    lambda: queue.Queue().get(timeout=0.01),
    lambda: queue.Queue().task_done(),
    lambda: q.get(timeout=-1),
    lambda: s.get_nowait(),
    lambda: s.get(timeout=0.01),
    lambda: (q.shutdown(immediate=True), q.get()),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
now = 0.0
events = []


def clock():
    return now


def wait(seconds):
    global now
    now += seconds


scheduler = sched.scheduler(clock, wait)
scheduler.enter(5, 1, events.append, ("five",))
scheduler.enter(2, 2, events.append, ("two low",))
scheduler.enter(2, 1, events.append, ("two high",))
cancelled = scheduler.enterabs(3, 1, events.append, ("never",))
scheduler.cancel(cancelled)
print(len(scheduler.queue), scheduler.run(), events, now, scheduler.empty())
local = threading.local()
local.x = 1
lock = threading.RLock()
with lock, lock:
    print(
        local.x,
        threading.current_thread().name,
        threading.active_count(),
        threading.main_thread() is threading.current_thread(),
    )
plain = threading.Lock()
print(
    plain.acquire(),
    plain.locked(),
    plain.acquire(blocking=False),
    plain.acquire(timeout=0.01),
    plain.release(),
)
event = threading.Event()
print(event.is_set(), event.wait(0.01), event.set(), event.wait())
sem = threading.BoundedSemaphore(1)
print(sem.acquire(), sem.acquire(blocking=False), sem.release())
for attempt in (
    lambda: sem.release(),
    lambda: plain.release(),
    lambda: lock.release(),
    lambda: local.y,
    lambda: threading.Condition().notify(),
    lambda: threading.Semaphore(-1),
    lambda: threading.Thread(5),
    lambda: threading.Thread(target=print).join(),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0].split(" object")[0])
