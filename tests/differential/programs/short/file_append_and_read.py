"""Writing, appending, reading back, and what `with` closes."""

with open("notes.txt", "w") as f:
    f.write("one\ntwo\n")
with open("notes.txt", "a") as f:
    print("three", file=f)
with open("notes.txt") as f:
    print(f.readline().strip(), [line.strip() for line in f], f.read() == "")
print(f.closed, open("notes.txt").read().count("\n"))
try:
    f.read()
except ValueError as error:
    print(error)
