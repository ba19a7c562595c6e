"""Arithmetic on large and small integers is exact."""

print(
    2**64 - 1,
    (2**64) ** 2,
    -(2**63),
    10**18 * 10**18,
    12345678901234567890 % 97,
    99999999999 // -7,
    0xFFFFFFFF + 1,
    int(1e15) + 1,
    int(2**53 + 1.0),
    7**77 % 10**9,
    sum(range(10**6)),
    len(str(3**1000)),
    (1 << 100).bit_length(),
)
