"""What the tests share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx._options import Equipment
from secret_helpers import Guests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import prometheus_client

    from eryx.native import NativeModule
    from observing_helpers import Told

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolchain.guest_packages import wheels

# How late the end of a run may be before a test fails: far more than on a quiet machine, where it
# is a few milliseconds, because tests share their machine with builds.
LATENESS_MS = float(os.environ.get("ERYX_TEST_LATENESS_MS", "100"))

Child = subprocess.CompletedProcess[str]

# Files with tests of time, of what the whole machine does, or of all that the process has. They run
# when no others do (make test-python); a file's tests run in one process, one after the other.
ALONE = {
    "test_busy_host.py",
    "test_callbacks.py",  # interrupts itself, which ends a worker
    "test_descriptors.py",
    "test_file_costs.py",
    "test_hard_stop.py",
    "test_host_costs.py",
    "test_lateness.py",
    "test_network_waits.py",
    "test_pool.py",
    "test_resource_limits.py",
    "test_scheduler.py",
    "test_streaming.py",
    "test_waiting.py",
    "test_walls.py",
    "test_withstand.py",
}


def stable_id(value: object) -> str:
    """For ids of parameters: the same in each process, also for functions."""
    return re.sub(r" at 0x\w+", "", repr(value))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that run alone."""
    for item in items:
        if item.path.name in ALONE:
            item.add_marker(pytest.mark.alone)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that use `each_isolation` run in this process, and once more in worker processes.

    Those that are marked with ``here_alone(why)`` run here.
    """
    if "each_isolation" in metafunc.fixturenames:
        alone = metafunc.definition.get_closest_marker("here_alone")
        places = ["here"] if alone else ["here", "worker"]
        metafunc.parametrize("each_isolation", places, indirect=True)


@pytest.fixture
def each_isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where sandboxes run that do not say it: "here" or "worker"."""
    where: str = request.param
    if where == "worker":
        place = Equipment.names.index("isolation")
        original = Equipment.__init__

        def in_worker(self: Equipment, *given: Any, **named: Any) -> None:
            if given and given[place] is None:  # not one that a factory is built in
                given = (*given[:place], "process", *given[place + 1 :])
            original(self, *given, **named)

        monkeypatch.setattr(Equipment, "__init__", in_worker)
    return where


@pytest.fixture
def sandbox() -> eryx.Sandbox:
    """A sandbox with the default limits."""
    return eryx.Sandbox()


@pytest.fixture
def run(sandbox: eryx.Sandbox) -> Callable[[str], eryx.ExecuteResult]:
    """Runs an indented program in a sandbox with the default limits."""
    return lambda code: sandbox.execute(textwrap.dedent(code))


@pytest.fixture
def fails(sandbox: eryx.Sandbox) -> Callable[[str], eryx.ExecutionError]:
    """Runs an indented program that must fail; gives the exception."""

    def run_failing(code: str) -> eryx.ExecutionError:
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute(textwrap.dedent(code))
        return caught.value

    return run_failing


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the HTTP clients from PyPI and what they need, unpacked."""
    directory = tmp_path_factory.mktemp("site")
    names = (
        *("aiohappyeyeballs", "aiohttp", "aiosignal", "anyio", "attrs", "certifi"),
        *("charset-normalizer", "frozenlist", "h11", "httpcore", "httpx", "idna", "multidict"),
        *("propcache", "requests", "typing-extensions", "urllib3", "yarl"),
    )
    for wheel in wheels(*names):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(directory)
    return directory


@pytest.fixture(scope="session")
def spam_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the native module spam, to be a volume at /native."""
    from native_helpers import SOURCES, built

    made = tmp_path_factory.mktemp("native")
    built(SOURCES / "spam.c", made)
    return made


@pytest.fixture(scope="session")
def spam(spam_directory: Path) -> NativeModule:
    """The module, translated."""
    from eryx import native
    from native_helpers import SUFFIX

    return native.translate(spam_directory / f"spam{SUFFIX}")


@pytest.fixture(scope="session")
def one_cache_of_zig() -> Iterator[None]:
    """Zig compiles parts of libc for every new cache, which takes long."""
    from eryx.native._compile import default_cache

    own = str(default_cache() / "zig")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZIG_GLOBAL_CACHE_DIR", own)
        patch.setenv("ZIG_LOCAL_CACHE_DIR", own)
        yield


@pytest.fixture
def guests() -> Iterator[Guests]:
    """Makes sandboxes with secrets; in the end nothing of a value may be in their memory."""
    made = Guests()
    yield made
    made.check()


def run_python(
    code: str, *, timeout: float = 120, environment: dict[str, str] | None = None
) -> Child:
    """Runs host code in a process of its own, for what would disturb this one.

    Its output is buffered, so that the lines of processes it forks do not run into each other.
    """
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**inherited, **(environment or {})},
        check=False,
    )


@pytest.fixture
def told() -> Iterator[Told]:
    """What OpenTelemetry is told in a test."""
    from observing_helpers import Told  # which most tests do without

    with Told() as made:
        yield made


@pytest.fixture
def registry() -> Iterator[prometheus_client.CollectorRegistry]:
    """A registry of Prometheus that is told."""
    import prometheus_client

    made = prometheus_client.CollectorRegistry()
    with eryx.instrument(prometheus=made):
        yield made


@pytest.fixture
def child() -> Callable[[str], str]:
    """Runs host code in a process of its own that must succeed; gives its stdout."""

    def run_child(code: str) -> str:
        done = run_python(code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run_child


def private_bytes() -> int:
    """Memory that this process uses for itself, so without pages of files such as the image."""
    with open("/proc/self/statm") as file:
        _, resident, of_files, *_ = map(int, file.read().split())
    return (resident - of_files) * os.sysconf("SC_PAGE_SIZE")


def open_descriptors() -> int:
    """Number of open file descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def descriptor_targets() -> set[tuple[str, str]]:
    """The open file descriptors of this process, each with what it is of."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that lists them
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found
