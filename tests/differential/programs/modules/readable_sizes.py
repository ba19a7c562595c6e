"""Bytes, durations, counts in words, both ways."""

import re


def size(n):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(n) < 1024 or unit == "GiB":
            return f"{n:.1f} {unit}" if unit != "B" else f"{n} B"
        n /= 1024


def parse(text):
    m = re.fullmatch(r"\s*([\d.]+)\s*([KMG]?)i?B?\s*", text, re.I)
    if not m:
        raise ValueError(f"{text!r} is no size")
    return round(float(m[1]) * 1024 ** " KMG".index(m[2].upper() or " "))


print(
    [size(n) for n in (0, 1023, 1024, 1536, 10**6, 5 * 2**30, 2**50, -2048)],
    [parse(t) for t in ("12", "1.5K", "3 MiB", "2gb")],
)
for bad in ("", "x", "1.2.3", "5 TB"):
    try:
        print(parse(bad))
    except ValueError as error:
        print(error)
print(
    [f"{n:,}".replace(",", "'") for n in (1, 1234, 1234567)],
    [f"{n / 1000:.1f}k" if n > 999 else str(n) for n in (5, 999, 1500)],
)
