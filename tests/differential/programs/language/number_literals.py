"""Literals of numbers in all bases, with underscores, and what they print."""

print(
    0b1010,
    0o17,
    0xFF,
    1_000_000,
    0x_FF_FF,
    1e3,
    1e-3,
    0.5,
    5.0,
    1_0.0_1,
    2j,
    1.5e2j,
    0,
    00,
    0_0,
    -0.0,
    10**20,
    0xDEADBEEF,
)
print(
    (1).__class__,
    (1.0).is_integer(),
    (1).bit_length(),
    1 if 1 else 2,
    0x10.real,
    [1, 2][0] if 1 else 3,
)
for text in (
    "1__0",
    "_1",
    "1_",
    "0b12",
    "0o8",
    "0xg",
    "1e",
    "01",
    "0b",
    "1.2.3",
    "1_.5",
    "0_7",
    "1jj",
    "٣",
    "1e+",
    "0x",
    "9abc",
):
    try:
        print(text, eval(text))
    except (SyntaxError, NameError) as error:
        print(text, type(error).__name__, error.args[0])
