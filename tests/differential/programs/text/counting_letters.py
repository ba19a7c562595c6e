"""Letter statistics over text with umlauts, digits, punctuation, emoji."""

from collections import Counter

TEXT = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich! 12 😀😀 — ¿Qué?"
counts = Counter(c for c in TEXT.casefold() if c.isalpha())
print(counts.most_common(5), len(counts), sum(counts.values()), counts["ß"], counts["s"])
kinds = Counter(
    "letter" if c.isalpha() else "digit" if c.isdigit() else "space" if c.isspace() else "other"
    for c in TEXT
)
print(
    dict(sorted(kinds.items())), len(TEXT), len(TEXT.encode()), len(TEXT.encode("utf-16-le")) // 2
)
print(
    sorted(set(TEXT) - set(map(chr, range(128)))),
    TEXT.upper(),
    TEXT.title(),
    TEXT.swapcase()[:12],
    TEXT[::-1][:10],
)
print(
    [w for w in TEXT.split() if any(ord(c) > 127 for c in w)],
    TEXT.find("ü"),
    TEXT.count("e"),
    TEXT.encode("ascii", "namereplace").decode()[:40],
)
