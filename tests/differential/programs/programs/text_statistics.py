"""Word counts, sentence lengths, n-grams, readability of a text, case and stop words."""

import re
import string
from collections import Counter
from itertools import pairwise, tee

TEXT = """It was a bright morning, and the clocks were striking nine. "Nobody," said Ann, "expects the clocks!"
The clocks did not mind; they never do. Is that not odd? Ann's brother - a quiet man of forty-two - wasn't sure...
He had 3 clocks, 1,200 books and no time. No time at all!"""
STOP = set("a an and the of to in it was is he no not at did do had that were they".split())

words = re.findall(r"[a-z]+(?:['-][a-z]+)*", TEXT.lower())
sentences = [s for s in re.split(r"(?<=[.!?])[\"']?\s+", TEXT.replace("\n", " ")) if s]
counts = Counter(w for w in words if w not in STOP)
print(len(TEXT), len(words), len(set(words)), len(sentences), TEXT.count("\n") + 1)
print(counts.most_common(5))
print(Counter(pairwise(words)).most_common(3))
print(
    [len(s.split()) for s in sentences],
    max(words, key=len),
    sorted(w for w in set(words) if "'" in w or "-" in w),
)


def syllables(word):
    groups = re.findall(r"[aeiouy]+", word)
    return max(1, len(groups) - (word.endswith("e") and len(groups) > 1))


total = sum(map(syllables, words))
flesch = 206.835 - 1.015 * len(words) / len(sentences) - 84.6 * total / len(words)
print(
    f"syllables {total}, Flesch {flesch:.2f}, {sum(map(len, words)) / len(words):.3f} letters a word"
)
letters = Counter(c for c in TEXT.lower() if c in string.ascii_lowercase)
for letter, n in letters.most_common(6):
    print(letter, f"{n:3d} {n / letters.total():6.2%} {'#' * n}")
print(
    TEXT.translate(str.maketrans("", "", string.punctuation)).title().split()[:8],
    [w.capitalize() for w in words[:3]],
)
a, b = tee(words)
next(b)
print(
    sum(x[-1] == y[0] for x, y in zip(a, b)),
    "".join(w[0] for w in words),
    re.sub(r"\b(\w)(\w*)\b", lambda m: m[2] + m[1] + "ay", "pig latin here"),
)
