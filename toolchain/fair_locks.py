"""Lets the clock have no part in which thread gets a lock, where fuel is the clock.

Who unlocks a lock of CPython that others wait for hands it to the first of them if that one has
waited for a millisecond, and else lets it wake up and try. Where fuel is counted the same program
is to do the same in every run, so there it is always handed over.
"""

from __future__ import annotations

import re

from toolchain.errors import BuildError

_FUNCTION = "w2c_guest_mutex_unpark"
_COMPARISON = re.compile(r"= (\(u64\)\(\(s64\)var_j\d > \(s64\)var_j\d\));")


def hand_over_locks(functions: dict[str, str]) -> dict[str, str]:
    """Gives the one of the transformed function bodies that has to be replaced, by name."""
    if _FUNCTION not in functions:
        raise BuildError(f"there is no function {_FUNCTION}")
    text, count = _COMPARISON.subn(r"= instance->metered | \1;", functions[_FUNCTION])
    if count != 1:
        raise BuildError(f"{count} comparisons of times in {_FUNCTION}, expected one")
    return {_FUNCTION: text}
