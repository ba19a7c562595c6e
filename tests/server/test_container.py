"""deploy/Dockerfile: linted, followed step by step, and its container started here.

There is no container engine where the tests run: `toolchain/container.py` follows the file, and
bubblewrap starts what comes out of it as an ordinary user (container.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import seccomp
from container import MADE, ROOT, Image, image, running
from processes import free_port

from eryx.server import new_key, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = ROOT / "deploy"
KEY, STORED = new_key("alice")
SETTINGS = f"""
store = "file:///var/lib/eryx/sessions"
drain_seconds = 10
[[keys]]
name = "alice"
sha256 = "{STORED.sha256}"
"""
needs_image = pytest.mark.skipif(
    not MADE.name, reason="ERYX_CONTAINER names no root directory (`make test-server` makes it)"
)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM debian\nRUN apt-get install python3\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, wrong], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DL3006" in done.stdout


def test_what_it_installs_is_what_is_locked() -> None:
    from toolchain.environments import requirements

    assert (DEPLOY / "requirements.txt").read_text() == requirements("service")


def test_settings_of_the_document(tmp_path: Path) -> None:
    document = ROOT.joinpath("docs", "deploying.md").read_text()
    path = tmp_path / "settings.toml"
    path.write_text(document.partition("```toml\n")[2].partition("```")[0])
    found = read_settings(path)
    assert (found.isolation, found.max_runs, len(found.keys)) == ("process", 4, 1)


@pytest.fixture(scope="module")
def built() -> Iterator[Image]:
    with image() as found:
        yield found


@pytest.fixture
def place(built: Image) -> Path:
    """A folder for what is mounted, which everybody may enter."""
    return built.new_folder()


@needs_image
class TestContainer:
    def test_it_serves_and_has_nothing_that_it_does_not_need(
        self, built: Image, place: Path
    ) -> None:
        with running(built, place, SETTINGS) as container, container.client(KEY) as client:
            done = client.post("/v1/runs", json={"code": "import sys; print(sys.version[:4]); 42"})
            assert done.json()["value"] == 42
            assert container.status("Uid").split() == ["65534"] * 4  # nobody, who in there is
            mapped = Path(f"/proc/{container.pid}/uid_map").read_text().split()
            assert mapped == ["10001", "65534", "1"]
            assert container.status("NSpid").split()[-1] == "1"
            assert int(container.status("CapEff"), 16) == 0
            assert container.status("NoNewPrivs") == "1"
            assert container.status("Seccomp") == "2"
            assert container.healthy()
            for path in ("/opt/eryx/x", "/etc/x", "/usr/bin/x", "/x"):
                written = container.inside("touch", path)
                assert written.returncode != 0
                assert "Read-only file system" in written.stderr

    def test_it_ends_as_it_is_told_and_the_next_goes_on(self, built: Image, place: Path) -> None:
        with running(built, place, SETTINGS) as container, container.client(KEY) as client:
            session = client.post("/v1/sessions").headers["location"]
            client.post(f"{session}/runs", json={"code": "x = 41"})
            assert container.end() == 0
        with running(built, place, SETTINGS) as container, container.client(KEY) as client:
            done = client.post(f"{session}/runs", json={"code": "x + 1"})
            assert done.json()["value"] == 42

    def test_worker_processes(self, built: Image, place: Path) -> None:
        with (
            running(built, place, f'isolation = "process"\n{SETTINGS}') as container,
            container.client(KEY) as client,
        ):
            session = client.post("/v1/sessions").headers["location"]
            assert client.post(f"{session}/runs", json={"code": "6 * 7"}).json()["value"] == 42
            assert client.get("/v1/status").json()["workers"] == 1

    def test_mcp(self, built: Image, place: Path) -> None:
        import asyncio

        from test_mcp import connected, run, value

        async def main(container: object) -> None:
            async with connected(container, KEY) as client:  # type: ignore[arg-type]
                assert value(await run(client, "6 * 7")) == 42

        with running(built, place, SETTINGS) as container:
            asyncio.run(main(container))

    def test_its_memory_is_bounded(self, built: Image, place: Path) -> None:
        """What sandboxes take beyond their group's limit is refused to one of them, not to all.

        The group's limit is above what the quotas allow: `max_sessions` and `memory_bytes` are
        what keeps the service alive, the group is the last resort.
        """
        group = _memory_group()
        settings = f"max_sessions = 3\n{SETTINGS}memory_bytes = 67108864\n"
        try:
            with (
                running(built, place, settings, memory=group) as container,
                container.client(KEY) as client,
            ):
                sessions = [client.post("/v1/sessions").headers["location"] for _ in range(3)]
                for session in sessions:
                    code = "x = bytearray(32 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1"
                    done = client.post(f"{session}/runs", json={"code": code}).json()
                    assert done["error"] is None
                    more = client.post(f"{session}/runs", json={"code": "y = bytearray(64 << 20)"})
                    assert "MemoryError" in more.json()["error"]["message"]
                used = _used(group)
                assert 3 * (32 << 20) < used < _LIMIT
                assert container.process.poll() is None
        finally:
            _remove(group)


_LIMIT = 512 << 20


def _memory_group() -> Path:
    """A control group of 512 MiB, of either version."""
    name = f"eryx-test-{os.getpid()}-{free_port()}"
    for parent, limit in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        group = Path("/sys/fs/cgroup", parent, name)
        try:
            group.mkdir()
            (group / limit).write_text(str(_LIMIT))
            return group
        except OSError:
            if group.exists():
                group.rmdir()
    pytest.skip("no control group of memory can be made here")


def _used(group: Path) -> int:
    for name in ("memory.usage_in_bytes", "memory.current"):
        if (group / name).exists():
            return int((group / name).read_text())
    raise AssertionError(group)


def _remove(group: Path) -> None:
    for _ in range(100):
        try:
            group.rmdir()
            return
        except OSError:
            time.sleep(0.05)


# What goes without a call that deploy/seccomp.json allows: docs/deploying.md has the same.
RUN = "print(eryx.Sandbox().execute('6 * 7').value)"
FACTORY = "print(eryx.SandboxFactory().create_sandbox().execute('6 * 7').value)"
FORK = (
    "session = eryx.Session(); session.execute('x = 42'); print(session.fork().execute('x').value)"
)
WORKER = "print(eryx.Sandbox(isolation='process').execute('6 * 7').value)"


class TestFilter:
    @pytest.mark.parametrize("program", [RUN, FACTORY, FORK, WORKER])
    def test_all_goes_with_it(self, program: str) -> None:
        assert _filtered(program) == "42"

    @pytest.mark.parametrize(
        ("without", "program", "expected"),
        [
            (["timer_create"], RUN, "signal handlers or timers cannot be set up for guests"),
            (["sigaltstack"], RUN, "signal handlers or timers cannot be set up for guests"),
            (["timer_settime"], RUN, "so guests could not be stopped"),
            (["memfd_create"], RUN, "42"),
            (["memfd_create"], FACTORY, "no file in memory for a factory"),
            (["ioctl"], FORK, "42"),
            (["clone"], WORKER, "no worker process"),
            (["prctl", "seccomp"], RUN, "42"),
            (["prctl", "seccomp"], WORKER, "a worker process"),
            (["landlock_create_ruleset", "pidfd_open"], WORKER, "42"),
        ],
    )
    def test_what_is_lost_without(self, without: list[str], program: str, expected: str) -> None:
        assert expected in _filtered(program, without)

    def test_what_it_refuses(self) -> None:
        program = (
            "import ctypes, os, socket\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "def told(result): return os.strerror(ctypes.get_errno()) if result < 0 else 'done'\n"
            "print(told(libc.unshare(0x10000000)), told(libc.ptrace(0, 0, 0, 0)), sep='; ')\n"
            "print(told(libc.mount(b'a', b'/tmp', b'tmpfs', 0, None)))\n"
            "try: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
            "except PermissionError: print('no packets')"
        )
        refused = "Operation not permitted"
        assert _filtered(program).splitlines() == [f"{refused}; {refused}", refused, "no packets"]


def _filtered(program: str, without: list[str] | None = None) -> str:
    """What a program prints, or the last line of its error, under the filter."""
    profile = seccomp.read(DEPLOY / "seccomp.json")
    file = seccomp.compiled(profile, without or [])
    try:
        done = subprocess.run(
            [
                *("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
                *("--tmpfs", "/tmp", "--seccomp", str(file), "--"),
                *(sys.executable, "-c", f"import eryx\n{program}"),
            ],
            pass_fds=[file],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        os.close(file)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


class TestLimitsOfTheSystem:
    """What docs/deploying.md says of limits that are too low: an error, and the process goes on."""

    def test_address_space(self) -> None:
        program = (
            "import resource\n"
            "eryx.Sandbox().execute('1')\n"
            "resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))\n"
            "try: [eryx.Session() for _ in range(4)]\n"
            "except eryx.InitializationError: print('refused')"
        )
        assert _run(program) == "refused"

    def test_mappings(self) -> None:
        program = (
            "import mmap\n"
            "first = eryx.Session(); first.execute('x = 41')\n"
            "taken = []\n"
            "try:\n"
            "    while len(taken) < 200_000:  # alternate, or neighbours would be one\n"
            "        taken.append(mmap.mmap(-1, 4096, prot=1 + len(taken) % 2 * 2))\n"
            "    print('no limit')\n"
            "except (OSError, ValueError): pass\n"
            "for _ in range(3): taken.pop()\n"
            "try: [eryx.Session() for _ in range(9)]; print('no limit')\n"
            "except eryx.InitializationError: print('refused')\n"
            "del taken\n"
            "print(first.execute('x + 1').value, eryx.Session().execute('6 * 7').value)"
        )
        lines = _run(program).splitlines()
        assert lines in (["refused", "42 42"], ["no limit", "no limit", "42 42"])


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import eryx\n{program}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
