"""Morse code and NATO spelling, both ways, with unknown letters."""

MORSE = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.".split(),
    )
)
BACK = {v: k for k, v in MORSE.items()}
NATO = dict(zip("ABCDE", "Alfa Bravo Charlie Delta Echo".split()))


def encode(text):
    return " / ".join(" ".join(MORSE.get(c, "?") for c in word) for word in text.upper().split())


def decode(code):
    return " ".join("".join(BACK.get(c, "#") for c in word.split()) for word in code.split(" / "))


text = encode("SOS Ä 2024")
print(
    text,
    decode(text),
    decode("... --- ... / ........"),
    len(BACK) == len(MORSE),
    [NATO.get(c, c) for c in "ACE!"],
)
print(
    "".join(chr(0x2800 + sum(1 << int(d) - 1 for d in dots)) for dots in ("1", "12", "14", "145")),
    max(MORSE.values(), key=len),
    sorted(BACK)[:3],
)
