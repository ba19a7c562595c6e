"""PEP 765: control flow that leaves a finally block is warned about, and still works."""

import warnings

SOURCE = """
def f():
    try:
        1 / 0
    finally:
        return "swallowed"

def g():
    seen = []
    for i in range(3):
        try:
            seen.append(i)
        finally:
            continue
    return seen

def h():
    for i in range(3):
        try:
            raise KeyError
        finally:
            break
    return i

def fine():
    try:
        pass
    finally:
        for i in range(3):
            break
        def inner():
            return 1
    return inner()
"""

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    code = compile(SOURCE, "p.py", "exec")
for each in caught:
    print(each.category.__name__, each.message, each.lineno)
names = {}
exec(code, names)
print(names["f"](), names["g"](), names["h"](), names["fine"]())
