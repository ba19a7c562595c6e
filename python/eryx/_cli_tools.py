"""Functions of the host for programs of the command: those of Python files, and of MCP servers."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from eryx._errors import EryxError, InitializationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from eryx.mcp import MCPManager


def load(paths: list[str]) -> list[Any]:
    """The functions of Python files, which are run for it.

    They are what the file has as ``tools``, which is anything that ``callbacks=`` takes, or else
    all functions that it defines and whose names do not begin with ``_``.

    Raises OSError, and InitializationError if a file fails or has no functions.
    """
    found: list[Any] = []
    for number, path in enumerate(paths):
        module = _run(path, f"_eryx_tools_{number}")
        tools: Any = getattr(module, "tools", None)
        if tools is None:
            tools = [
                value
                for name, value in vars(module).items()
                if not name.startswith("_")
                and callable(value)
                and not isinstance(value, type)
                and getattr(value, "__module__", None) == module.__name__
            ]
        if not tools:
            raise InitializationError(f"{path}: there are no functions in it")
        if isinstance(tools, dict):
            tools = [{"name": name, "fn": function} for name, function in tools.items()]
        found += tools if isinstance(tools, (list, tuple)) else [tools]
    return found


def _run(path: str, name: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    os.stat(path)  # which says what is wrong
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InitializationError(f"{path}: not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # for dataclasses and pickle
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InitializationError(f"{path}: {type(error).__name__}: {error}") from error
    return module


def connect(options: argparse.Namespace) -> MCPManager | None:
    """The MCP servers that the options name. Raises EryxError and OSError."""
    from eryx.mcp import connect_servers

    logging.basicConfig(format="eryx: %(message)s", level=logging.WARNING, stream=sys.stderr)
    for path in options.mcp_config:
        with open(path, "rb"):
            pass  # one that was named is to be there
    known = getattr(options, "mcp_known", False)
    paths = [*_known_files(), *options.mcp_config] if known else options.mcp_config
    manager = connect_servers(paths)
    if manager is None and options.mcp_config:
        raise EryxError("there is no MCP server that could be connected to")
    return manager


def _known_files() -> tuple[str, ...]:
    from eryx.mcp._discover import KNOWN_FILES

    return KNOWN_FILES
