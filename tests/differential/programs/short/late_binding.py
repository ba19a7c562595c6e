"""Closures see the last value of a loop's variable unless it is bound."""

print(
    [g() for g in [lambda: n for n in range(3)]], [g() for g in [lambda n=n: n for n in range(3)]]
)
fs = []
for n in range(3):

    def f():
        return n

    fs.append(f)
n = 10
print([f() for f in fs])
