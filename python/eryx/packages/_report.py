"""What people are told while packages are looked up and fetched."""

from __future__ import annotations


class Report:
    """Does nothing; a class of yours over it may show a bar."""

    __module__ = "eryx.packages"

    def begin(self, what: str) -> None:
        """Something is being fetched. what: its name, which strangers have chosen."""

    def advance(self, done: int, total: int) -> None:
        """Bytes that there are, and bytes that there will be; 0 if that is not known."""
