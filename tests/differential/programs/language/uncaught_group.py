"""A group that nobody catches."""


def task(n):
    if n % 2:
        raise ValueError(f"task {n} failed")
    return n


errors = []
for n in range(4):
    try:
        task(n)
    except ValueError as error:
        error.add_note(f"number was {n}")
        errors.append(error)
print("before")
raise ExceptionGroup("some tasks failed", errors)
