"""Runs one program for the command: a file, text, a module, or what standard input has."""

from __future__ import annotations

import argparse
import json
import os

import eryx
from eryx import (
    _cli_colors,
    _cli_factory,
    _cli_files,
    _cli_options,
    _cli_streams,
    _cli_trace,
)
from eryx._errors import EryxError, ExecutionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_TIMEOUT = 124
EXIT_LIMIT = 125

# What is read of a program at a time.
_PIECE_BYTES = 1 << 20

# The name of the executable stands in front of what the module says of its usage.
_MODULE = "import runpy, sys\nsys.executable = 'eryx'\nrunpy._run_module_as_main({!r})"


class Program:
    """What is to be run."""

    __slots__ = ("arguments", "code", "filename", "reads_standard_input")

    def __init__(
        self,
        code: str | bytes,
        filename: str,
        arguments: list[str],
        reads_standard_input: bool = True,
    ) -> None:
        """code: text, or what a file has, which says itself how it is encoded."""
        self.code = code
        self.filename = filename
        self.arguments = arguments
        self.reads_standard_input = reads_standard_input


def read(options: argparse.Namespace, words: list[str]) -> Program | None:
    """The program that is asked for; None if standard input is empty.

    words: a script and its arguments, or the arguments alone if there is code or a module.

    Raises OSError and EryxError.
    """
    if options.code is not None:
        return Program(_argument_text(options.code), "<string>", words)
    if options.module is not None:
        return Program(_MODULE.format(options.module), "<module>", words)
    most = options.memory or 0
    if words and words[0] != "-":
        with open(words[0], "rb", buffering=0) as file:
            data = _read(file, words[0], most)
        return Program(data, _shown(words[0]), words[1:])
    data = _read(_cli_streams.standard_input(), "standard input", most)
    if not data and not words:
        return None
    return Program(data, "<stdin>", words[1:], reads_standard_input=False)


def _shown(path: str) -> str:
    """The path as tracebacks have it."""
    return path if path.isprintable() else ascii(path)[1:-1]


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


class _Output:
    """Writes what the program writes."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written = [0, 0, 0]

    def write(self, stream: int, data: bytes) -> None:
        """Writes it. Raises OutputClosedError."""
        self._written[stream] += len(data)
        _cli_streams.write(stream, data)

    def write_rest(self, error: EryxError) -> None:
        """Writes what came too late for a handler: a run that is out of time calls none."""
        for stream, data, is_cut in (
            (1, error.stdout_bytes, error.stdout_truncated),
            (2, error.stderr_bytes, error.stderr_truncated),
        ):
            if not is_cut:
                _cli_streams.write(stream, data[self._written[stream] :])


def run(program: Program, options: argparse.Namespace) -> int:
    """Runs it, and writes what it writes. Returns the exit code."""
    from eryx import _run_options

    given = _cli_options.sandbox_options(options)
    given["meter"] = options.meter
    sandbox = _cli_factory.create_sandbox(options, **given)
    own = _run_options.given(
        sandbox._request,
        None,
        _cli_options.environment(options),
        *(None, None, None),
        program.filename,
        ...,
        None,
    )
    output = _Output()
    if not options.json:
        own.request.on_output = output.write
        # In colours it is written here; what the program has of stderr is not ours to colour.
        own.request.hide_traceback = _cli_colors.wanted(2)
    if options.trace:
        own.request.on_trace = _cli_trace.Tracer(program.code, program.filename).write
    stdin = _cli_streams.standard_input() if program.reads_standard_input else None
    try:
        is_file = isinstance(program.code, bytes)
        result = sandbox._execute(
            *(program.code, stdin, program.arguments, options.trace or None),
            is_file=is_file,
            own=own,
        )
    except EryxError as error:
        if options.out is not None:
            _cli_files.write(error, options.out)
        if options.json:
            _cli_streams.write_json(json.dumps(_as_json(error)))
        else:
            output.write_rest(error)
            _tell(error, own.request.hide_traceback)
        return exit_code(error)
    if options.out is not None:
        _cli_files.write(result, options.out)
    if options.json:
        _cli_streams.write_json(json.dumps(_as_json(result)))
        return EXIT_OK
    return _print_result(result) if options.result else EXIT_OK


def _tell(error: EryxError, hidden: bool) -> None:
    """Says what the program has not said itself. hidden: its traceback is to be written."""
    text = str(error)
    if hidden and ("Traceback (most recent" in text or text.startswith('  File "')):
        shown = _cli_colors.traceback(_cli_streams.visible(text.rstrip("\n")))
        _cli_streams.write_as_it_is(2, f"{shown}\n".encode("utf-8", "backslashreplace"))
        if not isinstance(error, eryx.TimeoutError):
            return
    if isinstance(error, eryx.TimeoutError):
        _cli_streams.complain(f"timeout: stopped after {error.duration_ms:.0f} ms")
    elif not (isinstance(error, ExecutionError) and (error.stderr or error.exit_code)):
        # What the program wrote to stderr, a traceback above all, is there already; and one
        # that ends with a code has nothing more to say.
        _cli_streams.complain(error)


def exit_code(error: EryxError) -> int:
    """What the command ends with after the error."""
    if isinstance(error, eryx.TimeoutError):
        return EXIT_TIMEOUT
    if isinstance(error, eryx.ResourceLimitError):
        return EXIT_LIMIT
    if isinstance(error, ExecutionError):
        if error.exit_code & 0xFF:
            return error.exit_code & 0xFF
        if error.exc_type == "MemoryError" and error.memory_limit_hit:
            return EXIT_LIMIT
    return EXIT_FAILURE


def _print_result(result: eryx.ExecuteResult) -> int:
    if result.result_error is not None:
        _cli_streams.complain(result.result_error)
        return EXIT_FAILURE
    if result.result_json is not None:
        _cli_streams.write_json(result.result_json)
    return EXIT_OK


def _as_json(source: eryx.ExecuteResult | EryxError) -> dict[str, object]:
    """A result, or an exception that ended a run, as JSON can hold it."""
    document = source.to_dict()
    if isinstance(source, eryx.ExecuteResult):
        document["error"] = None
    elif isinstance(source, ExecutionError):
        for name in ("exc_type", "exc_message", "traceback", "exit_code"):
            document["error"][name] = document.pop(name)
    for name in ("result", "result_error"):
        document.setdefault(name)
    return document
