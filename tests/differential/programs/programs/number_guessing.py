"""A guessing game with a seeded number and scripted input."""

import io
import random
import sys

random.seed(42)
sys.stdin = io.StringIO("50\n25\nabc\n\n10\n82\n81\n82\n")
secret = random.randint(1, 100)
tries = 0
while True:
    try:
        guess = int(input("Guess: "))
    except ValueError as error:
        print("not a number:", error)
        continue
    except EOFError:
        print("no more input, it was", secret)
        break
    tries += 1
    if guess == secret:
        print("right after", tries)
        break
    print("higher" if guess < secret else "lower")
