"""What a guest waits for and nobody can bring about, since it has one thread."""

from __future__ import annotations

import pytest

from eryx import Session


class TestWaitingForEver:
    @pytest.mark.parametrize(
        "source",
        [
            "threading.Event().wait()",
            "threading.Semaphore(0).acquire()",
            "queue.Queue().get()",
            "c = threading.Condition(); c.acquire(); c.wait()",
            "concurrent.futures.Future().result()",
        ],
    )
    def test_is_an_exception(self, source: str) -> None:
        session = Session()
        session.execute("import concurrent.futures, queue, threading")
        done = session.execute(
            f"try:\n    {source}\nexcept RuntimeError as error:\n    print(error)"
        )
        assert done.stdout == "this would wait for ever: there are no other threads"

    def test_with_a_limit_or_without_need_it_is_as_ever(self) -> None:
        done = Session().execute(
            "import queue, threading\n"
            "print(threading.Event().wait(0.01))\n"
            "event = threading.Event(); event.set(); print(event.wait())\n"
            "q = queue.Queue(); q.put(1); print(q.get())\n"
            "try:\n    q.get(timeout=0.01)\nexcept queue.Empty:\n    print('empty')\n"
            "lock = threading.Lock()\n"
            "with lock: print(lock.acquire(blocking=False))"
        )
        assert done.stdout.split("\n") == ["False", "True", "1", "empty", "False"]
