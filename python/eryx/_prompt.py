"""The text that tells a language model what it can do in a sandbox."""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx._eryx import LIMITS
from eryx._sandbox import Sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_START = """\
You run Python 3.14 in a sandbox by giving it code. It has the standard library{packages}.
{state}
The value of the last expression is shown, and so is what is printed or given to display(); `await`
may be used at the top level. There are no subprocesses, and no network{network}."""


# Characters of what is said of a tool of an MCP server, of which there may be many.
_MOST_OF_SERVERS = 120


def prompt(sandbox: Sandbox, *, packages: Iterable[str] = ()) -> str:
    """The text for a system prompt: what the programs of a sandbox find, and what they lack.

    packages: names of packages that are there besides the standard library and those of a factory.

    >>> def find(text: str, limit: int = 10) -> list[str]:
    ...     \'\'\'Finds documents.\'\'\'
    ...     return []
    >>> import eryx
    >>> print(eryx.prompt(eryx.Sandbox(callbacks=[find])).splitlines()[-2])
    async def find(text: str, limit: int = 10) -> list[str]:
    """
    if not isinstance(sandbox, Sandbox):
        raise TypeError(f"a Sandbox or Session is needed, not {type(sandbox).__name__}")
    request = sandbox._request
    if sandbox._KEEP_STATE:
        state = "Variables, imports and files stay from one program to the next."
    else:
        state = "Every program starts from the same clean state."
    network = (
        " but what the rules of this sandbox allow"
        if sandbox._equipment.network is not None
        else ""
    )
    place = getattr(sandbox, "_place", None)
    own = () if place is None else place.names
    names = ", ".join(sorted({*own, *packages}, key=str.lower))
    others = f", and {names}" if names else " and no other packages"
    parts = [_START.format(state=state, packages=others, network=network)]
    folders = _folders(sandbox)
    if folders:
        parts.append("\n".join(["Folders:", *folders]))
    parts.append(_limits(request.timeout_ms, request.core_limits))
    if request.callbacks is not None:
        from eryx._stub import stub_text

        callbacks = list(request.callbacks.by_name.values())
        stub = stub_text(callbacks, most_of_servers=_MOST_OF_SERVERS).rstrip()
        told = "These functions are there without import; `async def` ones are awaited"
        if "(TypedDict):" in stub:
            told += ", and what is a TypedDict here is a plain dict"
        parts.append(f"{told}:\n\n{stub}")
    return "\n\n".join(parts)


def _folders(sandbox: Sandbox) -> list[str]:
    """A line for each place where files can be."""
    lines = [f"- {path} (files stay there)" for path, _, _ in sandbox._mounts()]
    for _, path, mode in sandbox._equipment.volumes:
        lines.append(f"- {path} ({'can be read' if mode == 1 else 'can be read and written'})")
    if not any(line.startswith("- /data ") for line in lines):
        lines.insert(0, "- /data, where programs start (in memory)")
    lines.append("- /tmp (in memory)")
    return lines


def _limits(timeout_ms: int | None, limits: tuple[int, ...]) -> str:
    by_name = dict(zip((name for name, _ in LIMITS), limits, strict=False))
    memory = by_name["max_memory_bytes"] >> 20
    time = "" if timeout_ms is None else f"A program may take {timeout_ms / 1000:g} seconds. "
    return f"{time}It has {memory} MiB of memory, with the interpreter in it."


prompt.__module__ = "eryx"
late_annotations(globals(), prompt)
