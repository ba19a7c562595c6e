"""A kernel for Jupyter whose cells run in a sandbox, and the cell magic ``%%eryx``.

``eryx kernel install`` installs the kernel; ``%load_ext eryx.ext.jupyter`` in a notebook of any
Python brings the magic. See ``docs/jupyter``.

>>> from IPython.testing.globalipapp import start_ipython
>>> shell = start_ipython()
>>> shell.run_line_magic("load_ext", "eryx.ext.jupyter")
>>> shell.run_line_magic("eryx", "6 * 7")
42
"""

from __future__ import annotations

from typing import Any

from eryx.ext import _shared

try:
    from eryx.ext.jupyter._kernel import EryxKernel
    from eryx.ext.jupyter._magic import CellError, EryxMagics
except ImportError as error:
    raise _shared.missing("jupyter", "jupyter", error) from error

__all__ = ["CellError", "EryxKernel", "EryxMagics", "load_ipython_extension"]


def load_ipython_extension(ipython: Any) -> None:
    """Registers the magic; called by ``%load_ext eryx.ext.jupyter``."""
    ipython.register_magics(EryxMagics)
