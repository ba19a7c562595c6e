"""The name of an except clause is gone behind it; else and finally in loops."""

e = "before"
try:
    raise ValueError("x")
except ValueError as e:
    kept = e
print("e" in globals(), repr(kept))
for n in range(2):
    try:
        [][n]
    except IndexError as error:
        print(n, error)
    else:
        print("never")
    finally:
        print("always")
