"""What one run has of its own, in place of what its sandbox was made with; imported when needed."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping

from eryx._limits import ResourceLimits, check_limit, check_limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import EllipsisType

    from eryx._options import Request

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Given:
    """The request of one run, and what its guest is given besides."""

    __slots__ = ("data", "request")

    def __init__(self, request: Request, data: bytes | None) -> None:
        self.request = request
        self.data = data


def given(
    base: Request,
    inputs: Mapping[str, object] | None,
    env: Mapping[str, str] | None,
    callbacks: object,
    on_stdout: Callable[[str], object] | None,
    on_stderr: Callable[[str], object] | None,
    filename: str | None,
    timeout_ms: int | EllipsisType | None,
    limits: ResourceLimits | None,
    *,
    interactive: bool = False,
) -> Given:
    """Checks it all. Raises TypeError and ValueError that name what is wrong.

    interactive: expressions of the program write their values, as at a prompt.
    """
    request = base.copy()
    if limits is not None:
        check_limits(limits, "limits")
        request = base.with_limits(limits)
    if timeout_ms is not ...:
        if timeout_ms is not None:
            check_limit("timeout_ms", timeout_ms)
        request.take_timeout(timeout_ms)
    if callbacks is not None:
        from eryx._callbacks import more_callbacks

        request.callbacks = more_callbacks(base.callbacks, callbacks)
    if on_stdout is not None or on_stderr is not None:
        request.take_handlers(
            base.handlers[0] if on_stdout is None else on_stdout,
            base.handlers[1] if on_stderr is None else on_stderr,
        )
    return Given(request, _encoded(inputs, env, filename, interactive))


def _encoded(
    inputs: Mapping[str, object] | None,
    env: Mapping[str, str] | None,
    filename: str | None,
    interactive: bool,
) -> bytes | None:
    """In the form of eryx_run_options.given."""
    members: list[str] = []
    pieces: list[bytes] = []
    if inputs:
        _check_mapping("inputs", inputs)
        values: list[str] = []
        sizes: list[tuple[str, int]] = []
        for name, value in inputs.items():
            _check_name(name)
            if isinstance(value, bytes | bytearray | memoryview):
                piece = bytes(value)
                sizes.append((name, len(piece)))
                pieces.append(piece)
            else:
                values.append(f"{_encode(name)}:{_encoded_value(name, value)}")
        members.append(f'"inputs":{{{",".join(values)}}}')
        members.append(f'"bytes":{_encode(sizes)}')
    if env:
        _check_mapping("env", env)
        members.append(f'"environment":{_encode(_environment(env))}')
    if filename is not None:
        members.append(f'"filename":{_encode(_filename(filename))}')
    if interactive:
        members.append('"interactive":true')
    if not members:
        return None
    text = f"{{{','.join(members)}}}"
    return b"\0".join((text.encode(), b"".join(pieces)))


def _check_mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict or None, not {type(value).__name__}")


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the names of inputs are str, not {type(name).__name__}")
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
        raise ValueError(f"inputs: {name!r} cannot be the name of a global")


def _encoded_value(name: str, value: object) -> str:
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            f"the input {name!r} is neither bytes nor something that JSON can hold: {error}"
        ) from None


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError("the names and values of env are str")
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise ValueError(
                f"env: {name!r} cannot be the name of a variable, or its value is none"
            )
    return dict(env)


def _filename(filename: str) -> str:
    if not isinstance(filename, str):
        raise TypeError(f"filename must be a str or None, not {type(filename).__name__}")
    if not filename or not filename.isprintable():
        raise ValueError(f"filename must be printable and not empty, not {filename!r}")
    return filename
