"""Grades by bisection, a running median, and insertion into a sorted list."""

from bisect import bisect, insort

print([("F", "D", "C", "B", "A")[bisect((60, 70, 80, 90), s)] for s in (59, 60, 75, 89.5, 100)])
seen, medians = [], []
for n in (5, 2, 8, 1, 9, 3):
    insort(seen, n)
    m = len(seen) // 2
    medians.append(seen[m] if len(seen) % 2 else (seen[m - 1] + seen[m]) / 2)
print(seen, medians)
