"""File descriptors of the host: no guest takes them all, nor do all guests together."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import eryx

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import os, resource, socket, sys
import eryx

def limit(most):
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, highest))
"""


def in_a_process(code: str, *arguments: str) -> str:
    """What a program prints that sets limits of its process."""
    command = [sys.executable, "-c", BEGIN + textwrap.dedent(code), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestVolumes:
    def test_many_guests_leave_some_to_the_host(self, tmp_path: Path) -> None:
        """Eight of them took all."""
        for i in range(100):
            (tmp_path / str(i)).write_text("x")
        code = '''
        limit(1024)
        guest = """
        import errno
        files = []
        try:
            for i in range(100): files.append(open(f'/v/{i}'))
        except OSError as error:
            print(len(files), errno.errorcode[error.errno])
        """
        sessions = [eryx.Session(volumes=[(sys.argv[1], "/v", True)]) for _ in range(12)]
        for session in sessions:
            print(session.execute(guest).stdout)
        files = [open(os.devnull) for _ in range(300)]
        eryx.Session(volumes=[(sys.argv[1], "/v", True)]).execute("import os; os.stat('/v')")
        sessions[0].reset()
        print(sessions[9].execute(guest).stdout)
        '''
        lines = in_a_process(code, str(tmp_path)).splitlines()
        assert lines == ["64 EMFILE"] * 8 + ["0 EMFILE"] * 4 + ["64 EMFILE"]

    def test_deep_files_take_one(self, tmp_path: Path) -> None:
        folder = tmp_path / "a" / "b" / "c" / "d" / "e"
        folder.mkdir(parents=True)
        code = '''
        limit(512)
        guest = """
        files = []
        for i in range(25): files.append(open(f'/v/a/b/c/d/e/{i}', 'w'))
        print(len(files))
        """
        print(eryx.Sandbox(volumes=[(sys.argv[1], "/v", False)]).execute(guest).stdout)
        '''
        assert in_a_process(code, str(tmp_path)) == "25\n"


class TestHandles:
    def test_told_as_what_it_is(self) -> None:
        code = """
        import errno
        files = []
        try:
            while True: files.append(open("/data/f", "w"))
        except OSError as error:
            print(errno.errorcode[error.errno], error.strerror)
        """
        limits = eryx.ResourceLimits(max_open_handles=20)
        result = eryx.Sandbox(resource_limits=limits).execute(textwrap.dedent(code))
        assert result.stdout == "EMFILE No file descriptors available"


class TestSockets:
    def test_shared_with_files(self, tmp_path: Path) -> None:
        code = '''
        limit(256)
        server = socket.create_server(("127.0.0.1", 0))
        guest = f"""
        import errno, socket
        held = [open(f'/v/{{i}}', 'w') for i in range(5)]
        try:
            while True:
                held.append(socket.create_connection(('127.0.0.1', {server.getsockname()[1]})))
        except OSError as error:
            print(len(held), errno.errorcode[error.errno])
        """
        network = eryx.NetConfig(max_connections=100).allow_localhost()
        session = eryx.Session(volumes=[(sys.argv[1], "/v", False)], network=network)
        for _ in range(3):
            print(session.execute(guest).stdout)
            session.reset()
        '''
        assert in_a_process(code, str(tmp_path)).splitlines() == ["16 EMFILE"] * 3
