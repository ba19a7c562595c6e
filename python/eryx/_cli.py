"""The command ``eryx``: runs a Python program in a sandbox."""

from __future__ import annotations

import argparse
import json
import os
import sys

import eryx
from eryx import _cli_factory, _cli_streams
from eryx._cli_factory import create_sandbox
from eryx._errors import EryxError, ExecutionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

# What is read of a program at a time.
_PIECE_BYTES = 1 << 20


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eryx",
        description="Run a Python program in a sandbox: no files, no environment, and no network "
        "unless it is allowed.",
        epilog="Arguments after -- become sys.argv[1:] of the program. Exit codes: 0 success, 1 if "
        "the program failed or was ended by a limit, 2 wrong usage, N after sys.exit(N).",
    )
    usual = eryx.ResourceLimits()
    parser.add_argument("script", nargs="?", help="file to run; - for standard input")
    parser.add_argument("-c", dest="code", metavar="CODE", help="program text to run")
    parser.add_argument(
        "--timeout",
        type=_limit,
        metavar="MS",
        help=f"wall-clock limit in milliseconds ({usual.execution_timeout_ms})",
    )
    parser.add_argument(
        "--max-memory",
        type=_limit,
        metavar="BYTES",
        help=f"memory of the guest ({usual.max_memory_bytes})",
    )
    parser.add_argument(
        "--max-output",
        type=_limit,
        metavar="BYTES",
        help=f"output kept of a run ({usual.max_output_bytes})",
    )
    parser.add_argument("--fuel", type=_limit, metavar="N", help="limit of work (none)")
    parser.add_argument("--meter", action="store_true", help="count the work, for --json")
    parser.add_argument("--net", action="store_true", help="allow connections to public hosts")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="P",
        help="allow connections to hosts such as api.example.com or *.example.com, and to no "
        "others; may be repeated",
    )
    parser.add_argument(
        "--allow-network",
        action="append",
        default=[],
        metavar="CIDR",
        help="allow connections to addresses such as 10.1.0.0/16, also to those that are not "
        "public; may be repeated",
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        type=_secret,
        metavar="NAME=ENV@HOST",
        help="give the program a variable NAME whose value, that of the variable ENV here, only "
        "HOST gets to see; may be repeated",
    )
    _cli_factory.add_arguments(parser)
    parser.add_argument(
        "--result", action="store_true", help="print the variable `result` as JSON at the end"
    )
    parser.add_argument(
        "--json", action="store_true", help="print everything about the run as one JSON object"
    )
    parser.add_argument("--version", action="version", version=f"eryx {eryx.__version__}")
    return parser


def _limit(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a whole number") from None
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError("must be between 0 and 2**63 - 1")
    return value


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


def _limits(options: argparse.Namespace) -> eryx.ResourceLimits:
    limits = eryx.ResourceLimits()
    if options.timeout is not None:
        limits.execution_timeout_ms = options.timeout
    if options.max_memory is not None:
        limits.max_memory_bytes = options.max_memory
    if options.max_output is not None:
        limits.max_output_bytes = options.max_output
    if options.fuel is not None:
        limits.max_fuel = options.fuel
    return limits


def _network(options: argparse.Namespace) -> eryx.NetConfig | None:
    """What the program may reach. Raises ValueError for malformed patterns."""
    if not (options.net or options.allow_host or options.allow_network):
        return None
    return eryx.NetConfig(
        allow_all_hosts=options.net and not options.allow_host,
        allowed_hosts=options.allow_host,
        allowed_networks=options.allow_network,
    )


def _program(options: argparse.Namespace, most: int) -> str | bytes | None:
    """The program: text, or what a file holds; None if there is none.

    most: bytes that a file may have. Raises OSError and EryxError.
    """
    if options.code is not None:
        return _argument_text(options.code)
    if options.script not in (None, "-"):
        with open(options.script, "rb", buffering=0) as file:
            return _read(file, options.script, most)
    if options.script is None and os.isatty(0):
        return None
    data = _read(_cli_streams.standard_input(), "standard input", most)
    return data if data or options.script is not None else None


def _argument_text(text: str) -> str:
    """The argument as it was meant, also where the locale has fewer characters than it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(text).decode()
        except UnicodeError:
            raise EryxError("the program text after -c is not UTF-8") from None
    return text


def _read(file: FileIO, name: str, most: int) -> bytes:
    """All that is in the file. Raises EryxError if it is too much for a program."""
    pieces = []
    size = 0
    while piece := file.read(min(_PIECE_BYTES, most + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise EryxError(f"{name}: the program is larger than the memory of the guest")
    return b"".join(pieces)


def _as_json(source: eryx.ExecuteResult | EryxError) -> dict[str, object]:
    """A result, or an exception that ended a run, as JSON can hold it."""
    document: dict[str, object] = {
        "stdout": source.stdout,
        "stderr": source.stderr,
        "stdout_truncated": source.stdout_truncated,
        "stderr_truncated": source.stderr_truncated,
        "result": None,
        "result_error": None,
        "duration_ms": source.duration_ms,
        "fuel_consumed": source.fuel_consumed,
        "peak_memory_bytes": source.peak_memory_bytes,
        "memory_limit_hit": source.memory_limit_hit,
        "callback_invocations": 0,
        "connections": [connection._asdict() for connection in source.connections],
        "error": None,
    }
    if isinstance(source, eryx.ExecuteResult):
        document["result"] = source.result
        document["result_error"] = source.result_error
        document["callback_invocations"] = source.callback_invocations
        return document
    error: dict[str, object] = {"type": type(source).__name__, "message": str(source)}
    if isinstance(source, ExecutionError):
        error["exc_type"] = source.exc_type
        error["exc_message"] = source.exc_message
        error["traceback"] = source.traceback
        error["exit_code"] = source.exit_code
    document["error"] = error
    return document


def _exit_code(error: EryxError) -> int:
    if isinstance(error, ExecutionError) and error.exit_code & 0xFF:
        return error.exit_code & 0xFF
    return EXIT_FAILURE


def _print_result(result: eryx.ExecuteResult) -> int:
    if result.result_error is not None:
        _cli_streams.complain(result.result_error)
        return EXIT_FAILURE
    if result.result_json is not None:
        _cli_streams.write_json(result.result_json)
    return EXIT_OK


def _run(
    code: str | bytes,
    options: argparse.Namespace,
    limits: eryx.ResourceLimits,
    network: eryx.NetConfig | None,
    arguments: list[str],
) -> int:
    sandbox = create_sandbox(
        options,
        resource_limits=limits,
        network=network,
        secrets=dict(options.secret) or None,
        meter=options.meter,
    )
    if not options.json:
        sandbox._request = sandbox._request.copy()
        sandbox._request.on_output = _cli_streams.write
    own_program = options.code is not None or options.script not in (None, "-")
    stdin = _cli_streams.standard_input() if own_program else None
    try:
        is_file = isinstance(code, bytes)
        result = sandbox._execute(code, stdin, arguments, None, is_file=is_file)
    except EryxError as error:
        if options.json:
            _cli_streams.write_json(json.dumps(_as_json(error)))
        elif isinstance(error, eryx.TimeoutError):
            _cli_streams.complain(f"timeout: stopped after {error.duration_ms:.0f} ms")
        elif not (isinstance(error, ExecutionError) and (error.stderr or error.exit_code)):
            # What the program wrote to stderr, a traceback above all, is there already; and one
            # that ends with a code has nothing more to say.
            _cli_streams.complain(error)
        return _exit_code(error)
    if options.json:
        _cli_streams.write_json(json.dumps(_as_json(result)))
        return EXIT_OK
    return _print_result(result) if options.result else EXIT_OK


def _command(words: list[str]) -> int:
    if words[:1] == ["factory"]:
        return _cli_factory.main(words[1:])
    if words[:1] in (["precompile"], ["build-wheel"]):
        from eryx.native._cli import main as native_main

        return native_main(words)
    guest_arguments: list[str] = []
    if "--" in words:
        split = words.index("--")
        words, guest_arguments = words[:split], words[split + 1 :]
    parser = _parser()
    options = parser.parse_args(words)
    if options.code is not None and options.script is not None:
        parser.error("-c and a script cannot be given together")
    _cli_factory.check(parser, options)
    try:
        network = _network(options)
    except ValueError as error:
        parser.error(str(error))
    limits = _limits(options)
    code = _program(options, limits.max_memory_bytes or 0)
    if code is None:
        parser.print_help()
        return EXIT_OK
    return _run(code, options, limits, network, guest_arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; arguments are those of the process by default. Returns the exit code."""
    _cli_streams.prepare()
    try:
        try:
            return _command(sys.argv[1:] if arguments is None else list(arguments))
        finally:
            try:
                sys.stdout.flush()
            except OSError as error:
                raise _cli_streams.OutputClosedError(1, error) from error
    except _cli_streams.OutputClosedError as error:
        _cli_streams.give_up(error, EXIT_FAILURE)
    except (EryxError, OSError, ValueError) as error:
        _cli_streams.complain(error)
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
