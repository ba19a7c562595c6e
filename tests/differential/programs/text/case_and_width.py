"""zfill, ljust, expandtabs and format with signs, fills and widths."""

for value in ("7", "-7", "+7", "", "abc", "é", "-"):
    print(
        repr(value.zfill(4)),
        repr(value.rjust(4, "*")),
        repr(value.ljust(4, ".")),
        repr(value.center(5)),
        repr(f"{value:^6}"),
        repr(f"{value:->5}"),
        repr(f"{value:.1}"),
    )
for value in (0, 7, -7, 1234567):
    print(
        f"{value:+}",
        f"{value: }",
        f"{value:06}",
        f"{value:<8}|",
        f"{value:^8}|",
        f"{value:=+8}",
        f"{value:,}",
        f"{value:#x}",
        f"{value:e}",
        f"{value:08.2f}",
        f"{value:%}",
    )
print(
    "a\tbb\tccc".expandtabs(4),
    "\t".join("xy"),
    "1\t2\n333\t4".expandtabs(),
    "%5s|%-5s|%05d|%5.1f" % ("a", "b", 42, 3.14159),
    "{:>5}{:<5}{:^5}".format(1, 2, 3),
    "{0!r:>6} {0!s:>6}".format("x"),
)
