"""Factories on the command line: the flags of ``eryx``, and ``eryx factory``."""

from __future__ import annotations

import argparse
import json
import os
import sys

from eryx._errors import ExecutionError, InitializationError
from eryx._sandbox import Sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, TextIO, Unpack

    from eryx._factory import SandboxFactory
    from eryx._option_types import SandboxOptions

_EXIT_OK = 0

_BAR_WIDTH = 24
_USUAL_WIDTH = 80  # of terminals that do not tell it


def add_options(parser: argparse._ActionsContainer) -> None:
    """The options that say what the sandbox of a program starts with."""
    _add_contents(parser)
    parser.add_argument(
        "--factory", metavar="FILE", help="start from a file that `eryx factory build` has made"
    )
    parser.add_argument(
        "--cache",
        action="store_true",
        help="keep what --package and --import have built in the user's cache folder",
    )


def _add_contents(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--package",
        action="append",
        default=[],
        metavar="P",
        help="wheel, source archive or folder with packages; may be repeated",
    )
    parser.add_argument(
        "--import",
        action="append",
        default=[],
        dest="imports",
        metavar="M",
        help="module to import before the program starts; may be repeated",
    )


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends with a usage error if flags exclude each other."""
    if options.factory is not None and (options.package or options.imports):
        parser.error("--factory cannot be given together with --package or --import")


def create_sandbox(options: argparse.Namespace, **given: Unpack[SandboxOptions]) -> Sandbox:
    """The sandbox that the flags ask for. Raises what `SandboxFactory` raises."""
    if options.factory is None and not options.package and not options.imports:
        return Sandbox(**given)
    from eryx._factory import SandboxFactory

    if options.factory is not None:
        factory = SandboxFactory.load(options.factory)
    else:
        with _Progress(len(options.package) + 1, sys.stderr) as progress:
            progress.read(options.package, cache=options.cache)
            progress.begin("importing")
            factory = SandboxFactory(
                packages=options.package or None, imports=options.imports, cache=options.cache
            )
    return factory.create_sandbox(**given)


# ---- eryx factory --------------------------------------------------------------------------------


class _Progress:
    """A bar on a terminal, and nothing elsewhere."""

    def __init__(self, steps: int, stream: TextIO) -> None:
        self._steps = steps
        self._done = 0
        self._stream = stream
        self._visible = stream.isatty()

    def begin(self, what: str) -> None:
        """Shows what is being done; what was shown before is done."""
        if self._visible:
            full = _BAR_WIDTH * self._done // self._steps
            line = f"[{'#' * full}{'.' * (_BAR_WIDTH - full)}] {what}"
            # In the last column some terminals go on to the next line, where \r does not lead back.
            width = os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH
            self._stream.write(f"\r\x1b[K{line[: width - 1]}")
            self._stream.flush()
        self._done += 1

    def read(self, packages: list[str], *, cache: bool = False) -> None:
        """Reads packages one by one. What takes time, their bytecode, is kept for the factory."""
        if not self._visible:
            return
        from eryx.packages import collect

        for package in packages:
            name = os.path.basename(os.path.abspath(package))
            self.begin(f"reading {name if name.isprintable() else ascii(name)}")
            collect([package], cache=cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the bar away."""
        if self._visible:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command ``eryx factory``."""
    parser.epilog = "Exit codes: 0 success, 1 failure, 2 wrong usage."
    commands = parser.add_subparsers(dest="command", required=True, metavar="build|inspect")
    build = commands.add_parser("build", help="make a file", description="Make a factory file.")
    _add_contents(build)
    build.add_argument(
        "--site-packages", metavar="DIR", help="folder of installed packages, all of which go in"
    )
    build.add_argument("--setup", metavar="FILE", help="program to run after the imports")
    _add_key(build)
    _add_verify(build)
    build.add_argument("-o", "--output", required=True, metavar="FILE", help="file to write")
    inspect = commands.add_parser(
        "inspect", help="check a file", description="Check a factory file and show what is in it."
    )
    inspect.add_argument("file", help="file to look at")
    _add_key(inspect)
    _add_verify(inspect)
    inspect.add_argument("--json", action="store_true", help="print it as one JSON object")
    build.set_defaults(run=_build)
    inspect.set_defaults(run=_inspect)


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key-file", metavar="FILE", help="file with the key that protects the factory file"
    )


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--verify", metavar="CODE", help="program that must succeed in a sandbox of the factory"
    )


def _key(options: argparse.Namespace) -> bytes | None:
    if options.key_file is None:
        return None
    with open(options.key_file, "rb") as file:
        key = file.read()
    if not key:
        raise InitializationError(f"{options.key_file}: the key is empty")
    return key


# Some codecs take long, so they run in a sandbox.
_DECODE = """
import io, sys, tokenize
source = sys.stdin.buffer.read()
encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
result = source.decode(encoding)
"""


def _program_text(path: str) -> str:
    """What a file with a program says, whatever its coding cookie is. Raises EryxError, OSError."""
    with open(path, "rb") as file:
        source = file.read()
    try:
        if not source.startswith(b"\xef\xbb\xbf") and b"coding" not in source[:1000]:
            return source.decode()
        return str(Sandbox().execute(_DECODE, stdin=source).result)
    except UnicodeDecodeError as error:
        raise InitializationError(f"{path}: {error}") from None
    except ExecutionError as error:
        raise InitializationError(f"{path}: {error.exc_message}") from None


def _verify(factory: SandboxFactory, code: str | None) -> None:
    """Runs the snippet, if any. Raises EryxError if it fails."""
    factory.create_sandbox().execute("" if code is None else code)


def _build(options: argparse.Namespace) -> int:
    from eryx._factory import SandboxFactory

    key = _key(options)
    setup = None
    if options.setup is not None:
        setup = _program_text(options.setup)
    with _Progress(len(options.package) + 3, sys.stderr) as progress:
        progress.read(options.package)
        progress.begin("importing")
        factory = SandboxFactory(
            packages=options.package or None,
            site_packages=options.site_packages,
            imports=options.imports,
            setup_code=setup,
        )
        progress.begin("verifying")
        _verify(factory, options.verify)
        progress.begin("writing")
        factory.save(options.output, key=key)
    print(f"{options.output}: {_size(len(factory.to_bytes(key=key)))}")
    return _EXIT_OK


def _inspect(options: argparse.Namespace) -> int:
    from eryx._factory import SandboxFactory

    factory = SandboxFactory.load(options.file, key=_key(options))
    _verify(factory, options.verify)
    document = {
        "file": options.file,
        "size_bytes": factory.size_bytes,
        "packages": [{"name": name, "version": version} for name, version in factory.packages],
        "imports": list(factory.imports),
        "setup_code": factory.has_setup_code,
        "callbacks": list(factory.callback_names),
    }
    if options.json:
        print(json.dumps(document))
        return _EXIT_OK
    print(f"{options.file}: {_size(factory.size_bytes)}, fits this build of eryx")
    packages = [f"{name} {version}".rstrip() for name, version in factory.packages]
    for title, names in (
        ("packages", packages),
        ("imports", factory.imports),
        ("callbacks", factory.callback_names),
    ):
        # Who made the file chose the names, and the terminal must not act on them.
        shown = [name if name.isprintable() else ascii(name) for name in names]
        print(f"{title}: {', '.join(shown) or 'none'}")
    print(f"set-up code: {'yes' if factory.has_setup_code else 'no'}")
    return _EXIT_OK


def _size(count: int) -> str:
    return f"{count / 1_000_000:.2f} MB" if count >= 100_000 else f"{count} bytes"
