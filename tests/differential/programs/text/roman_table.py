"""Aligned tables with wide characters, numbers by separators, columns by str methods."""

import unicodedata

rows = [
    ("Name", "Stadt", "Wert"),
    ("Ann", "München", 1234.5),
    ("李雷", "北京", -0.25),
    ("Zoë", "São Paulo", 10**7),
]


def width(text):
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1
        for c in text
    )


cells = [[c if isinstance(c, str) else f"{c:,.2f}" for c in row] for row in rows]
widths = [max(map(width, column)) for column in zip(*cells)]
for row in cells:
    print(" | ".join(c + " " * (w - width(c)) for c, w in zip(row, widths)))
print("+".join("-" * (w + 2) for w in widths))
for row in rows[1:]:
    print(f"{row[0]:<10}{row[1]!r:>14}{row[2]:>15,.1f}{row[2]:>12.3e}{row[2]:+010.1f}")
