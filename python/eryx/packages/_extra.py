"""The libraries of the extra `install`, which eryx itself does without."""

from __future__ import annotations

import importlib

from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def library(name: str, task: str) -> ModuleType:
    """A module of the extra. task: what takes it, for people.

    Raises EryxError that says how to install what is missing.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "eryx":
            raise
        raise EryxError(
            f"{error.name} is missing: {task} takes the extra `install`"
            " (pip install 'eryx-sandbox[install]')"
        ) from None
