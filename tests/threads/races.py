"""Races on purpose: what threads do to each other by a seed, with results that no order changes.

The file is run by the test's own Python and by guests; its last line of output is compared.
"""

import json
import queue
import random
import sys
import threading
import time


def run(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def counters(draw):
    """Additions under one of several locks."""
    locks = [threading.Lock() for _ in range(draw.randint(1, 3))]
    counts = [0] * len(locks)
    plans = [[draw.randrange(len(locks)) for _ in range(40)] for _ in range(draw.randint(2, 8))]

    def add(plan):
        for k in plan:
            with locks[k]:
                seen = counts[k]
                if seen % 7 == 0:
                    time.sleep(0)
                counts[k] = seen + 1

    run([threading.Thread(target=add, args=[plan]) for plan in plans])
    return counts


def producers_and_consumers(draw):
    """All that is put is got once, in the order of each producer."""
    kind = draw.choice([queue.Queue, queue.SimpleQueue])
    q = kind(draw.randint(1, 4)) if kind is queue.Queue else kind()
    producers, consumers, each = draw.randint(1, 5), draw.randint(1, 5), draw.randint(1, 20)
    got = [[] for _ in range(consumers)]

    def produce(n):
        for k in range(each):
            q.put((n, k))

    def consume(n):
        while (item := q.get()) is not None:
            got[n].append(item)

    receivers = [threading.Thread(target=consume, args=[n]) for n in range(consumers)]
    for thread in receivers:
        thread.start()
    run([threading.Thread(target=produce, args=[n]) for n in range(producers)])
    for _ in receivers:
        q.put(None)
    for thread in receivers:
        thread.join()
    for items in got:
        for n in range(producers):
            own = [k for m, k in items if m == n]
            assert own == sorted(own)
    return sorted(item for items in got for item in items)


def barriers(draw):
    """Nobody is in a round before all have ended the one before."""
    count, rounds = draw.randint(2, 8), draw.randint(1, 5)
    barrier, inside, wrong = threading.Barrier(count), [0] * rounds, []

    def work():
        for n in range(rounds):
            inside[n] += 1
            barrier.wait()
            if inside[n] != count:
                wrong.append(n)
            barrier.wait()

    run([threading.Thread(target=work) for _ in range(count)])
    return [inside, wrong]


def conditions(draw):
    """Threads take turns in an order that is drawn."""
    count = draw.randint(2, 6)
    order = [draw.randrange(count) for _ in range(30)]
    condition, said = threading.Condition(), []

    def work(n):
        for _ in range(order.count(n)):
            with condition:
                condition.wait_for(lambda: order[len(said)] == n)
                said.append(n)
                condition.notify_all()

    run([threading.Thread(target=work, args=[n]) for n in range(count)])
    return said == order


def semaphores(draw):
    """No more are inside than may be."""
    limit, count = draw.randint(1, 4), draw.randint(2, 10)
    semaphore, lock, now, most = threading.BoundedSemaphore(limit), threading.Lock(), [0], [0]

    def work():
        for _ in range(5):
            with semaphore:
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                time.sleep(0)
                with lock:
                    now[0] -= 1

    run([threading.Thread(target=work) for _ in range(count)])
    return most[0] <= limit and now[0] == 0


def ring(draw):
    """A number goes around from thread to thread."""
    count, rounds = draw.choice([2, 5, 64]), draw.randint(1, 3)
    queues = [queue.SimpleQueue() for _ in range(count)]

    def work(n):
        for _ in range(rounds):
            queues[(n + 1) % count].put(queues[n].get() + n)

    threads = [threading.Thread(target=work, args=[n]) for n in range(count)]
    for thread in threads:
        thread.start()
    queues[0].put(0)
    for thread in threads:
        thread.join()
    return queues[0].get()


def events_and_timeouts(draw):
    """Waits end when they are to, and else when their time is over."""
    event, seen = threading.Event(), []
    early = draw.random() < 0.5

    def work(timeout):
        seen.append(event.wait(timeout))

    waits = [threading.Thread(target=work, args=[30 if early else 0.001]) for _ in range(4)]
    for thread in waits:
        thread.start()
    if early:
        event.set()
    for thread in waits:
        thread.join()
    return seen == [early] * 4


RACES = (
    *(counters, producers_and_consumers, barriers, conditions, semaphores, ring),
    events_and_timeouts,
)


def main(first, end):
    results = []
    interval = sys.getswitchinterval()
    for seed in range(first, end):
        draw = random.Random(seed)
        sys.setswitchinterval(draw.choice([1e-6, 1e-4, 5e-3]))
        results.append(RACES[seed % len(RACES)](draw))
    sys.setswitchinterval(interval)
    print(json.dumps(results))


main(int(sys.argv[1]), int(sys.argv[2]))
