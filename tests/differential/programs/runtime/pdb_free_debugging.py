"""Debug prints, assertions, __debug__, timing without numbers, profilers' call counts, tracemalloc."""

import cProfile
import io
import pstats
import re
import timeit


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


profile = cProfile.Profile()
profile.enable()
fib(10)
profile.disable()
out = io.StringIO()
pstats.Stats(profile, stream=out).sort_stats("ncalls").print_stats("fib")
print(re.findall(r"(\d+/\d+)\s.*\((fib)\)", out.getvalue()), "function calls" in out.getvalue())
print(
    timeit.timeit("x = 1", number=10) >= 0,
    len(timeit.repeat("pass", number=1, repeat=3)),
    __debug__,
)
try:
    assert fib(5) == 6, f"fib(5) is {fib(5)}"
except AssertionError as error:
    print(error)
value = {"a": [1, 2]}
print(f"{value=} {len(value['a'])=}", f"{value!r:.5}")
import trace

t = trace.Trace(count=True, trace=False)
t.runfunc(fib, 3)
print(sorted(n for (_, n), c in t.results().counts.items() if c > 1) != [])
