"""Prefixes, escapes, concatenation, raw and triple quotes, f-string nesting."""

print(
    "a" "b" "c" """d""" r"\e" f"{1}f",
    "it's",
    "tab\there",
    "\x41\u00e9\U0001f600\N{EURO SIGN}\101\a".encode(),
    r"\n\"",
    b"\xff\x00z",
    rb"\d",
    len("""
two
"""),
)
name, items = "x", [1, 2]
print(
    f"{name!r:>5}|{items[0]}|{{}}|{'q' + 'r'}|{f'{f"{1 + 1}"}'}|{items!s:>10}|{name:{'<'}{4}}|{3.14159:.{2}f}|{name=}|{len(items) = }|{'\n'.join(map(str, items))}"
)
print(
    f"""multi {
        name  # a comment
    } line""",
    f"{1_000_000:,}",
    f"{lambda_(2)}" if (lambda_ := (lambda v: v * 2)) else "",
    f"{ {'a': 1}['a'] }",
    f"{'ab'}",
    f"{name if items else None}",
    f"{items[-1]:03d}",
    f"{True:>6}",
    f"{None!s:^8}|",
)
print(
    "long " + "=" * 20,
    "%s" % name,
    "{}".format(name),
    "\\",
    "\
joined",
)
