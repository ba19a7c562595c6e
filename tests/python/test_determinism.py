"""Deterministic sandboxes: the same programs do the same, to the byte."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import eryx

RECORD = Path(__file__).resolve().parents[1] / "determinism" / "record.py"
LEAST_PROGRAMS = 200
LEAST_IN_SAMPLE = 28

ENTROPY = """
import os, random, secrets, time, uuid
print(random.random(), os.urandom(8), secrets.token_hex(8), uuid.uuid4(), uuid.uuid1())
print(time.time_ns(), time.monotonic_ns(), time.process_time_ns())
print(hash("text"), {str(n) for n in range(30)}, id(object()))
"""


def run_recorder(*names: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, str(RECORD), *names], stdout=subprocess.PIPE, env=environment
    )


def fixed(seed: int = 1, **more: Any) -> eryx.Sandbox:
    return eryx.Sandbox(deterministic=eryx.Deterministic(seed=seed, **more))


class TestPrograms:
    @pytest.mark.timeout(900)
    def test_all_do_the_same_in_two_processes(self) -> None:
        """What they write, their results, their fuel and all of their memory are the same."""
        first, second = run_recorder(), run_recorder()
        outputs = [process.communicate()[0] for process in (first, second)]
        assert first.returncode == second.returncode == 0
        seen = [json.loads(output) for output in outputs]
        assert len(seen[0]) >= LEAST_PROGRAMS
        assert seen[0].keys() == seen[1].keys()
        different = [name for name in seen[0] if seen[0][name] != seen[1][name]]
        assert different == []
        states = {entry["state"] for entry in seen[0].values()}
        assert len(states) == len(seen[0])  # a digest of each, and all are different
        assert {len(state) for state in states} == {64}

    @pytest.mark.timeout(300)
    def test_a_sample_does_the_same_in_worker_processes(self) -> None:
        """Every seventh, as in this process: a state that was saved is the same file."""
        here, there = run_recorder("--sample"), run_recorder("--sample", "--workers")
        outputs = [process.communicate()[0] for process in (here, there)]
        assert here.returncode == there.returncode == 0
        seen = [json.loads(output) for output in outputs]
        assert len(seen[0]) >= LEAST_IN_SAMPLE
        assert seen[0].keys() == seen[1].keys()
        assert [name for name in seen[0] if seen[0][name] != seen[1][name]] == []


class TestSeeds:
    def test_same_seed_gives_the_same(self) -> None:
        assert fixed().execute(ENTROPY).stdout == fixed().execute(ENTROPY).stdout

    def test_other_seeds_give_others(self) -> None:
        lines = [fixed(seed).execute(ENTROPY).stdout.split()[0] for seed in range(5)]
        assert len(set(lines)) == 5

    def test_each_run_of_a_sandbox_begins_anew(self) -> None:
        sandbox = fixed()
        assert sandbox.execute(ENTROPY).stdout == sandbox.execute(ENTROPY).stdout

    def test_a_session_goes_on(self) -> None:
        first = eryx.Session(deterministic=eryx.Deterministic(seed=3))
        second = eryx.Session(deterministic=eryx.Deterministic(seed=3))
        seen = [session.execute(ENTROPY).stdout for _ in range(3) for session in (first, second)]
        assert seen[0::2] == seen[1::2]
        assert len(set(seen)) == 3
        first.reset()
        assert first.execute(ENTROPY).stdout == seen[0]

    def test_forks_differ_from_their_origin_in_the_same_way(self) -> None:
        families = []
        for _ in range(2):
            session = eryx.Session(deterministic=eryx.Deterministic(seed=4))
            session.execute("import random, os, time")
            forks = [session.fork() for _ in range(2)]
            code = "print(random.random(), os.urandom(4), time.time_ns())"
            families.append([one.execute(code).stdout for one in (session, *forks)])
        assert families[0] == families[1]
        assert len(set(families[0])) == 3

    def test_factories_and_pools(self) -> None:
        fixed = eryx.Deterministic(seed=5)
        factory = eryx.SandboxFactory(setup_code="import random; first = random.random()")
        made = [factory.create_sandbox(deterministic=fixed) for _ in range(2)]
        assert made[0].execute(ENTROPY).stdout == made[1].execute(ENTROPY).stdout
        with eryx.SandboxPool(max_size=2, deterministic=fixed) as pool:
            seen = []
            for _ in range(2):
                with pool.acquire() as sandbox:
                    seen.append(sandbox.execute(ENTROPY).stdout)
        assert seen[0] == seen[1]

    def test_saved_sessions_go_on_the_same(self, tmp_path: Path) -> None:
        seen = []
        for _ in range(2):
            first = eryx.Session(deterministic=eryx.Deterministic(seed=6))
            first.execute("import random; drawn = [random.random()]")
            first.save(tmp_path / "session")
            second = eryx.Session(deterministic=eryx.Deterministic(seed=7))
            second.load(tmp_path / "session")
            seen.append(second.execute("print(drawn, random.random())").stdout)
        assert seen[0] == seen[1]


class TestClocks:
    def test_start(self) -> None:
        code = "import datetime; print(datetime.datetime.now(datetime.UTC).isoformat())"
        for start in (
            "2030-02-03T04:05:06Z",
            "2030-02-03T04:05:06",
            datetime.datetime(2030, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
            1_896_321_906,
        ):
            assert fixed(start=start, tick=0).execute(code).stdout == "2030-02-03T04:05:06+00:00"

    def test_clocks_move_with_work_alone(self) -> None:
        sandbox = fixed(tick=1000)
        code = (
            "import time; t = time.monotonic_ns(); sum(range({})); print(time.monotonic_ns() - t)"
        )
        short, long = (int(sandbox.execute(code.format(n)).stdout) for n in (1000, 100_000))
        assert 50 * short < long
        assert int(fixed(tick=0).execute(code.format(1000)).stdout) == 0

    def test_sleep_takes_no_time(self) -> None:
        code = """
import asyncio, threading, time
start = time.time()
time.sleep(86_400)
await asyncio.sleep(86_400)
thread = threading.Thread(target=time.sleep, args=(86_400,))
thread.start()
thread.join()
threading.Event().wait(86_400)
print(round(time.time() - start))
"""
        started = time.monotonic()
        assert fixed().execute(code).stdout == str(4 * 86_400)
        assert time.monotonic() - started < 600

    def test_a_sleep_for_ever_ends_with_the_deadline(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        sandbox = eryx.Sandbox(deterministic=eryx.Deterministic(), resource_limits=limits)
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute("while True: pass")
        with pytest.raises((eryx.TimeoutError, eryx.ExecutionError)):
            sandbox.execute("import time\nwhile True: time.sleep(1e8)")
        assert sandbox.execute("print(1)").stdout == "1"

    def test_the_host_moves_the_clock(self) -> None:
        session = eryx.Session(deterministic=eryx.Deterministic(tick=0))
        session.execute("import time; first = time.time(), time.monotonic()")
        session.advance_clock(90.5)
        code = "print(time.time() - first[0], time.monotonic() - first[1])"
        assert session.execute(code).stdout == "90.5 90.5"

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_the_host_moves_the_clock_in_a_callback(self, isolation: Any) -> None:
        session = eryx.Session(
            deterministic=eryx.Deterministic(tick=0),
            callbacks={"step": lambda: session.advance_clock(10)},
            isolation=isolation,
        )
        code = "import time; t = time.time(); await step(); print(time.time() - t)"
        assert session.execute(code).stdout == "10.0"

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_it_moves_where_the_program_waits(self, isolation: Any) -> None:
        async def step(seconds: int) -> None:
            session.advance_clock(seconds)
            await asyncio.sleep(0.01 * (3 - seconds))
            session.advance_clock(100 * seconds)

        session = eryx.Session(
            deterministic=eryx.Deterministic(tick=0), callbacks={"step": step}, isolation=isolation
        )
        code = """
import asyncio, time
start = time.time()
steps = [asyncio.create_task(step(seconds=seconds)) for seconds in range(3)]
await asyncio.sleep(0)
sum(range(100_000))
print(time.time() - start)
await asyncio.gather(*steps)
print(time.time() - start)
"""
        assert asyncio.run(session.execute_async(code)).stdout == "0.0\n303.0"

    def test_other_sandboxes_have_no_clock_to_move(self) -> None:
        for isolation in (None, "process"):
            with pytest.raises(ValueError, match="deterministic"):
                eryx.Sandbox(isolation=isolation).advance_clock(1)
        with pytest.raises(ValueError, match="-1"):
            fixed().advance_clock(-1)

    def test_files_have_its_times(self) -> None:
        code = "import os; open('/data/f', 'w').close(); print(os.stat('/data/f').st_mtime)"
        assert fixed(start=1000, tick=0).execute(code).stdout == "1000.0"

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_files_of_storages_have_its_times(self, isolation: Any) -> None:
        session = eryx.Session(
            deterministic=eryx.Deterministic(start=1000, tick=0),
            files=eryx.VfsStorage(),
            isolation=isolation,
        )
        code = """
import os, time
time.sleep(5)
open('/data/f', 'w').close()
os.mkdir('/data/d')
time.sleep(5)
os.utime('/data/f')
print(os.stat('/data/f').st_mtime, os.stat('/data/d').st_mtime)
"""
        assert session.execute(code).stdout == "1010.0 1005.0"


class TestCalls:
    CODE = """
import asyncio
order = []
async def ask(key):
    order.append(await wait(key=key))
await asyncio.gather(*(ask(key) for key in range(6)))
print(order)
"""

    def test_answers_come_in_the_order_of_the_calls(self) -> None:
        async def wait(key: int) -> int:
            await asyncio.sleep((6 - key) / 100)
            return key

        sandbox = eryx.Sandbox(deterministic=eryx.Deterministic(), callbacks={"wait": wait})
        assert sandbox.execute(self.CODE).stdout == str(list(range(6)))
        assert asyncio.run(sandbox.execute_async(self.CODE)).stdout == str(list(range(6)))

    def test_the_clock_stands_still_for_a_call(self) -> None:
        def slow() -> None:
            time.sleep(0.05)

        sandbox = eryx.Sandbox(deterministic=eryx.Deterministic(tick=0), callbacks={"slow": slow})
        code = "import time; t = time.time(); await slow(); print(time.time() - t)"
        assert sandbox.execute(code).stdout == "0.0"

    def test_a_journal_gives_the_same_again(self) -> None:
        async def wait(key: int) -> str:
            await asyncio.sleep(0.001)
            return os.urandom(4).hex()

        code = self.CODE + ENTROPY
        first = eryx.Sandbox(deterministic=eryx.Deterministic(seed=8), callbacks={"wait": wait})
        recorded = first.execute_with_journal(code)
        second = eryx.Sandbox(deterministic=eryx.Deterministic(seed=8), callbacks={"wait": wait})
        journal = json.loads(json.dumps(recorded.journal))
        replayed = second.execute_with_journal(code, journal=journal)
        assert replayed.replayed_callbacks == 6
        assert recorded.result is not None
        assert replayed.result is not None
        assert replayed.result.stdout == recorded.result.stdout
        assert replayed.result.fuel_consumed == recorded.result.fuel_consumed


class TestOptions:
    @pytest.mark.parametrize(
        ("wrong", "error", "text"),
        [
            ({"seed": -1}, ValueError, "seed"),
            ({"seed": 1 << 64}, ValueError, "seed"),
            ({"seed": "1"}, TypeError, "seed"),
            ({"tick": 1.5}, TypeError, "tick"),
            ({"tick": 2_000_000_000}, ValueError, "tick"),
            ({"start": "yesterday"}, ValueError, "yesterday"),
            ({"start": -1}, ValueError, "1970"),
            ({"start": float("nan")}, ValueError, "1970"),
            ({"start": None}, TypeError, "start"),
        ],
    )
    def test_what_is_none_is_refused(
        self, wrong: dict[str, Any], error: type[Exception], text: str
    ) -> None:
        with pytest.raises(error, match=text):
            eryx.Deterministic(**wrong)

    def test_only_such_an_object_is_taken(self) -> None:
        with pytest.raises(TypeError, match="Deterministic"):
            eryx.Sandbox(deterministic=1)  # type: ignore[arg-type]

    def test_its_runs_are_metered(self) -> None:
        assert fixed().execute("pass").fuel_consumed is not None
