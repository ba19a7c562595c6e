"""Objects that live as long as their sandbox.

Their references need no counting and the garbage collector need not look at them; both would only
make private copies of pages that all sandboxes share.
"""

import gc
import sys
from types import CodeType

import _eryx


def _make_all_immortal() -> None:
    """Stop counting references to all objects there are."""
    # Those that the garbage collector knows, and what they refer to. With little memory, since what
    # is taken for this and freed again would be in the image, too.
    waiting = gc.get_objects()
    while waiting:
        item = waiting.pop()
        if sys._is_immortal(item):
            continue
        _eryx.make_immortal(item)
        waiting.extend(gc.get_referents(item))
        # What the collector is not told of, as it cannot be part of a cycle.
        if isinstance(item, dict):
            waiting.extend(item)
        elif isinstance(item, CodeType):
            waiting += (item.co_consts, item.co_names, item.co_filename, item.co_name)
            waiting += (item.co_qualname, item.co_linetable, item.co_exceptiontable)
            waiting += item.co_varnames + item.co_cellvars + item.co_freevars


def settle() -> None:
    """Leave all objects there are as they will be shared."""
    gc.collect()
    _make_all_immortal()
    gc.collect()
    gc.freeze()
