"""An IndentationError in the middle of a program."""

print("never")
if True:
    x = 1
      y = 2
