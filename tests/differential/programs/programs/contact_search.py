"""Fuzzy search over contacts by difflib, prefixes and soundex."""

import difflib

NAMES = [
    "Robert Miller",
    "Rupert Myler",
    "Ashcraft Ann",
    "Tymczak Ida",
    "Pfister Bo",
    "Honeyman Cy",
    "Müller Ute",
]


def soundex(name):
    codes = {c: d for d, cs in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1) for c in cs}
    out, last = name[0].upper(), codes.get(name[0].lower())
    for c in name[1:].lower():
        code = codes.get(c)
        if code and code != last:
            out += str(code)
        if c not in "hw":
            last = code
    return (out + "000")[:4]


print({n.split()[0]: soundex(n.split()[0]) for n in NAMES})
for wanted in ("Robrt", "Muller", "anne", "zzz"):
    scores = sorted(
        (
            (round(difflib.SequenceMatcher(None, wanted.lower(), part.lower()).ratio(), 3), n)
            for n in NAMES
            for part in n.split()
        ),
        reverse=True,
    )
    print(
        wanted,
        scores[:2],
        difflib.get_close_matches(wanted, [p for n in NAMES for p in n.split()], 2, 0.6),
        [n for n in NAMES if n.casefold().startswith(wanted[:2].casefold())],
    )
