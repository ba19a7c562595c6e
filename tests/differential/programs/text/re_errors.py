"""What re says of patterns that are wrong, and templates that are."""

import re

PATTERNS = [
    "(",
    ")",
    "a**",
    "*a",
    "[",
    "[a-",
    "[z-a]",
    "(?P<1>a)",
    "(?P<a>x)(?P<a>y)",
    "(?P=b)",
    "(?P>x)",
    r"\1",
    r"(a)\2",
    "(?z)a",
    "a(?i)b",
    "(?i",
    "(?<=a+)b",
    "(?<a",
    "a{2,1}",
    "a{99999999999}",
    r"\N{nope}",
    r"\x1",
    r"\u12",
    r"\U00110000",
    r"\q",
    "\\",
    "(?(1)a)",
    "(?(x)a|b)",
    "(?(1)a|b|c)(x)",
    "(?-i",
    "(?-z:a)",
    "(?i-i:a)",
    "(?a-u:b)",
    "(?L)a",
    "x{,3}{2}",
    "(?#unclosed",
    "(?P<>a)",
    "(?P<a",
    "(?",
    "a|*",
    "+",
    "(?:",
    "[[:alpha:]]",
    "[a&&b]",
    "a++",
    "a+++",
    r"[\d-z]",
    "[]",
    "[^]",
    "(?<!a*)b",
    "(?<=(a)\\1)b",
    "{1}",
    "a{1,2}{3}",
]
for pattern in PATTERNS:
    try:
        compiled = re.compile(pattern)
        print(repr(pattern), "compiles", compiled.groups)
    except re.PatternError as error:
        print(repr(pattern), error.msg, error.pos, error.lineno, error.colno, "|", error)
    except (OverflowError, RecursionError) as error:
        print(repr(pattern), type(error).__name__, error)
for template in (
    r"\2",
    r"\g<x>",
    r"\g<",
    r"\g<1",
    r"\q",
    r"\g<-1>",
    r"\g<>",
    r"\x41",
    r"\0",
    r"\g<0>",
    r"\777",
    "\\",
):
    try:
        print(repr(template), repr(re.sub("(a)", template, "a")))
    except (re.PatternError, IndexError) as error:
        print(repr(template), type(error).__name__, error)
for attempt in (
    lambda: re.compile("a", 1 << 20),
    lambda: re.match(b"a", "a"),
    lambda: re.match("a", b"a"),
    lambda: re.compile(5),
    lambda: re.match("a", "a").group(1),
    lambda: re.match("a", "a").group("x"),
    lambda: re.sub("a", 5, "a"),
    lambda: re.compile(re.compile("a"), re.I),
    lambda: re.compile(b"a", re.U),
    lambda: re.match("a", None),
    lambda: re.compile("a").sub(),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
