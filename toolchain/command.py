"""How commands for people end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from toolchain.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable


def exit_status(do: Callable[[], object]) -> int:
    """Does what the command is for. Gives 0, or 1 after a BuildError, which is printed."""
    try:
        do()
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
