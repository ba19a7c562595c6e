"""tomllib: every kind of value, and the messages of errors."""

import tomllib

TEXT = r'''
title = "TOML \u00e9 \"q\""
literal = 'C:\raw'
multi = """
first\
   joined
second"""
raw = """''"""
ints = [1, +2, -3, 1_000, 0xff, 0o17, 0b101]
floats = [1.5, -0.0, 1e3, 6.26e-3, inf, -inf]
dates = [1979-05-27T07:32:00Z, 1979-05-27T00:32:00.999-07:00, 1979-05-27 07:32:00, 1979-05-27, 07:32:00.5]
yes = true
"quoted key" = 1
a.b.c = 2
inline = { x = 1, y = { z = [1, [2, "three"]] } }

[table]
key = 1
[table.sub]
k = "v"
[[array]]
n = 1
[[array]]
n = 2
[array.inner]
deep = true
'''
print(tomllib.loads(TEXT))
print(
    tomllib.loads("x = 1.5", parse_float=lambda s: f"<{s}>"),
    tomllib.loads(""),
    tomllib.loads("# only\n"),
    tomllib.loads("a=1\r\nb=2"),
)
for bad in (
    "a",
    "a =",
    "a = 1 b = 2",
    "a = 1\na = 2",
    "[a]\n[a]",
    "a = [1,",
    'a = "x',
    "a = 01",
    "a = 1__0",
    "a = tru",
    "a = 'x\ny'",
    'a = "\\q"',
    "a.b = 1\na = 2",
    "[a\n",
    "a = {x = 1,}",
    "a = {x = 1, x = 2}",
    "= 1",
    "a = 1979-13-01",
    "a = 25:00:00",
    "[[a]]\n[a]",
    "a = [1]\n[[a]]",
    'a = "\\ud800"',
    "a = \x01",
    "é = 1",
    "a = +-1",
    "a = .5",
    "a = 5.",
    "a = 1e",
    "a=1\n\n\nb = ?",
    'a = """x',
    "a\n= 1",
):
    try:
        print(repr(bad), tomllib.loads(bad))
    except tomllib.TOMLDecodeError as error:
        print(repr(bad), "->", error, error.lineno, error.colno)
open("c.toml", "wb").write(b"x = [1, 2]\n")
print(tomllib.load(open("c.toml", "rb")))
for attempt in (
    lambda: tomllib.load(open("c.toml")),
    lambda: tomllib.loads(b"x = 1"),
    lambda: tomllib.loads(None),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
