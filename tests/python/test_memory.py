"""eryx.memory(): what sandboxes hold, compared with what the kernel says of the whole process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
RESERVED = 8 << 30

# All in children, since what other tests hold is in the figures as well.
START = """
import os, eryx
MIB = 1 << 20
def rollup(name):
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(name + ":")) * 1024
"""


@pytest.fixture
def told(child: Callable[[str], str]) -> Callable[[str], list[int]]:
    """Runs host code; gives the numbers that it prints."""

    def run(code: str) -> list[int]:
        return [int(word) for word in child(START + code).split()]

    return run


def test_before_the_first_sandbox(told: Callable[[str], list[int]]) -> None:
    *all_zero, mappings = told("print(*eryx.memory())")
    assert all_zero == [0] * 5
    assert mappings > 10


def test_what_programs_write_is_private(told: Callable[[str], list[int]]) -> None:
    code = """
sessions = [eryx.Session() for _ in range(5)]
for session in sessions:
    session.execute("x = 1")
before, whole = eryx.memory(), rollup("Anonymous")
for session in sessions:
    session.execute("data = bytearray(b'x') * (8 << 20)")
after, whole_after = eryx.memory(), rollup("Anonymous")
print(after.private - before.private, whole_after - whole, after.shared, before.guests,
      before.reserved)
"""
    grown, whole, shared, guests, reserved = told(code)
    assert 40 * MIB <= grown < 48 * MIB
    assert abs(grown - whole) < 4 * MIB
    # Of 15 MiB of an image, and an archive; how much the system maps beside what is touched depends
    # on what of the files it has in memory.
    assert MIB // 4 < shared < 40 * MIB
    assert guests == 5
    assert 5 * RESERVED < reserved < 5 * RESERVED + 200 * MIB


def test_shared_pages_count_once(told: Callable[[str], list[int]]) -> None:
    code = """
first = eryx.Session()
first.execute("import json")
one = eryx.memory()
more = [eryx.Session() for _ in range(20)]
for session in more:
    session.execute("import json")
many = eryx.memory()
print(one.shared, many.shared, rollup("Rss"), many.private // many.guests)
"""
    one, many, resident, each = told(code)
    assert many < 4 * (2 * one + 4 * MIB)  # there are four images
    assert many * 3 < resident  # where they are counted for each sandbox
    assert each < 4 * MIB


def test_it_is_given_back(told: Callable[[str], list[int]]) -> None:
    code = """
sessions = [eryx.Session() for _ in range(24)]
for session in sessions:
    session.execute("data = bytearray(b'x') * (4 << 20)")
full = eryx.memory()
del session, sessions
left = eryx.memory()
eryx.trim()
print(full.guests, left.guests, *eryx.memory()[:5])
"""
    full, left, private, shared, reserved, _, guests = told(code)
    assert full == 24
    assert left <= 16
    assert (private, guests) == (0, 0)
    assert shared < 30 * MIB
    assert reserved < 100 * MIB  # the image and the archive


def test_forks_checkpoints_and_factories_are_shared(told: Callable[[str], list[int]]) -> None:
    code = """
session = eryx.Session()
session.execute("import os; data = os.urandom(16 << 20)")
before = eryx.memory()
kept = session.checkpoint()
forks = [session.fork() for _ in range(3)]
after = eryx.memory()
del session, kept, forks
eryx.trim()
gone = eryx.memory()
factory = eryx.SandboxFactory(setup_code="data = bytes(range(256)) * 16384")
made = eryx.memory()
print(before.private, after.private, after.shared - before.shared, gone.shared - before.shared,
      made.shared - gone.shared)
"""
    before, after, kept, gone, factory = told(code)
    assert before > 16 * MIB
    assert after < before  # pages that all have are in a file in memory now
    assert 16 * MIB <= kept < 40 * MIB
    assert gone < 4 * MIB  # pages of an image count once two have them mapped
    assert factory >= 4 * MIB


def test_pools_and_runs(told: Callable[[str], list[int]]) -> None:
    code = """
with eryx.SandboxPool(min_idle=3, max_size=5) as pool:
    idle = eryx.memory().guests
    inside = []
    look = {"name": "look", "fn": lambda: inside.append(eryx.memory())}
    with pool.acquire(callbacks=[look]) as sandbox:
        sandbox.execute("await look()")
print(idle, inside[0].guests, inside[0].private)
"""
    idle, inside, private = told(code)
    assert (idle, inside) == (3, 3)
    assert private > 0


def test_worker_processes(told: Callable[[str], list[int]]) -> None:
    code = """
with eryx.Workers(processes=2) as workers:
    sessions = [workers.session() for _ in range(2)]
    for session in sessions:
        session.execute("data = bytearray(b'x') * (8 << 20)")
    print(*eryx.memory()[:5])
print(eryx.memory().workers)
"""
    private, _, _, workers, guests, ended = told(code)
    assert (private, guests, ended) == (0, 0, 0)
    assert 16 * MIB < workers < 60 * MIB


def test_after_a_fork_of_the_process(told: Callable[[str], list[int]]) -> None:
    """What the two have in common is private to neither."""
    code = """
session = eryx.Session()
session.execute("data = bytearray(b'x') * (16 << 20)")
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, " ".join(map(str, eryx.memory())).encode())
    own = eryx.Session()
    own.execute("data = bytearray(b'x') * (8 << 20)")
    os.write(write, (" " + str(eryx.memory().private)).encode())
    os._exit(0)
os.close(write)
os.wait()
print(os.read(read, 1000).decode())
"""
    private, _, reserved, _, guests, _, own = told(code)
    assert private < 2 * MIB
    assert guests == 1
    assert reserved > RESERVED
    assert own > 8 * MIB


def test_a_fork_while_threads_make_sandboxes(child: Callable[[str], str]) -> None:
    code = """
import threading
eryx.Session(), eryx.memory()  # so that nothing is imported at the moment of a fork
stop = False
def work():
    while not stop:
        sessions = [eryx.Session() for _ in range(12)]
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        eryx.memory()
        eryx.Session().execute("x = 1")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop = True
for thread in threads: thread.join()
print("whole")
"""
    assert child(START + code) == "whole"


def test_it_has_names() -> None:
    told = eryx.memory()
    assert told._fields == ("private", "shared", "reserved", "workers", "guests", "mappings")
    with open("/proc/self/maps") as file:
        assert abs(len(file.readlines()) - told.mappings) < 20
