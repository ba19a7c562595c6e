"""Assignment expressions in conditions, comprehensions, calls and f-strings."""

import re

data = ["a=1", "bad", "c=22"]
print([(m[1], int(m[2])) for line in data if (m := re.match(r"(\w)=(\d+)", line))])
while (n := len(data)) > 1:
    print(n, data.pop())
print((x := 5) + x, f"{(y := 3)} {y}", [z := 1, z + 1], {(k := "a"): k}, (lambda: (q := 2) * q)())
if (found := next((d for d in data if "=" in d), None)) is not None:
    print(found)
total = 0
print([total := total + v for v in (1, 2, 3)], total)
