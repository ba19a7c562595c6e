"""Classes with properties, class methods, operators, sorting and a search index."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import total_ordering


@total_ordering
class Book:
    __slots__ = ("_isbn", "authors", "title", "year")

    def __init__(self, title, authors, year, isbn):
        self.title, self.authors, self.year = title, tuple(authors), year
        self.isbn = isbn

    @property
    def isbn(self):
        return self._isbn

    @isbn.setter
    def isbn(self, text):
        digits = re.sub(r"[^0-9X]", "", text)
        if (
            len(digits) != 10
            or sum((10 - i) * (10 if c == "X" else int(c)) for i, c in enumerate(digits)) % 11
        ):
            raise ValueError(f"{text!r} is no ISBN")
        self._isbn = digits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Book) and self.isbn == other.isbn

    def __lt__(self, other: Book) -> bool:
        return (self.year, self.title) < (other.year, other.title)

    def __hash__(self):
        return hash(self.isbn)

    def __repr__(self):
        return f"<{self.title} ({self.year})>"


class Catalogue:
    def __init__(self):
        self._books, self._index = set(), defaultdict(set)

    def __iadd__(self, book):
        self._books.add(book)
        for word in re.findall(r"\w+", " ".join((book.title, *book.authors)).casefold()):
            self._index[word].add(book)
        return self

    def __getitem__(self, query):
        found = [self._index.get(w, set()) for w in query.casefold().split()]
        return sorted(set.intersection(*found)) if found else []

    def __contains__(self, book):
        return book in self._books

    def __len__(self):
        return len(self._books)


c = Catalogue()
c += Book("Dune", ["Frank Herbert"], 1965, "0-441-17271-7")
c += Book("Emma", ["Jane Austen"], 1815, "0-14-143958-0")
c += Book("Sense and Sensibility", ["Jane Austen"], 1811, "0-14-143966-1")
c += Book("Dune (again)", ["Frank Herbert"], 1999, "0441172717")
print(
    len(c),
    c["jane"],
    c["austen sense"],
    c["nothing"],
    c[""],
    Book("x", [], 1, "0441172717") in c,
    max(c._books, key=lambda b: b.year),
)
for attempt in (
    lambda: Book("y", [], 1, "123"),
    lambda: Book("y", [], 1, "0441172718"),
    lambda: setattr(c["dune"][0], "pages", 5),
    lambda: c["dune"][0] < 5,
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
