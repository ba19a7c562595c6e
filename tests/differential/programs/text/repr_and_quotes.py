"""repr of text and containers: quotes, escapes, nesting, recursion, ascii()."""

import reprlib

for text in (
    "plain",
    "it's",
    'say "hi"',
    "both ' and \"",
    "tab\tnew\nline",
    "back\\slash",
    "\x00\x1b\x7f",
    "é日😀",
    "\u00ad\u200b\ue000",
    "\udc80",
    "\\'",
    "",
):
    print(repr(text), ascii(text), len(repr(text)))
print([b"a'b", b'a"b', b"\x00\xff", bytearray(b"x"), memoryview(b"xyz").tobytes()])
print(
    repr(
        [
            None,
            True,
            ...,
            NotImplemented,
            1.0,
            1e100,
            -0.0,
            1j,
            range(3),
            slice(1, None, 2),
            int,
            len.__name__,
        ]
    )
)
print(repr({"a": {1, 2}, "b": frozenset({3}), (1,): [], 2: (), 3: set(), 4: frozenset()}))
d = {}
d["self"] = d
l = [d, (d,)]
print(d, l)
print(
    reprlib.repr(list(range(100))),
    reprlib.repr("x" * 100),
    reprlib.repr({i: i for i in range(10)}),
    reprlib.repr([[[[[[[1]]]]]]]),
)
r = reprlib.Repr(maxlist=2, maxstring=10, indent=2)
print(r.repr([1, 2, 3]), r.repr("abcdefghijklmnopqrstuvwxyz"))


class Recursive(list):
    @reprlib.recursive_repr(fillvalue="<loop>")
    def __repr__(self):
        return "<" + ", ".join(map(repr, self)) + ">"


x = Recursive("ab")
x.append(x)
print(x)


class Named:
    def __repr__(self):
        return "Named\nwith newline"


print([Named()], str([Named()]), f"{[Named()]}")
print(
    str(b"bytes"),
    str(bytearray(b"ba")),
    str(None),
    str(...),
    str(type),
    str(print),
    repr("".join).split(" at ")[0],
)
for value in (
    1,
    "a",
    [1],
    (),
    {},
    {1},
    2.5,
    None,
    Exception("e"),
    ValueError(),
    KeyError("k"),
    OSError("m"),
    type,
    Exception,
):
    print(repr(value), str(value), f"{value}")
