"""The source is wrong in its last line: nothing of it runs."""

print("never printed")
values = [1, 2, 3
print(values)
