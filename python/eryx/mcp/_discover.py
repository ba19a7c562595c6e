"""Finds the MCP servers that editors and assistants on this machine are configured for."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from eryx._annotations import late_annotations

# Those of the user, then those of the project, which is the current folder.
KNOWN_FILES = (
    "~/.config/Claude/claude_desktop_config.json",
    "~/.claude.json",
    "~/.cursor/mcp.json",
    "~/.codeium/windsurf/mcp_config.json",
    "~/.gemini/settings.json",
    "~/.config/Code/User/mcp.json",
    "~/.config/zed/settings.json",
    "~/.codex/config.toml",
    ".mcp.json",
    ".cursor/mcp.json",
    ".vscode/mcp.json",
    ".zed/settings.json",
    ".codex/config.toml",
)

# What the servers are called in the files of different programs.
_TABLES = ("mcpServers", "servers", "context_servers", "mcp_servers")

_MOST_BYTES = 16 << 20

# In JSON with comments: texts, which are kept, and what is not.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)

_VARIABLE = re.compile(r"\$(?:\{(?:env:)?(\w+)(?::-([^}]*))?\}|(\w+))")


class ServerConfig(NamedTuple):
    """How a server is started."""

    name: str
    command: str
    args: tuple[str, ...]
    env: dict[str, str]
    source: str
    """The file that says so."""


def discover_servers(
    config_paths: Iterable[str | os.PathLike[str]] | None = None,
) -> list[ServerConfig]:
    """The servers that configuration files name; of two with one name the later file's.

    config_paths: files to read; None for those of Claude, Cursor, Windsurf, Gemini, VS Code, Zed
        and Codex, of the user and of the current folder.

    Files that are missing or malformed are passed over, and so are servers that are disabled, have
    no command, or are not reached over stdio. ``$NAME``, ``${NAME}`` and ``${NAME:-value}`` stand
    for environment variables.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "mcp.json")
    ...     with open(path, "w") as file:
    ...         _ = file.write('{"mcpServers": {"files": {"command": "npx", "args": ["x"]}}}')
    ...     [(server.name, server.command) for server in discover_servers([path])]
    [('files', 'npx')]
    """
    if isinstance(config_paths, (str, os.PathLike)):
        raise TypeError("config_paths must be a sequence of paths, not one path")
    found: dict[str, ServerConfig] = {}
    for given in KNOWN_FILES if config_paths is None else config_paths:
        path = os.path.expanduser(os.fspath(given))
        for name, entry in _servers(_read(path)):
            server = _config(name, entry, path)
            if server is not None:
                found[name] = server
    return list(found.values())


def _read(path: str) -> Any:
    """What is in a file; None if it cannot be had."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES)
        text = data.decode("utf-8-sig")
        if path.endswith(".toml"):
            import tomllib

            return tomllib.loads(text)
        text = _COMMENT.sub(lambda found: found[1] or "", text)
        return json.loads(_COMMA.sub(lambda found: found[1] or "", text))
    except (OSError, ValueError, RecursionError):
        return None


def _servers(document: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(document, dict):
        return
    for table in _TABLES:
        servers = document.get(table)
        if isinstance(servers, dict):
            yield from servers.items()


def _config(name: str, entry: Any, source: str) -> ServerConfig | None:
    """A server as a file has it; None for what is not to be started."""
    if not isinstance(entry, dict) or entry.get("disabled") or entry.get("enabled") is False:
        return None
    if entry.get("type", entry.get("transport", "stdio")) != "stdio":
        return None
    command = entry.get("command")
    if isinstance(command, dict):  # of older versions of Zed
        entry = command
        command = entry.get("path")
    args, env = entry.get("args") or [], entry.get("env") or {}
    if not isinstance(command, str) or not command or not isinstance(args, list):
        return None
    if not isinstance(env, dict):
        return None
    return ServerConfig(
        name,
        _expanded(command, os.environ),
        tuple(_expanded(str(argument), os.environ) for argument in args),
        {str(key): _expanded(str(value), os.environ) for key, value in env.items()},
        source,
    )


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return variables.get(found[1] or found[3]) or found[2] or ""

    return _VARIABLE.sub(value, text)


late_annotations(globals(), ServerConfig)
