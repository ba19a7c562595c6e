"""Slugs, camel and snake case, initials, plurals, truncation, palindromes, anagrams."""

import re
import unicodedata
from collections import defaultdict


def slug(text):
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def snake(text):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s-]+", "_", text).lower()


def camel(text):
    first, *rest = text.split("_")
    return first + "".join(map(str.title, rest))


print(
    [slug(t) for t in ("Hello, World!", "Crème Brûlée à la carte", "  -- x --  ", "北京 2024", "")]
)
print(
    [
        snake(t)
        for t in (
            "camelCase",
            "HTTPServerError",
            "already_snake",
            "With Spaces",
            "Version2Beta",
            "x",
        )
    ],
    camel("to_camel_case"),
)
print(
    [
        t
        for t in ("A man, a plan, a canal: Panama", "Nope", "Été")
        if (s := "".join(c for c in t.casefold() if c.isalnum())) == s[::-1]
    ]
)
groups = defaultdict(list)
for word in "listen silent enlist google elgoog abc cab".split():
    groups["".join(sorted(word))].append(word)
print(dict(groups), "".join(w[0].upper() for w in "portable network graphics".split()))
print(
    [f"{n} file{'s' * (n != 1)}" for n in (0, 1, 2)],
    [
        "%d%s" % (n, "th" if 10 <= n % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th"))
        for n in (1, 2, 3, 4, 11, 21, 112, 123)
    ],
)
