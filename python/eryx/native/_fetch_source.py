"""Fetches a source archive with pip: run as a program, by a Python that has pip.

    _fetch_source.py NAME SPECIFIER DIRECTORY

Prints the path of the archive. `pip download` itself would run the package's build to ask for its
metadata. So pip is asked where the archive is (with its configuration, sources of packages and
passwords), and fetches it in its own session.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

GUEST_VERSION = "3.14"
_BLOCK_BYTES = 1 << 20


def fetch(name: str, specifier: str, directory: str) -> str:
    """Raises SystemExit with a sentence if there is no such archive."""
    commands: Any = importlib.import_module("pip._internal.commands")
    options_of: Any = importlib.import_module("pip._internal.cli.cmdoptions")
    specifiers: Any = importlib.import_module("pip._vendor.packaging.specifiers")
    command = commands.create_command("download")
    options, _ = command.parse_args(
        ["--no-deps", "--no-binary", ":all:", "--python-version", GUEST_VERSION, name]
    )
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(
            options=options,
            session=session,
            target_python=options_of.make_target_python(options),
        )
        found = finder.find_best_candidate(name, specifier=specifiers.SpecifierSet(specifier))
        if found.best_candidate is None:
            versions = [
                str(each.version)
                for each in finder.find_all_candidates(name)
                if not each.version.is_prerelease
            ]
            which = f"; those that there are: {', '.join(versions[-8:])}" if versions else ""
            raise SystemExit(
                f"there is none of {name}{specifier} for Python {GUEST_VERSION} where pip takes"
                f" packages from{which}"
            )
        link = found.best_candidate.link
        path = os.path.join(directory, os.path.basename(link.filename))
        response = session.get(link.url_without_fragment, stream=True)
        response.raise_for_status()
        with open(f"{path}.partial", "wb") as file:
            for block in response.iter_content(_BLOCK_BYTES):
                file.write(block)
        hashes = link.as_hashes()
        if hashes:
            hashes.check_against_path(f"{path}.partial")
        os.replace(f"{path}.partial", path)
    return path


if __name__ == "__main__":
    try:
        print(fetch(*sys.argv[1:]))
    except (AttributeError, ImportError, TypeError) as error:
        raise SystemExit(
            f"this pip cannot be asked for it ({error}): fetch the archive, and give its path"
        ) from None
