"""Files that are built to make the host work: no call of a guest may take it long."""

from __future__ import annotations

import textwrap
import time

import pytest

import eryx

# Links of the longest length, each of which leads through the one before it.
LINKS = """
import os
os.chdir("/data")
os.mkdir("a")
last = "a"
for i in range(39):
    unit = "a/../"
    os.symlink(unit * ((4096 - len(last)) // len(unit)) + last, f"l{i}")
    last = f"l{i}"
path = "/data/" + last
"""


def program(code: str) -> str:
    return LINKS + textwrap.dedent(code)


class TestLongPaths:
    def test_refused(self) -> None:
        code = """
        for call in (os.stat, os.listdir, os.mkdir, os.unlink, os.rmdir, os.readlink, open):
            try:
                call(path + "/x")
            except OSError as error:
                print(error.strerror)
        print(os.stat("/data/l1").st_ino == os.stat("/data/a").st_ino)
        """
        result = eryx.Sandbox().execute(program(code))
        assert result.stdout.splitlines() == ["Filename too long"] * 7 + ["True"]

    def test_deadline(self) -> None:
        """Each call took 5 ms, and a run with a deadline of 1 s six of them."""
        code = """
        try:
            while True: pass
        except BaseException:
            pass
        while True:
            try:
                while True:
                    try: os.stat(path)
                    except OSError: pass
            except BaseException:
                pass
        """
        limits = eryx.ResourceLimits(execution_timeout_ms=1_000)
        sandbox = eryx.Sandbox(resource_limits=limits)
        begin = time.monotonic()
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute(program(code))
        assert time.monotonic() - begin < 3
