"""Words per minute with given times, mistakes by letter, a keyboard heat map."""

from collections import Counter, defaultdict

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SESSIONS = [
    ("the quick brown fox", "teh quick briwn fox", 9.5),
    ("jumps over the lazy dog", "jumps over the lazy dog", 7.25),
    ("sphinx of black quartz", "sphinx of balck", 12.0),
]
errors, totals = defaultdict(Counter), Counter()
for wanted, typed, seconds in SESSIONS:
    right = sum(a == b for a, b in zip(wanted, typed))
    for a, b in zip(wanted, typed):
        totals[a] += 1
        if a != b:
            errors[a][b] += 1
    print(
        f"{len(typed) / 5 / seconds * 60:6.2f} wpm {right / len(wanted):7.2%} {'complete' if len(typed) == len(wanted) else f'{len(wanted) - len(typed)} missing'}"
    )
print({a: dict(c) for a, c in sorted(errors.items())})
most = max(totals[c] for row in ROWS for c in row)
for indent, row in enumerate(ROWS):
    print(" " * indent + " ".join(f"{c}{'.oO@'[min(3, totals[c] * 4 // (most + 1))]}" for c in row))
