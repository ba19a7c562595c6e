"""What programs write, in the stream of `dspy.streamify`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from dspy.dsp.utils.settings import settings
from dspy.streaming.messages import StatusMessage, sync_send_to_stream


@dataclass
class ProgramOutput(StatusMessage):
    """In the stream of `dspy.streamify`: text that a program writes while it runs."""

    stream: Literal["stdout", "stderr"] = "stdout"


def handlers() -> dict[str, Any]:
    """What puts a program's output into the stream of `dspy.streamify`, if there is one."""
    stream = settings.send_stream
    if stream is None:
        return {}
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return {
            "on_stdout": lambda text: _send(stream, ProgramOutput(text, "stdout")),
            "on_stderr": lambda text: _send(stream, ProgramOutput(text, "stderr")),
        }
    return {}  # the program holds the loop up that would take it


def _send(stream: Any, output: ProgramOutput) -> None:
    try:
        sync_send_to_stream(stream, output)
    except RuntimeError:  # on a thread that the loop does not know
        pass
