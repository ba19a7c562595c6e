"""Programs in, answers out, on clusters that live."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import eryx
from clusters import Cluster, wait_until

pytestmark = [pytest.mark.timeout(900), pytest.mark.sample]


@pytest.fixture(scope="module")
def pool(shared: Cluster) -> Iterator[Any]:
    shared.repair()
    with shared.pool() as pool:
        yield pool


class TestAnswers:
    def test_come_in_the_order_of_the_programs(self, pool: Any) -> None:
        programs = [
            f"import time; time.sleep({0.2 if number % 40 == 0 else 0}); {number}"
            for number in range(200)
        ]
        answers = [*pool.map(programs)]
        assert [answer.index for answer in answers] == [*range(200)]
        assert [answer.result().value for answer in answers] == [*range(200)]
        assert [answer.program for answer in answers] == programs
        assert {answer.attempts for answer in answers} == {1}

    def test_come_as_they_are_completed(self, pool: Any) -> None:
        programs = ["import time; time.sleep(1.5)", *["1"] * 300]
        order = [answer.index for answer in pool.map(programs, ordered=False)]
        assert sorted(order) == [*range(301)]
        assert order[0] != 0

    def test_are_of_all_nodes(self, pool: Any, shared: Cluster) -> None:
        programs = ["import time; time.sleep(0.05)"] * 40
        assert {answer.node for answer in pool.map(programs)} == set(shared.nodes())

    def test_have_exceptions_and_traces(self, pool: Any) -> None:
        programs = [
            {"code": "def f():\n    return 1 / 0\nf()", "trace": True},
            {"code": "while True: pass", "timeout_ms": 100},
            "raise SystemExit(3)",
            "open('/data/a', 'w').write('hello'); {'a': [1, 2.5, None]}",
            "(",
            {"code": "1", "timeout_ms": "soon"},
        ]
        failed, late, left, good, wrong, refused = pool.map(programs)
        assert isinstance(failed.ending, eryx.ExecutionError)
        assert failed.ending.exc_type == "ZeroDivisionError"
        assert [event.line for event in failed.ending.trace if event.event == "exception"] == [2, 3]
        assert isinstance(late.ending, eryx.TimeoutError)
        assert left.ending.exit_code == 3
        assert good.result().value == {"a": [1, 2.5, None]}
        assert good.result().files[0].path == "/data/a"
        assert wrong.ending.exc_type == "SyntaxError"
        assert isinstance(refused.ending, TypeError)
        assert [answer.ok for answer in (failed, good)] == [False, True]
        with pytest.raises(eryx.ExecutionError, match="ZeroDivisionError"):
            failed.result()

    def test_of_programs_with_inputs(self, pool: Any) -> None:
        programs = [
            {"code": "print(name, input(), end='')", "inputs": {"name": n}, "stdin": f"{n}!"}
            for n in range(20)
        ]
        assert [a.result().stdout for a in pool.map(programs)] == [f"{n} {n}!" for n in range(20)]

    def test_options_and_callbacks_go_along(self, pool: Any) -> None:
        offset = 40

        def add(a: int) -> int:
            return a + offset

        answers = pool.map(
            ["await add(2)", "x = bytearray(10**9)"],
            callbacks=[add],
            resource_limits=eryx.ResourceLimits(max_memory_bytes=64 * 2**20),
        )
        first, second = answers
        assert first.result().value == 42
        assert second.ending.exc_type == "MemoryError"

    def test_of_worker_processes(self, pool: Any) -> None:
        assert pool.submit("6 * 7", isolation="process").result().value == 42

    def test_every_program_starts_clean(self, pool: Any) -> None:
        assert all(a.ok for a in pool.map(["assert 'x' not in globals(); x = 1"] * 100))

    def test_of_no_programs(self, pool: Any) -> None:
        assert [*pool.map([])] == []


class TestTaking:
    def test_programs_are_taken_as_answers_are_fetched(self, pool: Any) -> None:
        taken = itertools.count()
        answers = pool.map((f"{next(taken)}" for _ in range(1000)), max_in_flight=20)
        for _ in range(30):
            next(answers)
        assert next(taken) <= 51

    def test_a_map_may_be_left(self, pool: Any) -> None:
        answers = pool.map("import time; time.sleep(0.02)" for _ in itertools.count())
        next(answers)
        answers.close()
        wait_until(lambda: pool.stats().running == 0)

    def test_submit_waits_when_many_are_unanswered(self, shared: Cluster) -> None:
        with shared.pool(max_queued=3, max_hosts=1) as pool:
            many = [pool.submit("import time; time.sleep(0.3)") for _ in range(3)]
            late: list[Any] = []
            thread = threading.Thread(target=lambda: late.append(pool.submit("1")))
            thread.start()
            many[0].result()
            thread.join()
            assert late[0].result().value == 1

    def test_progress_is_told(self, pool: Any) -> None:
        told: list[Any] = []
        programs = ["1", "1 / 0", *["import time; time.sleep(0.1)"] * 30]
        assert len([*pool.map(programs, on_progress=told.append)]) == 32
        assert len(told) > 1
        assert [one.done for one in told] == sorted(one.done for one in told)
        assert told[-1][:5] == (32, 1, 0, 0, 32)
        assert told[-1].per_second > 0


class TestSubmit:
    def test_gives_results_and_raises(self, pool: Any) -> None:
        good, bad = pool.submit("6 * 7"), pool.submit("1 / 0")
        assert good.result().value == 42
        with pytest.raises(eryx.ExecutionError, match="ZeroDivisionError"):
            bad.result()

    def test_can_be_cancelled_before_it_is_sent(self, pool: Any) -> None:
        futures = [pool.submit("import time; time.sleep(0.2)") for _ in range(30)]
        assert futures[-1].cancel()
        assert futures[0].result()

    def test_on_an_event_loop(self, pool: Any) -> None:
        async def main() -> list[Any]:
            futures = [asyncio.wrap_future(pool.submit(f"{n}")) for n in range(5)]
            return [result.value for result in await asyncio.gather(*futures)]

        assert asyncio.run(main()) == [*range(5)]

    def test_functions_of_the_module_use_one_pool(self, shared: Cluster) -> None:
        module = shared.module()
        assert [a.result().value for a in module.map(["1", "2"])] == [1, 2]
        assert module.submit("3").result().value == 3
        with module.session() as session:
            session.execute("x = 4")
            assert session.execute("x").value == 4
        module._default.pool().close()


class TestFactories:
    def test_one_is_brought_to_a_machine_once(self, shared: Cluster) -> None:
        factory = eryx.SandboxFactory(setup_code=f"data = {os.urandom(20000).hex()!r}")
        with shared.pool() as pool:
            for limit in (None, eryx.ResourceLimits(max_memory_bytes=2**28)):
                programs = ["import time; time.sleep(0.05); len(data)"] * 40
                answers = [*pool.map(programs, factory=factory, resource_limits=limit)]
                assert {answer.result().value for answer in answers} == {40000}
                assert len({answer.node for answer in answers}) >= 2
            assert pool.stats().factories_sent == 1  # the two nodes share a folder
        with shared.pool() as pool:
            assert next(pool.map(["len(data)"], factory=factory)).ok
            assert pool.stats().factories_sent == 0

    def test_functions_of_one_go_along(self, pool: Any) -> None:
        def twice(x: int) -> int:
            return 2 * x

        factory = eryx.SandboxFactory(
            callbacks=[twice], setup_code="def f(x): return twice.sync(x=x)"
        )
        assert pool.submit("f(21)", factory=factory).result().value == 42

    def test_many_take_turns(self, shared: Cluster) -> None:
        with shared.pool() as pool:
            factories = [eryx.SandboxFactory(setup_code=f"x = {n}") for n in range(40)]
            for _ in range(2):
                futures = [pool.submit("x", factory=factory) for factory in factories]
                assert [future.result().value for future in futures] == [*range(40)]

    def test_options_that_cannot_travel_are_refused(self, pool: Any) -> None:
        with pytest.raises(TypeError):
            pool.map(["1"], secrets={"a": {"value": threading.Lock()}})
        assert pool.submit("1").result().value == 1

    def test_options_that_are_wrong_are_told(self, pool: Any) -> None:
        with pytest.raises(TypeError, match="nonsense"):
            [*pool.map(["1"], nonsense=1)]
        with pytest.raises(TypeError, match="factory must be"):
            pool.map(["1"], factory="x")
        with pytest.raises(TypeError, match="a program must be"):
            [*pool.map([1])]
        with pytest.raises(ValueError, match="retries"):
            pool.submit("1", retries=-1)


class TestSessions:
    def test_state_stays(self, pool: Any, tmp_path: Any) -> None:
        factory = eryx.SandboxFactory(setup_code="x = 40")
        with pool.session(factory=factory) as session:
            session.execute("words = iter('abc'); x += 1")
            with pytest.raises(eryx.ExecutionError):
                session.execute("x += 1\n1 / 0")
            assert session.execute("x, next(words)").value == [42, "a"]
            assert (session.restored, session.execution_count) == (None, 3)
            session.save(tmp_path / "state")
            session.reset()
            assert session.execute("x").value == 40
        here = factory.create_session()
        here.load(tmp_path / "state")
        assert here.execute("next(words)").value == "b"

    def test_many_share_hosts(self, pool: Any) -> None:
        sessions = [pool.session() for _ in range(8)]
        for number, session in enumerate(sessions):
            session.execute(f"x = {number}")
        assert [session.execute("x").value for session in sessions] == [*range(8)]
        assert len({session.node for session in sessions}) >= 2
        for session in sessions:
            session.close()
        with pytest.raises(eryx.EryxError, match="closed"):
            sessions[0].execute("x")

    def test_what_cannot_be_saved_is_told(self, pool: Any) -> None:
        with pool.session() as session:
            session.execute(
                "import threading\ngo = threading.Event()\n"
                "thread = threading.Thread(target=go.wait, args=[60], daemon=True)\n"
                "thread.start()"
            )
            assert "thread" in session.save_problem
            session.execute("go.set(); thread.join()")
            assert session.save_problem == ""


class TestClosing:
    def test_a_closed_pool_says_so(self, shared: Cluster) -> None:
        pool = shared.pool()
        future = pool.submit("import time; time.sleep(20)")
        pool.close()
        pool.close()
        with pytest.raises(eryx.EryxError, match="closed"):
            future.result()
        with pytest.raises(ValueError, match="closed"):
            pool.submit("1")
