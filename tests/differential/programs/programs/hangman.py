"""Plays fixed games of a word-guessing game."""


def play(word, guesses, lives=5):
    shown = set()
    for guess in guesses:
        guess = guess.lower()
        if len(guess) != 1 or not guess.isalpha():
            print(f"  {guess!r} is no letter")
            continue
        if guess in shown:
            print(f"  {guess} again")
            continue
        shown.add(guess)
        if guess not in word:
            lives -= 1
        picture = "".join(c if c in shown else "_" for c in word)
        print(f"  {guess}: {picture} {'*' * lives}")
        if "_" not in picture:
            return f"won with {lives} left"
        if not lives:
            return f"lost, it was {word}"
    return "gave up"


for word, guesses in (
    ("banana", "abn"),
    ("rhythm", "aeiouy"),
    ("größe", "GRÖSSE"),
    ("python", ["p", "py", "", "p", "1", "y"]),
):
    print(word)
    print(play(word, guesses))
