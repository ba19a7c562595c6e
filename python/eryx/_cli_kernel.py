"""``eryx kernel``: makes the kernel known to Jupyter."""

from __future__ import annotations

import argparse
import sys

from eryx import _cli_options
from eryx._errors import EryxError

_NAME = "eryx"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    install = actions.add_parser(
        "install",
        help="make the kernel known to Jupyter",
        description="Make the kernel known to Jupyter, with the options that its sessions are to "
        "have.",
    )
    _add_name(install)
    install.add_argument(
        "--display-name", default="Python 3.14 (eryx)", help="what people see (%(default)s)"
    )
    place = install.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for this user, the default")
    place.add_argument("--sys-prefix", action="store_true", help="for this virtual environment")
    place.add_argument("--prefix", metavar="FOLDER", help="for what is installed in a folder")
    _cli_options.add_options(install)
    install.set_defaults(run=_install)
    remove = actions.add_parser("remove", help="undo that")
    _add_name(remove)
    remove.set_defaults(run=_remove)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default=_NAME, help="of the kernel (%(default)s)")


def options_of(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options of eryx among the words that a kernel is started with, and the others."""
    parser = argparse.ArgumentParser(prog="eryx kernel", add_help=False, allow_abbrev=False)
    parser.add_argument("-f", dest="connection_file")
    _cli_options.add_options(parser)
    options, others = parser.parse_known_args(words)
    if options.connection_file:
        others += ["-f", options.connection_file]
    return options, others


def _manager() -> object:
    try:
        import ipykernel  # noqa: F401  (what the kernel runs on)
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError as error:
        raise EryxError(
            f"the kernel needs another package ({error}): pip install 'eryx-sandbox[jupyter]'"
        ) from error
    return KernelSpecManager()


def _install(options: argparse.Namespace) -> int:
    import json
    import tempfile
    from pathlib import Path

    manager = _manager()
    prefix = sys.prefix if options.sys_prefix else options.prefix
    specification = {
        "argv": [sys.executable, "-m", "eryx.ext.jupyter", "-f", "{connection_file}"],
        "display_name": options.display_name,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"debugger": False},
    }
    specification["argv"] += _own_words(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "kernel.json").write_text(json.dumps(specification, indent=1) + "\n")
        where = manager.install_kernel_spec(  # type: ignore[attr-defined]
            folder, options.name, user=prefix is None, prefix=prefix
        )
    print(f"installed {options.name} in {where}")
    return 0


def _own_words(words: list[str]) -> list[str]:
    """The options of eryx in a command line, as they were given."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in ("--user", "--sys-prefix"):
        parser.add_argument(flag, action="store_true")
    for name in ("--name", "--display-name", "--prefix"):
        parser.add_argument(name)
    _, rest = parser.parse_known_args(words[words.index("install") + 1 :])
    return rest


def _remove(options: argparse.Namespace) -> int:
    manager = _manager()
    try:
        where = manager.remove_kernel_spec(options.name)  # type: ignore[attr-defined]
    except KeyError:
        raise EryxError(f"there is no kernel {options.name}") from None
    print(f"removed {where}")
    return 0
