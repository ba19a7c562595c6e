"""Reads directories of the host into trees."""

from __future__ import annotations

import errno
import os
import stat

from eryx._errors import InitializationError
from eryx._files import open_at_once, reason_of
from eryx.packages._tree import Tree, problem

# What tools leave in a project and no package consists of.
_SKIPPED = {"__pycache__", ".git", ".hg", ".svn", ".tox", ".nox", ".venv", ".mypy_cache"}
_SKIPPED |= {".pytest_cache", ".ruff_cache", "node_modules", ".DS_Store"}


def read_directory(path: str) -> Tree:
    """All files under a directory. Links are followed as long as they stay under it."""
    tree = Tree(path)
    root = os.path.realpath(path)
    _read_level(tree, root, root, "", (root,))
    return tree


def _read_level(tree: Tree, root: str, directory: str, prefix: str, above: tuple[str, ...]) -> None:
    if len(above) > 100:
        raise problem(tree.label, prefix, "lies too deep")
    try:
        with os.scandir(directory) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise InitializationError(f"{tree.label}: {prefix}: {reason_of(error)}") from None
    for entry in entries:
        name = prefix + entry.name
        if entry.name in _SKIPPED or entry.name.endswith(".pyc"):
            continue
        real = os.path.join(directory, entry.name)
        try:
            if entry.is_symlink():
                real = os.path.realpath(real, strict=True)
                if os.path.commonpath((root, real)) != root:
                    raise problem(tree.label, name, "is a link that leads out of the directory")
            mode = os.stat(real).st_mode
            if stat.S_ISDIR(mode):
                if real in above:
                    continue  # a link to where we are
                tree.claim(name, 0, is_file=False)
                _read_level(tree, root, real, name + "/", (*above, real))
            elif stat.S_ISREG(mode):
                with open(real, "rb", opener=open_at_once) as stream:
                    size = os.fstat(stream.fileno()).st_size
                    path = tree.claim(name, size, is_file=True)
                    data = stream.read(size + 1)
                if len(data) != size:
                    raise problem(tree.label, name, "changes while it is read")
                tree.files[path] = data
            else:
                raise problem(tree.label, name, "is a device, pipe or socket")
        except OSError as error:
            if error.errno == errno.ENOENT and entry.is_symlink():
                continue  # a link to nothing
            raise problem(tree.label, name, f"cannot be read: {reason_of(error)}") from None
