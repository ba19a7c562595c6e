"""What a guest waits for and nobody can bring about, since it has one thread."""

from __future__ import annotations

import pytest

import eryx
from eryx import ExecutionError, Session

REFUSED = "all threads wait for each other: this is the only one, and would wait for ever"
IMPORTS = "import asyncio, concurrent.futures, queue, select, selectors, threading, time\n"


class TestWaitingForEver:
    @pytest.mark.parametrize(
        "source",
        [
            "lock = threading.Lock(); lock.acquire(); lock.acquire()",
            "lock = threading.Lock()\n    with lock:\n        with lock: pass",
            "threading.Event().wait()",
            "threading.Semaphore(0).acquire()",
            "threading.Barrier(2).wait()",
            "c = threading.Condition(); c.acquire(); c.wait()",
            "c = threading.Condition(); c.acquire(); c.wait_for(lambda: False)",
            "queue.Queue().get()",
            "q = queue.Queue(1); q.put(1); q.put(2)",
            "q = queue.Queue(); q.put(1); q.join()",
            "queue.SimpleQueue().get()",
            "queue._PySimpleQueue().get()",
            "concurrent.futures.Future().result()",
            "concurrent.futures.wait([concurrent.futures.Future()])",
            "list(concurrent.futures.as_completed([concurrent.futures.Future()]))",
            "select.select([], [], [])",
            "select.poll().poll()",
            "selectors.DefaultSelector().select()",
            "selectors.SelectSelector().select()",
        ],
    )
    def test_is_an_exception_that_says_so(self, source: str) -> None:
        session = Session()
        session.execute(IMPORTS)
        done = session.execute(
            f"try:\n    {source}\nexcept RuntimeError as error:\n    print(error)"
        )
        assert done.stdout == REFUSED
        assert session.execute("print('lives')").stdout == "lives"

    def test_it_is_raised_where_the_program_waits(self) -> None:
        session = Session()
        with pytest.raises(ExecutionError) as caught:
            session.execute(
                "import threading\nlock = threading.Lock()\nwith lock:\n    with lock: pass"
            )
        assert caught.value.traceback == (
            "Traceback (most recent call last):\n"
            '  File "<user>", line 4, in <module>\n    with lock: pass\n         ^^^^\n'
            f"RuntimeError: {REFUSED}\n"
        )
        assert session.execute("print(lock.locked())").stdout == "False"

    def test_any_number_of_times_and_wherever_it_is(self) -> None:
        done = Session().execute(
            "import atexit, signal, threading\n"
            "lock = threading.Lock(); lock.acquire()\n"
            "refused = 0\n"
            "for _ in range(1000):\n"
            "    try:\n        lock.acquire()\n    except RuntimeError:\n        refused += 1\n"
            "print(refused)\n"
            "def handler(number, frame): lock.acquire()\n"
            "signal.signal(signal.SIGINT, handler)\n"
            "try:\n    signal.raise_signal(signal.SIGINT)\nexcept RuntimeError as error:\n"
            "    print(error)\n"
            "class Last:\n    def __del__(self): lock.acquire()\n"
            "Last()\n"
            "print('goes on')"
        )
        assert done.stdout == f"1000\n{REFUSED}\ngoes on"
        assert done.stderr.endswith(f"RuntimeError: {REFUSED}")

    @pytest.mark.parametrize(
        "source",
        ["await asyncio.Event().wait()", "await asyncio.Queue().get()", "await asyncio.Future()"],
    )
    def test_so_it_is_on_an_event_loop(self, source: str) -> None:
        session = Session()
        with pytest.raises(ExecutionError, match="this would wait for ever: the event loop has"):
            session.execute(f"import asyncio\n{source}")
        assert session.execute("print('lives')").stdout == "lives"


class TestWaitingWithALimit:
    @pytest.mark.parametrize(
        ("source", "answer"),
        [
            ("lock.acquire(timeout=0.05)", "False"),
            ("threading.Condition(lock).wait(0.05)", "False"),
            ("threading.Event().wait(0.05)", "False"),
            ("threading.Semaphore(0).acquire(timeout=0.05)", "False"),
            ("queue.SimpleQueue().get(timeout=0.05)", "Empty"),
            ("queue.Queue().get(timeout=0.05)", "Empty"),
            ("concurrent.futures.Future().result(0.05)", "TimeoutError"),
            ("threading.Barrier(2).wait(0.05)", "BrokenBarrierError"),
            ("select.select([], [], [], 0.05)", "([], [], [])"),
            ("select.poll().poll(50)", "[]"),
        ],
    )
    def test_it_takes_its_time(self, source: str, answer: str) -> None:
        done = Session().execute(
            f"{IMPORTS}lock = threading.Lock(); lock.acquire()\n"
            "start = time.monotonic()\n"
            f"try:\n    print({source})\n"
            "except Exception as error:\n    print(type(error).__name__)\n"
            "print(time.monotonic() - start >= 0.05)"
        )
        assert done.stdout == f"{answer}\nTrue"

    def test_the_deadline_of_the_run_ends_it(self) -> None:
        session = Session(execution_timeout_ms=50)
        with pytest.raises(eryx.TimeoutError, match="execution timed out"):
            session.execute(
                "import threading\nlock = threading.Lock(); lock.acquire()\n"
                "lock.acquire(timeout=60)"
            )
        assert session.execute("print(lock.locked())").stdout == "True"

    def test_without_need_to_wait_it_is_as_ever(self) -> None:
        done = Session().execute(
            "import queue, threading\n"
            "event = threading.Event(); event.set(); print(event.wait())\n"
            "q = queue.Queue(); q.put(1); print(q.get())\n"
            "lock = threading.Lock()\n"
            "with lock: print(lock.acquire(blocking=False))\n"
            "again = threading.RLock()\n"
            "with again, again: print(lock.acquire(timeout=1))"
        )
        assert done.stdout.split("\n") == ["True", "1", "False", "True"]
