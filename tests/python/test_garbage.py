"""Garbage in cycles is collected in time, and collecting takes no time to speak of."""

from __future__ import annotations

import pytest

import eryx

# A frame holds an exception, which holds the frame: nothing of it goes without the collector.
CYCLES = """
import gc
finalized = 0
class Value:
    def __init__(self): self.data = {data}
    def __del__(self):
        global finalized
        finalized += 1
def f():
    value = Value()
    try: 1 / 0
    except ZeroDivisionError as error: kept = error
for _ in range({count}): f()
print("ok", finalized > {count} // 2)
"""


class TestGarbage:
    @pytest.mark.parametrize(
        ("data", "count"),
        [
            ("bytearray(500_000)", 2000),
            ("bytes(1000)", 300_000),
            ("bytes(400_000)", 2000),
            ("bytes(5_000_000)", 200),
            ("bytearray(5_000_000)", 200),
            ("bytearray(30_000_000)", 50),
            ("bytes(40_000_000)", 50),
            ("[{} for _ in range(1000)]", 4000),
            ("dict.fromkeys(range(100_000))", 200),
        ],
    )
    def test_cycles_are_collected(self, data: str, count: int) -> None:
        done = eryx.Sandbox().execute(CYCLES.format(data=data, count=count))
        assert done.stdout == "ok True"

    def test_a_caller_of_a_method_in_a_cycle(self) -> None:
        code = """
import gc, operator, pickle
def make():
    caller = operator.methodcaller("split", sep="-")
    cycle = [caller, operator.itemgetter(1), operator.attrgetter("a")]
    cycle.append(cycle)
    return pickle.loads(pickle.dumps(caller))
caller = make()
gc.collect()
print(caller("a-b"), caller)
"""
        shown = "['a', 'b'] operator.methodcaller('split', sep='-')"
        assert eryx.Sandbox().execute(code).stdout == shown

    def test_garbage_is_no_more_than_a_part_of_what_is_used(self) -> None:
        done = eryx.Sandbox().execute(CYCLES.format(data="bytearray(100_000)", count=5000))
        assert done.peak_memory_bytes < 48 << 20

    def test_cycles_are_collected_where_memory_is_nearly_full(self) -> None:
        session = eryx.Session()
        session.execute("live = [bytes(1000) for _ in range(90_000)]")
        code = CYCLES.format(data="bytearray(400_000)", count=1000)
        assert session.execute(code).stdout == "ok True"
        code = CYCLES.format(data="bytes(4_000_000)", count=100)
        assert session.execute(code).stdout == "ok True"

    def test_memory_of_small_objects_serves_large_ones_later(self) -> None:
        session = eryx.Session()
        for _ in range(3):
            session.execute("small = [[n] for n in range(1_200_000)]\ndel small")
            session.execute("large = bytes(40_000_000)\ndel large")

    def test_without_the_collector_memory_is_used_up(self) -> None:
        session = eryx.Session()
        code = CYCLES.format(data="bytearray(500_000)", count=2000)
        with pytest.raises(eryx.ExecutionError, match="out of memory, the limit is 128 MiB"):
            session.execute("import gc; gc.disable()\n" + code)
        assert session.execute("print(gc.isenabled())").stdout == "False"

    @pytest.mark.parametrize(
        "made", ["(i, i + 1)", "[i]", "{'i': i}", "Point(i)", "(i, (i, [i]))", "lambda: i"]
    )
    def test_building_many_objects_takes_time_by_their_number(self, made: str) -> None:
        code = "class Point:\n    def __init__(self, x): self.x = x\n"
        code += f"rows = [{made} for i in range(%d)]"
        limits = eryx.ResourceLimits(max_memory_bytes=None)
        sandbox = eryx.Sandbox(resource_limits=limits, meter=True)
        few, many = (sandbox.execute(code % n).fuel_consumed for n in (100_000, 800_000))
        assert few is not None
        assert many is not None
        assert many < 20 * few  # 8 times, and what is collected on the way; squared, 64

    def test_young_objects_are_collected_by_their_number(self) -> None:
        code = """
import gc, weakref
class A: pass
alive = weakref.WeakSet()
for _ in range(20_000):
    a = A(); a.me = a; alive.add(a)
print(len(alive) < 6000, gc.get_threshold()[0], gc.get_count()[0] < 6000)
"""
        assert eryx.Sandbox().execute(code).stdout == "True 2000 True"
