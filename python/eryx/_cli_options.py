"""The options of the command that say what a program may use, and what they mean to a sandbox.

Each value is looked at where it is read, so that an error has the name of its option.
"""

from __future__ import annotations

import argparse
import os
import re

from eryx import _cli_factory, _cli_tools
from eryx._errors import EryxError
from eryx._limits import ResourceLimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from eryx._network import NetConfig
    from eryx._option_types import SandboxOptions

# Where a program finds the folder of --here, which is on its sys.path.
HERE = "/here"

_MILLISECONDS = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

_Limit = int | None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds all of them."""
    usual = ResourceLimits()
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--timeout",
        type=_limit("execution_timeout_ms", _duration),
        default=usual.execution_timeout_ms,
        metavar="TIME",
        help="of a run, such as 2s, 500ms or none; milliseconds without a unit (30s)",
    )
    memory = _limit("max_memory_bytes", _size)
    limits.add_argument(
        "--memory",
        type=memory,
        default=usual.max_memory_bytes,
        metavar="SIZE",
        help="of the guest, such as 256M or 1G (128M)",
    )
    limits.add_argument("--max-memory", type=memory, dest="memory", help=argparse.SUPPRESS)
    limits.add_argument(
        "--max-output",
        type=_limit("max_output_bytes", _size),
        default=usual.max_output_bytes,
        metavar="SIZE",
        help="output kept of a run (16M)",
    )
    limits.add_argument(
        "--fuel", type=_limit("max_fuel", _count), metavar="N", help="work of a run (none)"
    )
    _add_surroundings(parser.add_argument_group("files and environment"))
    _add_network(parser.add_argument_group("network"))
    _cli_factory.add_options(parser.add_argument_group("packages"))
    functions = parser.add_argument_group("functions of this machine")
    functions.add_argument(
        "--tools",
        action="append",
        default=[],
        metavar="FILE",
        help="let the program call the functions of a Python file; may be repeated",
    )
    functions.add_argument(
        "--mcp-config",
        action="append",
        default=[],
        metavar="FILE",
        help="let it call the tools of the MCP servers that a file names, as `await "
        "mcp.server.tool()`; may be repeated",
    )


def _add_surroundings(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-v",
        "--volume",
        action="append",
        default=[],
        type=_volume,
        dest="volumes",
        metavar="HOST:GUEST[:ro|rw|overlay]",
        help="let the program see a file or folder: to read it, to write it too (if nothing is "
        "said), or to write what stays in memory; may be repeated",
    )
    group.add_argument(
        "--here",
        action="store_true",
        help=f"let it read this folder as {HERE}, and import what is in it",
    )
    group.add_argument(
        "--out",
        type=_folder,
        metavar="DIR",
        help="write the files that it leaves in /data there",
    )
    group.add_argument(
        "-e",
        "--env",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME[=VALUE]",
        help="set a variable, without a value to what it is here; may be repeated",
    )


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--net", action="store_true", help="allow connections to public hosts")
    group.add_argument(
        "--allow-host",
        action="append",
        default=[],
        type=_host,
        metavar="P",
        help="allow connections to hosts such as api.example.com or *.example.com, and to no "
        "others; may be repeated",
    )
    group.add_argument(
        "--allow-network",
        action="append",
        default=[],
        type=_network_of_addresses,
        metavar="CIDR",
        help="allow connections to addresses such as 10.1.0.0/16, also to those that are not "
        "public; may be repeated",
    )
    group.add_argument(
        "--secret",
        action="append",
        default=[],
        type=_secret,
        metavar="NAME=ENV@HOST",
        help="give the program a variable NAME whose value, that of the variable ENV here, only "
        "HOST gets to see; may be repeated",
    )


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends with a usage error if options exclude each other."""
    _cli_factory.check(parser, options)


def limits(options: argparse.Namespace) -> ResourceLimits:
    """What a run may use."""
    return ResourceLimits(
        execution_timeout_ms=options.timeout,
        max_memory_bytes=options.memory,
        max_output_bytes=options.max_output,
        max_fuel=options.fuel,
    )


def network(options: argparse.Namespace) -> NetConfig | None:
    """What the program may reach."""
    if not (options.net or options.allow_host or options.allow_network):
        return None
    from eryx._network import NetConfig

    return NetConfig(
        allow_all_hosts=options.net and not options.allow_host,
        allowed_hosts=options.allow_host,
        allowed_networks=options.allow_network,
    )


def environment(options: argparse.Namespace) -> dict[str, str]:
    """The variables that the program finds."""
    variables = dict(options.env)
    if options.here:
        behind = variables.get("PYTHONPATH")
        variables["PYTHONPATH"] = HERE if behind is None else f"{HERE}:{behind}"
    return variables


def sandbox_options(options: argparse.Namespace) -> SandboxOptions:
    """What the sandbox or session is made with."""
    volumes = list(options.volumes)
    if options.here:
        volumes.append((os.getcwd(), HERE, "ro"))
    return {
        "resource_limits": limits(options),
        "network": network(options),
        "secrets": dict(options.secret) or None,
        "volumes": volumes or None,
        "callbacks": _cli_tools.load(options.tools) if options.tools else None,
        "mcp": _cli_tools.connect(options) if wants_mcp(options) else None,
    }


def wants_mcp(options: argparse.Namespace) -> bool:
    """Whether there are MCP servers to connect to."""
    return bool(options.mcp_config or getattr(options, "mcp_known", False))


# ---- Values --------------------------------------------------------------------------------------


def _limit(field: str, read: Callable[[str], int]) -> Callable[[str], _Limit]:
    """Reads a limit, or ``none``, and looks at it as `ResourceLimits` does."""

    def read_limit(text: str) -> _Limit:
        if text == "none":
            return None
        value = read(text)
        try:
            setattr(ResourceLimits(), field, value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).partition(field)[2].strip()) from None
        return value

    return read_limit


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def _duration(text: str) -> int:
    """Milliseconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be a time such as 2s or 500ms, not {text!r}")
    return round(float(found[1]) * _MILLISECONDS[found[2]])


def _size(text: str) -> int:
    """Bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)(?:i?b)?", text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"must be a size such as 256M or 1G, not {text!r}")
    if not found[2] and "." not in found[1]:
        return int(found[1])
    return round(float(found[1]) * _BYTES[found[2]])


def _volume(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    mode = parts.pop() if parts[-1] in ("ro", "rw", "overlay") else "rw"
    if len(parts) < 2 or not parts[-1].startswith("/") or not "".join(parts[:-1]):
        raise argparse.ArgumentTypeError(
            f"must be HOST:GUEST with GUEST from /, and :ro, :rw or :overlay then, not {text!r}"
        )
    guest = parts.pop()
    host = os.path.abspath(":".join(parts))
    if not os.path.exists(host):
        raise argparse.ArgumentTypeError(f"there is no file or folder {host}")
    volume = host, guest, mode
    from eryx._storage import core_volumes

    try:
        core_volumes([volume])
    except (EryxError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return volume


def _folder(text: str) -> str:
    """A folder that is there, or can be made."""
    try:
        os.makedirs(text, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    if not os.access(text, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{text}: it cannot be written to")
    return text


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name:
        raise argparse.ArgumentTypeError(f"must be NAME or NAME=VALUE, not {text!r}")
    if equals:
        return name, value
    known = os.environ.get(name)
    if known is None:
        raise argparse.ArgumentTypeError(f"there is no environment variable {name}")
    return name, known


def _host(text: str) -> str:
    return _of_network("allowed_hosts", text)


def _network_of_addresses(text: str) -> str:
    return _of_network("allowed_networks", text)


def _of_network(field: str, text: str) -> str:
    from eryx._network import NetConfig

    try:
        NetConfig(**{field: [text]})  # type: ignore[arg-type]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix(f"{field}: ")) from None
    return text


def _secret(text: str) -> tuple[str, dict[str, object]]:
    """Name and entry of a secret. No message has its value."""
    left, _, hosts = text.rpartition("@")
    name, _, variable = left.partition("=")
    if not (name and variable and hosts):
        raise argparse.ArgumentTypeError("must have the form NAME=ENV@HOST[,HOST...]")
    value = os.environ.get(variable)
    if value is None:
        raise argparse.ArgumentTypeError(f"there is no environment variable {variable}")
    entry: dict[str, object] = {"value": value, "allowed_hosts": hosts.split(",")}
    from eryx._secrets import core_secrets

    try:
        core_secrets({name: entry}, stdout=None, stderr=None, files=None, result=None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name, entry
