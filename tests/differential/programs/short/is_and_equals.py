"""Identity and equality of numbers, text, None, NaN and containers."""

nan = float("nan")
print(
    1 == 1.0,
    True == 1,
    "1" == 1,
    [] == (),
    None == 0,
    [nan] == [nan],
    nan == nan,
    (1,) == (1.0,),
    {1: 2} == {1.0: 2.0},
    {1, 2} == {2, 1},
    range(0) == range(5, 5),
    b"a" == "a",
    0.1 + 0.2 == 0.3,
    None is None,
)
