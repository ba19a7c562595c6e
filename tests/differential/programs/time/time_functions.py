"""time: struct_time, strftime, strptime, gmtime, mktime; nothing of it is now."""

import time

t = time.gmtime(1_700_000_000)
print(
    t,
    t.tm_year,
    t[3],
    time.strftime("%Y-%m-%d %H:%M:%S", t),
    time.asctime(t),
    time.ctime(0) if time.timezone == 0 else "",
    time.strptime("5 Jan 2024", "%d %b %Y"),
    time.mktime((2024, 1, 1, 0, 0, 0, 0, 0, 0)),
    time.mktime(time.localtime(12345)),
    time.gmtime(0)[:3],
    t == tuple(t),
    len(t),
    time.gmtime(-1)[:6],
    time.gmtime(2**33)[:3],
    repr(time.gmtime(0)),
)
a = time.monotonic()
b = time.monotonic_ns()
time.sleep(0.01)
print(
    time.monotonic() - a >= 0.009,
    time.monotonic_ns() > b,
    time.perf_counter() > 0,
    time.time() > 1.6e9,
    time.process_time() >= 0,
    time.get_clock_info("monotonic").monotonic,
    time.get_clock_info("time").adjustable,
    time.tzname[0],
    time.daylight,
    time.timezone,
    time.altzone,
)
for attempt in (
    lambda: time.sleep(-1),
    lambda: time.sleep("a"),
    lambda: time.gmtime(1e30),
    lambda: time.strftime("%Y", (1, 2)),
    lambda: time.strptime("x", "%d"),
    lambda: time.mktime((1, 2)),
    lambda: time.strftime(5),
    lambda: time.asctime(5),
    lambda: time.strftime("%Y", (2024, 13, 1, 0, 0, 0, 0, 0, 0)),
    lambda: time.get_clock_info("x"),
    lambda: time.gmtime(float("nan")),
    lambda: time.sleep(float("nan")),
    lambda: time.clock(),
    lambda: time.localtime("a"),
    lambda: time.struct_time((1,)),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
