"""What is said where a package is missing that an extra brings."""

from __future__ import annotations

from eryx._errors import EryxError


def missing(package: str, extra: str) -> EryxError:
    """What is raised without a package."""
    return EryxError(
        f"instrument() needs {package}, which `pip install 'eryx-sandbox[{extra}]'` brings"
    )
