"""Factories on the command line: the flags of ``eryx``, and ``eryx factory``."""

from __future__ import annotations

import argparse
import json
import sys

from eryx._cli_progress import Progress
from eryx._errors import ExecutionError, InitializationError
from eryx._sandbox import Sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from eryx._factory import SandboxFactory
    from eryx._factory_contents import Source
    from eryx._option_types import SandboxOptions, SessionOptions
    from eryx._session import Session

_EXIT_OK = 0


def add_options(parser: argparse._ActionsContainer) -> None:
    """The options that say what the sandbox of a program starts with."""
    _add_contents(parser)
    parser.add_argument(
        "--factory", metavar="FILE", help="start from a file that `eryx factory build` has made"
    )
    parser.add_argument(
        "--cache",
        action="store_true",
        help="keep what --package and --import have built in the user's cache folder, as it is "
        "done with --with",
    )
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="look the packages of --with up anew, and not once a day",
    )


def _add_contents(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--package",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="wheel, source archive or folder with packages; may be repeated",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="with_packages",
        metavar="NAME",
        help="package to look up and fetch with all that it needs, such as jinja2 or 'rich>=14'; "
        "may be repeated",
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
    if options.factory is not None and (
        options.package or options.imports or options.with_packages
    ):
        parser.error("--factory cannot be given together with --package, --with or --import")


def factory_of(options: argparse.Namespace) -> SandboxFactory | None:
    """What sandboxes are to start from, if anything. Raises what `SandboxFactory` raises."""
    if options.factory is not None:
        from eryx._factory import SandboxFactory

        return SandboxFactory.load(options.factory)
    if not (options.package or options.imports or options.with_packages):
        return None
    from eryx._factory import SandboxFactory

    with Progress(len(options.package) + 1, sys.stderr) as progress:
        cache = options.cache or bool(options.with_packages)
        named = _named(options, progress, [], remember=True, refresh=options.refresh)
        progress.read(options.package, cache=cache)
        progress.begin("importing")
        return SandboxFactory(
            packages=[*options.package, *named] or None, imports=options.imports, cache=cache
        )


def _named(
    options: argparse.Namespace,
    progress: Progress,
    files: list[str],
    *,
    remember: bool = False,
    refresh: bool = False,
) -> Sequence[Source]:
    """The packages that are asked for by name, and those of files."""
    if not (options.with_packages or files):
        return ()
    from eryx.packages._remembered import by_name

    return by_name(
        options.with_packages,
        None,
        files=files,
        remember=remember,
        refresh=refresh,
        report=progress.report(),
    )


def create_sandbox(options: argparse.Namespace, **given: Unpack[SandboxOptions]) -> Sandbox:
    """The sandbox that the options ask for. Raises what `SandboxFactory` raises."""
    factory = factory_of(options)
    return Sandbox(**given) if factory is None else factory.create_sandbox(**given)


def create_session(options: argparse.Namespace, **given: Unpack[SessionOptions]) -> Session:
    """The session that the options ask for. Raises what `SandboxFactory` raises."""
    factory = factory_of(options)
    if factory is not None:
        return factory.create_session(**given)
    from eryx._session import Session

    return Session(**given)


# ---- eryx factory --------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command ``eryx factory``."""
    parser.epilog = "Exit codes: 0 success, 1 failure, 2 wrong usage."
    commands = parser.add_subparsers(dest="command", required=True, metavar="build|inspect")
    build = commands.add_parser("build", help="make a file", description="Make a factory file.")
    _add_contents(build)
    build.add_argument(
        "-r",
        "--requirements",
        action="append",
        default=[],
        metavar="FILE",
        help="pylock.toml, whose files are taken as they are, or requirements.txt or "
        "pyproject.toml, whose packages are looked up; may be repeated",
    )
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
    inspect.add_argument("file", metavar="FILE", help="file to look at")
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
    with Progress(len(options.package) + 3, sys.stderr) as progress:
        named = _named(options, progress, options.requirements)
        progress.read(options.package)
        progress.begin("importing")
        factory = SandboxFactory(
            packages=[*options.package, *named] or None,
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
