"""Another distribution whose files lie in the same folder as ours.

PyPI has an `eryx` that is another project. Who installs both has a mixture of the two, in which
each has overwritten files of the other.
"""

from __future__ import annotations

import os

# What an installed distribution may say about its files, one a line.
_LISTS = ("RECORD", "installed-files.txt", "top_level.txt")


def check(package: str) -> None:
    """Raises ImportError that says what to do. package: our folder."""
    site = os.path.dirname(package)
    try:
        names = os.listdir(site)
    except OSError:  # in an archive
        return
    for name in names:
        if name[:5].lower() == "eryx-" and name.endswith((".dist-info", ".egg-info")):
            _check_owner(site, name)


def _check_owner(site: str, metadata: str) -> None:
    for listed in _LISTS:
        try:
            with open(os.path.join(site, metadata, listed), encoding="utf-8") as file:
                owns = any(line.strip() == "eryx" or "eryx/" in line[:8] for line in file)
        except (OSError, ValueError):
            continue
        if owns:
            raise ImportError(
                f"another distribution, {os.path.splitext(metadata)[0]}, has put its files into "
                f"the folder of eryx-sandbox, {os.path.join(site, 'eryx')}: run `pip uninstall "
                "eryx eryx-sandbox` and then `pip install eryx-sandbox`, or install them in "
                "different environments"
            )


check(os.path.dirname(os.path.abspath(__file__)))
