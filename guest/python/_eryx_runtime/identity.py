"""Who the program is: a user as any other, to whom files are open that belong to the system."""

import os
import posix

USER = "user"
NUMBER = 1000


def getuid():
    """Return the current process's user id."""
    return NUMBER


def geteuid():
    """Return the current process's effective user id."""
    return NUMBER


def getgid():
    """Return the current process's group id."""
    return NUMBER


def getegid():
    """Return the current process's effective group id."""
    return NUMBER


def getgroups():
    """Return list of supplemental group IDs for the process."""
    return [NUMBER]


def getppid():
    """Return the parent's process id: there is no other process."""
    return 0


def getpgrp():
    """Return the current process group id."""
    return 1


def getpgid(pid):
    """Call the system call getpgid(), and return the result."""
    _check(pid)
    return 1


def getsid(pid, /):
    """Call the system call getsid(pid) and return the result."""
    _check(pid)
    return 1


def getlogin():
    """Return the actual login name."""
    return USER


def getresuid():
    """Return a tuple of the current process's real, effective, and saved user ids."""
    return (NUMBER, NUMBER, NUMBER)


def getresgid():
    """Return a tuple of the current process's real, effective, and saved group ids."""
    return (NUMBER, NUMBER, NUMBER)


def _check(pid):
    if pid not in (0, os.getpid()):
        raise ProcessLookupError(3, "No such process")


_FUNCTIONS = (
    *(getuid, geteuid, getgid, getegid, getgroups, getppid, getpgrp, getpgid, getsid),
    *(getlogin, getresuid, getresgid),
)


def install() -> None:
    """Put them into os and what that is made of."""
    for function in _FUNCTIONS:
        function.__module__ = "posix"
        setattr(posix, function.__name__, function)
        setattr(os, function.__name__, function)
        os.__all__.append(function.__name__)
