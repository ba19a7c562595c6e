"""What is left when workers, nodes and drivers are killed: everything, and nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import eryx
from clusters import Cluster, kill, wait_until
from eryx.ext._cluster import _dispatcher
from eryx.ext._cluster._ledger import Ledger

pytestmark = [pytest.mark.timeout(900)]

PROGRAMS = 240
PROGRAM = """
import time, uuid
open(f"/runs/{{}}-{{uuid.uuid4().hex}}", "x").close()  # one for each time that it runs
time.sleep(0.02)
{}
"""


def programs(count: int = PROGRAMS) -> list[str]:
    return [PROGRAM.format(number, number).replace("{}", str(number)) for number in range(count)]


def times_run(runs: Path) -> Counter[int]:
    """How often each program was run."""
    return Counter(int(path.name.partition("-")[0]) for path in runs.iterdir())


def volumes(runs: Path) -> dict[str, Any]:
    return {"volumes": [(str(runs), "/runs", "rw")]}


class Watch:
    """Takes answers, and looks how often each program had run when its answer came."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._acknowledged: Counter[int] = Counter()
        self.answers: list[Any] = []

    def take(self, answers: Iterable[Any]) -> Iterator[Any]:
        for answer in answers:
            self._acknowledged[answer.index] = times_run(self._runs)[answer.index]
            self.answers.append(answer)
            yield answer

    def check(self) -> None:
        """All were answered, once, and none has run again after that."""
        assert sorted(answer.index for answer in self.answers) == [*range(PROGRAMS)]
        assert all(answer.result().value == answer.index for answer in self.answers)
        counted = times_run(self._runs)
        assert counted == self._acknowledged
        for answer in self.answers:
            assert 1 <= counted[answer.index] <= answer.attempts


class TestPrograms:
    @pytest.mark.sample
    def test_outlive_the_process_of_a_worker(self, cluster: Cluster, runs: Path) -> None:
        watch = Watch(runs)
        with cluster.pool() as pool:
            for _ in watch.take(pool.map(programs(), ordered=False, **volumes(runs))):
                if len(watch.answers) == PROGRAMS // 4:
                    kill(cluster.host_pids()[0])
            stats = pool.stats()
        watch.check()
        assert stats.lost_hosts >= 1
        assert 1 <= stats.resent == sum(answer.attempts - 1 for answer in watch.answers)

    def test_outlive_a_node(self, cluster: Cluster, runs: Path) -> None:
        node = cluster.nodes()[0]
        watch = Watch(runs)
        with cluster.pool() as pool:
            for _ in watch.take(pool.map(programs(), ordered=False, **volumes(runs))):
                if len(watch.answers) == PROGRAMS // 4:
                    cluster.kill_node(node)
            assert pool.stats().lost_hosts >= 1
        watch.check()
        assert node not in {answer.node for answer in watch.answers[PROGRAMS // 2 :]}

    def test_go_to_nodes_that_come_later(self, cluster: Cluster, runs: Path) -> None:
        """All nodes die, and one comes."""
        watch = Watch(runs)
        with cluster.pool() as pool:
            for _ in watch.take(pool.map(programs(), ordered=False, **volumes(runs))):
                if len(watch.answers) == PROGRAMS // 4:
                    for node in cluster.nodes():
                        cluster.kill_node(node)
                    cluster.add_node()
        watch.check()

    def test_go_elsewhere_when_a_worker_is_silent(
        self, cluster: Cluster, runs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_dispatcher, "_SILENT_SECONDS", 6.0)
        watch = Watch(runs)
        stopped = 0
        try:
            with cluster.pool() as pool:
                for _ in watch.take(pool.map(programs(), ordered=False, **volumes(runs))):
                    if len(watch.answers) == PROGRAMS // 4:
                        stopped = cluster.host_pids()[0]
                        os.kill(stopped, signal.SIGSTOP)
                assert pool.stats().lost_hosts >= 1
        finally:
            if stopped:
                kill(stopped)
        watch.check()

    @pytest.mark.sample
    def test_that_end_their_hosts_take_no_others_along(self, cluster: Cluster) -> None:
        def die() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        given = ["import time; time.sleep(0.01); 1"] * 30
        given[11] = "await die()"
        with cluster.pool() as pool:
            answers = [*pool.map(given, callbacks=[die], retries=1)]
            assert [answer.index for answer in answers if not answer.ok] == [11]
            assert isinstance(answers[11].ending, eryx.WorkerCrashedError)
            assert "it was sent 2 times" in str(answers[11].ending)
            assert answers[11].attempts == 2
            with pytest.raises(eryx.WorkerCrashedError, match="it was sent once"):
                pool.submit("await die()", callbacks=[die], retries=0).result()


DRIVER = """
import sys
import eryx
from eryx.ext import {name} as cluster

def main():
    {connect}
    sys.path.insert(0, {tests!r})
    from test_ends import programs, volumes
    from pathlib import Path
    with cluster.Pool({options}) as pool:
        answers = pool.map(programs(), ledger={ledger!r}, **volumes(Path({runs!r})))
        for answer in answers:
            print(answer.index, answer.result().value, int(answer.is_recorded), flush=True)

if __name__ == "__main__":
    main()
"""


class TestDrivers:
    def driver(self, cluster: Cluster, runs: Path, ledger: Path) -> subprocess.Popen[str]:
        code = DRIVER.format(
            name=cluster.name,
            connect=cluster.connect,
            tests=str(Path(__file__).parent),
            options="num_cpus=0.2, max_hosts=2" if cluster.name == "ray" else "",
            ledger=str(ledger),
            runs=str(runs),
        )
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    def test_that_are_killed_go_on_with_their_ledger(
        self, cluster: Cluster, runs: Path, tmp_path: Path
    ) -> None:
        ledger = tmp_path / "ledger"
        first = self.driver(cluster, runs, ledger)
        assert first.stdout is not None
        seen = [first.stdout.readline() for _ in range(PROGRAMS // 4)]
        hosts = cluster.host_pids() if cluster.name == "ray" else []
        kill(first.pid)
        seen += first.stdout.readlines()
        first.wait()
        acknowledged = {int(line.split()[0]) for line in seen if line.endswith("\n")}
        opened = Ledger(ledger)
        recorded = set(opened._places)
        opened.close()
        assert len(acknowledged) >= PROGRAMS // 4
        assert acknowledged <= recorded
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in hosts))

        second = self.driver(cluster, runs, ledger)
        output, _ = second.communicate(timeout=600)
        assert second.returncode == 0
        lines = [tuple(map(int, line.split())) for line in output.splitlines()]
        assert [line[:2] for line in lines] == [(number, number) for number in range(PROGRAMS)]
        assert {index for index, _, is_recorded in lines if is_recorded} == recorded
        counted = times_run(runs)
        assert set(counted) == set(range(PROGRAMS))
        assert {counted[index] for index in recorded} == {1}


class TestSessions:
    @pytest.fixture
    def pool(self, cluster: Cluster) -> Iterator[Any]:
        with cluster.pool() as pool:
            yield pool

    @pytest.mark.sample
    def test_go_on_elsewhere_when_their_node_dies(self, cluster: Cluster, pool: Any) -> None:
        module = cluster.module()
        factory = eryx.SandboxFactory(setup_code="x = 0")
        with pool.session(factory=factory, save_every=2) as session:
            for _ in range(5):
                session.execute("x += 1; words = iter('abc')")
            first = session.node
            cluster.kill_node(first)
            wait_until(lambda: session.node is None)
            with pytest.warns(module.SessionRestoredWarning, match="after run 4, 1 answered"):
                assert session.execute("x, next(words)").value == [4, "a"]
            assert session.restored[:2] == (4, 1)
            assert session.restored.node == session.node != first
            assert session.execute("x").value == 4
            assert session.restored is None

    def test_say_when_their_node_dies_during_a_run(self, cluster: Cluster, pool: Any) -> None:
        module = cluster.module()
        with pool.session() as session:
            session.execute("x = 1")
            node = session.node
            threading.Timer(1.0, cluster.kill_node, [node]).start()
            with pytest.raises(eryx.WorkerCrashedError, match="goes on from the state after run 1"):
                session.execute("x = 2\nimport time\nwhile True: time.sleep(0.1)", timeout_ms=None)
            with pytest.warns(module.SessionRestoredWarning, match="run 1, 0 answered"):
                assert session.execute("x").value == 1
            assert session.node != node

    def test_begin_anew_if_nothing_was_saved(self, cluster: Cluster, pool: Any) -> None:
        with pool.session(save_every=10) as session:
            session.execute("x = 1")
            cluster.kill_node(session.node)
            wait_until(lambda: session.node is None)
            with pytest.warns(cluster.module().SessionRestoredWarning, match="after run 0, 1 ans"):
                assert session.execute("'x' in globals()").value is False

    def test_stay_when_another_node_dies(self, cluster: Cluster, pool: Any) -> None:
        """With Dask that one has had the saved state."""
        with pool.session() as session:
            session.execute("x = 1")
            wait_until(lambda: pool.stats().nodes == 2)  # a host that is there is lost, no other
            other = next(node for node in cluster.nodes() if node != session.node)
            cluster.kill_node(other)
            wait_until(lambda: pool.stats().lost_hosts >= 1)
            assert session.execute("x").value == 1
            assert session.restored is None
            time.sleep(0.1)
            assert session.execute("x").value == 1


class TestClusters:
    def test_without_nodes_are_given_up(self, cluster: Cluster) -> None:
        with cluster.pool(patience_seconds=3.0) as pool:
            assert pool.submit("1").result().value == 1
            for node in cluster.nodes():
                cluster.kill_node(node)
            wait_until(lambda: pool.stats().hosts == 0)
            with pytest.raises(eryx.WorkerCrashedError, match="for 3 seconds"):
                pool.submit("1", retries=5).result()
