"""Regular expressions in real use: e-mail, URLs, phone numbers, dates, CSV, templates, comments."""

import re

TEXT = """Contact: ann@example.org, <bob.b+x@mail.example.com>; not@an@address. Phone +49 (0)30 123-4567 or 555-0199.
See https://example.org/a_(b)?q=1&r=%20#top, http://x.org. Dates: 2024-02-29, 31/12/1999, 1.2.2003, 99-99-9999.
Price: $1,234.56, EUR 7, -3.5e-2 and .5; colours #fff #12ab9F #12345; <b class="x y">bold</b><br/>"""
for name, pattern in {
    "mail": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "url": r"https?://[^\s,]+(?<![.,])",
    "date": r"\b(?:\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{4})\b",
    "number": r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?\.?\d+(?:[eE][-+]?\d+)?",
    "colour": r"#(?:[0-9a-fA-F]{3}){1,2}\b",
    "tag": r"</?(\w+)(?:\s+\w+=\"[^\"]*\")*\s*/?>",
    "word twice": r"\b(\w)\w*\1\b",
    "capital": r"\b[A-Z]{2,}\b",
}.items():
    print(name, re.findall(pattern, TEXT))
print(
    re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", "2024-02-29"),
    re.sub(r"(?P<k>\w+)=(?P<v>\w+)", r"\g<v>:\g<k>", "a=1 b=2"),
    re.sub(r"//.*|/\*.*?\*/", "", "x = 1 // c\ny /* m\nm */ = 2", flags=re.S | re.M).split("\n")[0],
)
print(
    re.sub(
        r"\{\{\s*(\w+)\s*\}\}",
        lambda m: {"name": "Ann"}.get(m[1], f"<{m[1]}?>"),
        "Hi {{ name }}, {{other}}!",
    ),
    re.split(r"(?<=[.!?])\s+(?=[A-Z])", "One. Two! three? Four."),
    re.findall(r"(?:^|,)(?:\"((?:[^\"]|\"\")*)\"|([^,]*))", 'a,"b,""c""",,d'),
)
print(
    bool(re.fullmatch(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{8,}", "Passw0rdX")),
    re.match(r"(?P<year>\d+)-(?P<rest>.*)", "2024-x").groupdict(),
    [m.span() for m in re.finditer("(?=aa)", "aaaa")],
)
