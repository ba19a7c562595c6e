"""Justified paragraphs, columns and boxes made by hand."""

TEXT = "In the middle of the night a small clock struck thirteen and nobody was awake to hear it"


def wrap(text, width):
    line, n = [], 0
    for word in text.split():
        if n + len(word) + len(line) > width:
            yield line, n
            line, n = [], 0
        line.append(word)
        n += len(word)
    yield line, n


def justify(words, used, width):
    gaps = len(words) - 1
    if not gaps:
        return words[0]
    space, extra = divmod(width - used, gaps)
    return "".join(w + " " * (space + (i < extra)) for i, w in enumerate(words[:-1])) + words[-1]


lines = list(wrap(TEXT, 24))
print("+" + "-" * 26 + "+")
for words, used in lines[:-1]:
    print("| " + justify(words, used, 24) + " |")
print("| " + " ".join(lines[-1][0]).ljust(24) + " |")
print("╚" + "═" * 26 + "╝")
left, right = TEXT[:44].split(), TEXT[44:].split()
for a, b in zip(left, right):
    print(f"{a:<10}{b:>12}")
