"""Names, categories, normal forms and other properties of characters."""

import unicodedata as u

for ch in (
    "A",
    "é",
    "ß",
    "½",
    "٣",
    "Ⅷ",
    "日",
    "\u0301",
    "\n",
    "€",
    "😀",
    "ﬁ",
    "\u200d",
    "\u2028",
    "\ufeff",
    "İ",
    "\U0010ffff",
):
    print(
        f"{ord(ch):06x}",
        u.name(ch, "-"),
        u.category(ch),
        u.bidirectional(ch) or "-",
        u.combining(ch),
        u.east_asian_width(ch),
        u.mirrored(ch),
        u.decomposition(ch) or "-",
        u.numeric(ch, None),
        u.digit(ch, None),
        u.decimal(ch, None),
    )
for text in ("é", "e\u0301", "ﬁ", "Å", "①", "가", "ｶﾞ", "ḍ̇"):
    print(
        [
            [f"{ord(c):x}" for c in u.normalize(form, text)]
            for form in ("NFC", "NFD", "NFKC", "NFKD")
        ],
        u.is_normalized("NFC", text),
    )
print(
    u.lookup("GREEK SMALL LETTER ALPHA"),
    u.lookup("SNOWMAN"),
    "\N{SNOWMAN}\N{LATIN SMALL LETTER E WITH ACUTE}",
    u.unidata_version,
)
for attempt in (
    lambda: u.lookup("NO SUCH NAME"),
    lambda: u.name("\n"),
    lambda: u.normalize("NFX", "a"),
    lambda: u.numeric("a"),
    lambda: u.category("ab"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
text = "naïve café — ‘quoted’ 日本 😀"
print(len(text), len(text.encode()), text.upper(), text.isascii(), ascii(text))
print(
    "".join(c for c in u.normalize("NFD", text) if not u.combining(c))
    .encode("ascii", "ignore")
    .decode()
)
print([hex(ord(c)) for c in "👩‍👩‍👧"], "👩‍👩‍👧"[::-1] == "👩‍👩‍👧", len("👍🏽"))
print(
    repr("\x00\x1f\x7f\x80\xa0\xad\u0378\u200b\ud800\U0001f600\U000e0001"),
    "\ud800".encode("utf-8", "surrogatepass"),
)
print(
    sorted(["éclair", "zebra", "apple", "Éa", "Zoo", "ähnlich"]),
    sorted(["ä", "a", "z"], key=lambda w: u.normalize("NFD", w)),
)
identifiers = {"ﬁne": 1}
ﬁne = 2
print(fine, "ﬁne".isidentifier(), "1a".isidentifier(), "变量".isidentifier())
变量 = 5
print(变量 + 1)
print(
    "ǆ".upper(),
    "ǆ".title(),
    "ŉ".upper(),
    "ς".upper().lower(),
    "ΌΣΟΣ".lower(),
    "ᾳ".upper(),
    "ⅷ".upper(),
    "ა".upper(),
)
