"""What runs inside the sandbox around the user's program; called by guest/runtime.c."""

import _eryx_runtime.operators
import _eryx_runtime.thread_numbers  # noqa: F401  # before threading, which looks for them
from _eryx_runtime.image import prepare_image, prepare_round, seal_image, settle_image
from _eryx_runtime.program import begin, close, finish

__all__ = [
    "begin",
    "close",
    "finish",
    "prepare_image",
    "prepare_round",
    "seal_image",
    "settle_image",
]
