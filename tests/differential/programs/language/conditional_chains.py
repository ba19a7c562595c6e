"""Chained comparisons, short circuits, ternaries, truthiness."""


def say(value):
    print("say", value)
    return value


print(
    1 < say(2) < 3,
    1 > say(2) > say(3),
    say(0) or say("") or say([]) or "last",
    say(1) and say(0) and say(5),
)
print(
    1 < 2 > 1 != 3 == 3.0,
    "a" in "abc" == True,
    not [] == True,
    None is not False,
    (1 if 0 else 2 if 1 else 3),
)
for value in (
    0,
    0.0,
    0j,
    "",
    (),
    [],
    {},
    set(),
    None,
    False,
    range(0),
    b"",
    "0",
    " ",
    [0],
    -1,
    float("nan"),
    ...,
    object,
):
    print(repr(value) if value is not object else "object", bool(value), end="; ")
print(all(x for x in (1, 2, 0, 1 / 1)), any(x > 2 for x in range(5)), [] or {} or 0 or None)
