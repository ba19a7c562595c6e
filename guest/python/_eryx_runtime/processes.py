"""Other processes, of which there are none: what would start one says so.

More of this is in the library's own files, changed by toolchain/processless.py.
"""

import errno
import os
from typing import Any, NoReturn

_NO_START = "can't start new process in the sandbox"
_NO_OTHERS = "there are no other processes in the sandbox"
_NO_PIPES = "there are no named pipes and no terminals in the sandbox, and no processes to talk to"

# os.py defines these by what is missing here.
_USELESS = ("execl", "execle", "execlp", "execlpe", "execvp", "execvpe")

_REASONS = {
    **dict.fromkeys(_USELESS, _NO_START),
    **dict.fromkeys(("fork", "forkpty", "system", "posix_spawn", "posix_spawnp"), _NO_START),
    **dict.fromkeys(("execv", "execve", "spawnl", "spawnle", "spawnlp", "spawnlpe"), _NO_START),
    **dict.fromkeys(("spawnv", "spawnve", "spawnvp", "spawnvpe"), _NO_START),
    **dict.fromkeys(("wait", "wait3", "wait4", "waitid", "waitpid", "WNOHANG"), _NO_OTHERS),
    **dict.fromkeys(("kill", "killpg", "pidfd_open"), _NO_OTHERS),
    **dict.fromkeys(("mkfifo", "openpty"), _NO_PIPES),
}


def _explain_missing(name: str) -> NoReturn:
    """Say why os has no such name, if that is the reason; os.__getattr__."""
    text = f"module 'os' has no attribute {name!r}"
    reason = _REASONS.get(name)
    if reason is None:
        raise AttributeError(text, name=name, obj=os)
    # Without the module no other name is suggested in its place.
    raise AttributeError(f"{text}: {reason}", name=name, obj=None)


def refuse(*arguments: Any, **options: Any) -> NoReturn:
    """Be called in place of a function that starts a process."""
    raise OSError(errno.ENOTSUP, _NO_START)


def install() -> None:
    """Let os say why it lacks what it lacks."""
    for name in _USELESS:
        delattr(os, name)
        os.__all__.remove(name)
    os.__getattr__ = _explain_missing  # type: ignore[attr-defined]
