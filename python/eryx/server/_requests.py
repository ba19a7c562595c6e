"""What the bodies of requests hold; pydantic checks them and gives their JSON schemas."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_LONGEST_MS = 86_400_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SessionRequest(_Body):
    """A new session."""

    memory_bytes: int | None = Field(
        default=None, ge=1 << 20, le=4 << 30, description="Memory limit; null for the quota's."
    )


class RunRequest(_Body):
    """A program to run."""

    code: str = Field(description="The program; it may use `await` at its top level.")
    inputs: dict[str, JsonValue] = Field(
        default_factory=dict, description="Globals that the program finds."
    )
    env: dict[str, str] = Field(default_factory=dict, description="Variables in `os.environ`.")
    stdin: str | None = Field(default=None, description="What standard input has.")
    arguments: list[str] = Field(default_factory=list, description="`sys.argv[1:]`.")
    filename: str | None = Field(default=None, description="What tracebacks call the program.")
    timeout_ms: int | None = Field(
        default=None, ge=0, le=_LONGEST_MS, description="Longest time; null for the quota's."
    )

    def options(self) -> dict[str, Any]:
        """For the call that runs it, without `code` and limits."""
        return {
            "inputs": self.inputs,
            "env": self.env,
            "stdin": self.stdin,
            "arguments": self.arguments,
            "filename": self.filename,
        }


class CheckpointRequest(_Body):
    """A checkpoint, by name."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
