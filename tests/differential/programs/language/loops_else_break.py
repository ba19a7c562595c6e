"""for-else, while-else, nested breaks, continue, enumerate over changes, range steps."""

for n in range(2, 12):
    for d in range(2, n):
        if n % d == 0:
            print(n, "=", d, "*", n // d)
            break
    else:
        print(n, "is prime")
i = 3
while i:
    i -= 1
    if i == 1:
        continue
    print("i", i)
else:
    print("done")
for _ in []:
    pass
else:
    print("empty")
for i, (a, b) in enumerate(zip("ab", "xyz"), start=1):
    print(i, a, b)
print(list(range(10, -1, -4)), [*range(0)], i)
for x in (it := iter(range(6))):
    if x % 2:
        next(it, None)
    print(x, end=" ")
print()


def find(grid, wanted):
    for y, row in enumerate(grid):
        for x, cell in enumerate(row):
            if cell == wanted:
                return x, y
    return None


print(find(["ab", "cd"], "c"), find([], 1))
