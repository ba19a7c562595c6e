import random, time
def deep(n):
    if n == 0:
        raise RuntimeError(f"at {time.time()} with {random.random()}")
    deep(n - 1)
deep(random.randint(3, 9))
