"""Has the standard library say that there are no other processes, where it would say else.

Its modules for processes look for what a system may lack, and then tell of a missing function, of
semaphores, or of a build that they think is at fault. guest/python/_eryx_runtime/processes.py does
the same for the modules that the interpreter holds.
"""

from __future__ import annotations

from toolchain.errors import BuildError

_TEXT = '"can\'t start new process in the sandbox"'
_RAISE = f"raise OSError(errno.ENOTSUP, {_TEXT})"

# By path: what is replaced, each found once.
_CHANGES = {
    "subprocess.py": {'f"{sys.platform} does not support processes."': _TEXT},
    "concurrent/futures/process.py": {
        '"This Python build lacks multiprocessing.synchronize, usually due "\n'
        '            "to named semaphores being unavailable on this platform."': _TEXT
    },
    "multiprocessing/connection.py": {
        "s1, s2 = socket.socketpair()": _RAISE,
        "fd1, fd2 = os.pipe()": _RAISE,
    },
    # Pools of threads are Pools that tell each other through pipes.
    "multiprocessing/pool.py": {
        "self._change_notifier = self._ctx.SimpleQueue()": "self._change_notifier ="
        " queue.SimpleQueue()",
        "        wait(sentinels, timeout=timeout)\n": "        change_notifier.get()\n",
        "    def _get_sentinels(self):\n        return [self._change_notifier._reader]\n": "    def"
        " _get_sentinels(self):\n        return []\n",
    },
    "multiprocessing/popen_fork.py": {
        "import atexit\n": "import atexit\nimport errno\n",
        "flag=os.WNOHANG": "flag=1",
        "        util._flush_std_streams()\n        self.returncode": f"        {_RAISE}\n"
        "        self.returncode",
    },
}


def amend(library: dict[str, bytes]) -> dict[str, bytes]:
    """The library with other words; raises BuildError if a file is not as it was."""
    amended = dict(library)
    for path, changes in _CHANGES.items():
        text = library[path].decode()
        for old, new in changes.items():
            if text.count(old) != 1:
                raise BuildError(f"{path} of the standard library has changed: {old!r} is not once")
            text = text.replace(old, new)
        amended[path] = text.encode()
    return amended
