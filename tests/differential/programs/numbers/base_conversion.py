"""int() with bases, hex floats, to and from digits, checksums such as Luhn and ISBN."""

print(
    [
        int(t, b)
        for t, b in (
            ("ff", 16),
            ("0b11", 2),
            ("zz", 36),
            ("-0x1A", 16),
            ("777", 8),
            ("1_000", 10),
            ("0o10", 0),
        )
    ],
    [f"{255:{s}}" for s in "bodxX"],
    (0.5).hex(),
    float.fromhex("0x1.8p3"),
)


def digits(n, base):
    out = []
    while n:
        n, d = divmod(n, base)
        out.append(d)
    return out[::-1] or [0]


print(
    digits(12345, 7),
    digits(0, 2),
    digits(2**70, 1000),
    sum(d * 7**i for i, d in enumerate(reversed(digits(12345, 7)))),
)


def luhn(text):
    ds = [int(c) for c in text if c.isdigit()][::-1]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(ds)) % 10 == 0


print(
    luhn("4539 1488 0343 6467"),
    luhn("8273 1232 7352 0569"),
    sum(int(d) * (1, 3)[i % 2] for i, d in enumerate("9780306406157")) % 10,
    (97 * 10**10 + 5) % 97,
)
print(
    [(-n % 256) for n in (1, 128, 255)],
    f"{-(5):b}",
    bin(-5 & 0xFF),
    int.from_bytes(b"\xff\x00", signed=True),
    (300).to_bytes(2).hex(),
    (-2).to_bytes(4, "little", signed=True),
)
