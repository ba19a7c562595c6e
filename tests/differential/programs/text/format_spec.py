"""The format mini-language over numbers and text."""

for spec in (
    "",
    "d",
    "+d",
    " d",
    "08d",
    ",",
    "_",
    "x",
    "#x",
    "#X",
    "#o",
    "#b",
    "_b",
    "e",
    ".3f",
    "10",
    "<10",
    "^10",
    "=+10",
    "*^10",
    "n",
    "c",
    "%",
    "g",
    "G",
    "010,",
    "z.1f",
):
    line = []
    for value in (0, 7, -42, 1234567, 2**70):
        try:
            line.append(format(value, spec))
        except (ValueError, OverflowError) as error:
            line.append(f"{type(error).__name__}: {error}")
    print(repr(spec), line)
for spec in (
    "",
    "f",
    ".0f",
    ".2f",
    "e",
    ".3e",
    "g",
    ".3g",
    "G",
    "%",
    ".1%",
    ",",
    "_.2f",
    ",.3f",
    "+.1f",
    "#.0f",
    "#g",
    "012.3f",
    "<12.3f",
    "=12.1f",
    "^+12.2e",
    "z.0f",
    "z.1f",
    "n",
    "F",
    ".20f",
    "s",
    "d",
    ".3_f",
    ".6,f",
):
    line = []
    for value in (
        0.0,
        -0.0,
        1.5,
        -2.25,
        1e10,
        1.234567e-7,
        1e300,
        float("inf"),
        float("-inf"),
        float("nan"),
        123456.789,
    ):
        try:
            line.append(format(value, spec))
        except ValueError as error:
            line.append(str(error))
    print(repr(spec), line)
for spec in ("", "5", ">5", "^5", ".2", "*<5.1", "s", "=5", "+", ",", "d", "#", "05"):
    try:
        print(repr(spec), repr(format("abc", spec)))
    except ValueError as error:
        print(repr(spec), error)
for value in (1 + 2j, -0j, complex("inf"), 1.5 - 2.25j):
    print(f"{value}", f"{value:.2f}", f"{value:>20}", f"{value:+.1e}", f"{value:g}")
print(f"{True}", f"{True:d}", f"{True:5}|", f"{None}", f"{[1, 'a']!s:>12}", f"{'é':é>4}")
width, precision = 12, 3
print(
    f"{3.14159:{width}.{precision}f}|",
    f"{'x':{'>' + str(width)}}|",
    f"{width=}",
    f"{width + 1 = :>5}",
    f"{width!r:^{precision + 2}}",
)
print(
    f"{'nested ' + f'{1 + 1}'}",
    f"{'a' if width else 'b'}",
    f"{ {'k': 1}['k'] }",
    f"{(lambda x: x * 2)(4)}",
    f"{1:{'{'}>{4}}",
)
print(
    "%5d|%-5d|%05d|%+d|% d|%x|%#x|%o|%e|%.3g|%c|%r|%s|%%|%5.1f|%a"
    % (1, 2, 3, 4, 5, 255, 255, 8, 12.5, 0.00001234, "c", "r", "s", 2.55, "é")
)
print(
    "%(a)s %(b)05.1f %(a)r" % {"a": "x", "b": 3.14159},
    "%*d" % (5, 42),
    "%.*f" % (2, 3.14159),
    "%-10s|" % "ab",
    "%s" % None,
)
for attempt in (
    lambda: "%d" % 1.9,
    lambda: "%x" % 1.5,
    lambda: "%c" % 300000000,
    lambda: "%c" % "ab",
    lambda: "%(a)s" % 1,
    lambda: "%q" % 1,
    lambda: "%" % 1,
    lambda: "%s %s" % ("a",),
    lambda: "%(a" % {},
    lambda: "%i" % "1",
    lambda: "%d" % None,
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
