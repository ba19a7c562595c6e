"""The shortest text that gives the same float back."""

for x in (
    0.1,
    1 / 3,
    1e-7,
    123456789.123456789,
    1e21,
    1e22,
    5e-324,
    2.0**70,
    0.30000000000000004,
    1.0,
    -0.0,
    1e-5,
    12345678.9,
    1.7976931348623157e308,
):
    assert float(repr(x)) == x
    print(x, f"{x:.3f}", f"{x:g}", f"{x:e}", round(x, 3), x.hex())
