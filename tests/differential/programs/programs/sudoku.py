"""Solves a sudoku by constraint propagation and search, and counts the guesses."""

PUZZLE = "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......"
DIGITS = "123456789"
CELLS = [r + c for r in "ABCDEFGHI" for c in DIGITS]
UNITS = (
    [[r + c for r in "ABCDEFGHI"] for c in DIGITS]
    + [[r + c for c in DIGITS] for r in "ABCDEFGHI"]
    + [
        [r + c for r in rs for c in cs]
        for rs in ("ABC", "DEF", "GHI")
        for cs in ("123", "456", "789")
    ]
)
UNITS_OF = {s: [u for u in UNITS if s in u] for s in CELLS}
PEERS = {s: {x for u in UNITS_OF[s] for x in u} - {s} for s in CELLS}
guesses = 0


def assign(values, cell, digit):
    return values if all(eliminate(values, cell, d) for d in values[cell] if d != digit) else None


def eliminate(values, cell, digit):
    if digit not in values[cell]:
        return values
    values[cell] = values[cell].replace(digit, "")
    if not values[cell]:
        return None
    if len(values[cell]) == 1 and not all(
        eliminate(values, p, values[cell]) for p in sorted(PEERS[cell])
    ):
        return None
    for unit in UNITS_OF[cell]:
        places = [c for c in unit if digit in values[c]]
        if not places or (len(places) == 1 and not assign(values, places[0], digit)):
            return None
    return values


def search(values):
    global guesses
    if values is None:
        return None
    if all(len(v) == 1 for v in values.values()):
        return values
    _, cell = min((len(v), c) for c, v in values.items() if len(v) > 1)
    for digit in values[cell]:
        guesses += 1
        found = search(assign(values.copy(), cell, digit))
        if found:
            return found
    return None


values = dict.fromkeys(CELLS, DIGITS)
for cell, digit in zip(CELLS, PUZZLE):
    if digit in DIGITS and not assign(values, cell, digit):
        raise SystemExit("impossible")
solved = search(values)
for r in "ABCDEFGHI":
    print(" ".join(solved[r + c] for c in DIGITS))
print("guesses:", guesses)
