"""Without input, reading gives nothing and input() an error."""

import sys

print(repr(sys.stdin.read()), sys.stdin.readlines(), [line for line in sys.stdin])
name = input("Your name: ")
