"""What can go wrong with native modules."""

from __future__ import annotations

from eryx._errors import InitializationError


class NativeModuleError(InitializationError):
    """A file is not a native module that this eryx can translate, or the tools are missing.

    The message names the file and what is wrong with it.
    """

    __module__ = "eryx.native"


class MissingToolError(NativeModuleError):
    """A program that translates or builds is not installed: no file has anything to do with it."""

    __module__ = "eryx.native"

    def __init__(self, tool: str, task: str) -> None:
        """tool: what is missing, and task: what takes it; both for people."""
        super().__init__(
            f"{tool} is missing: {task} takes the extra `native` (pip install "
            "'eryx-sandbox[native]')"
        )
