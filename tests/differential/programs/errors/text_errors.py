"""What is said of wrong uses of text."""

for source in (
    '"a" + 1',
    '1 + "a"',
    '"a" - "b"',
    '"a" / 2',
    '"abc"[5]',
    '"abc"["a"]',
    '"abc".foo',
    '"a".join([1, "b"])',
    'int("12a")',
    'float("1,5")',
    '"%d" % "x"',
    '"{} {}".format(1)',
    '"{a}".format(b=1)',
    '"abc".index("z")',
    'ord("ab")',
    'chr("a")',
    '"a" * "b"',
    '"x".split("")',
    '"a".replace("a")',
    '"a".encode("nope")',
    '"a" < 1',
    "len(5)",
    '"abc".upper(1)',
    "str(1, 2)",
    '"a".center()',
    'sum(["a", "b"])',
    '"".strip(1)',
    '"a".startswith(1)',
    '"a" in 1',
    'f"{1:s}"',
    '"a".format_map(1)',
):
    try:
        print(source, "->", eval(source))
    except Exception as error:
        print(source, "->", type(error).__name__, error)
