"""Mixing bytes and text by mistake, and the right conversions."""

import json

for attempt in (
    lambda: "a" + b"b",
    lambda: b"a" + "b",
    lambda: "a" == b"a",
    lambda: "x" in b"xyz",
    lambda: b"%s" % "x",
    lambda: "%s" % b"x",
    lambda: f"{b'x'}",
    lambda: "".join([b"a"]),
    lambda: b"".join(["a"]),
    lambda: json.loads(b'{"a": 1}'),
    lambda: json.dumps(b"x"),
    lambda: open("f", "w").write(b"x"),
    lambda: open("f", "wb").write("x"),
    lambda: int(b"12"),
    lambda: float(b"1.5"),
    lambda: "abc".replace(b"a", "b"),
    lambda: b"abc".split(","),
    lambda: str(b"abc", "ascii"),
    lambda: bytes("abc", "ascii"),
    lambda: bytes("abc"),
    lambda: b"abc".decode("utf-16"),
    lambda: "abc".encode("hex"),
    lambda: "abc".decode(),
    lambda: b"abc".encode(),
    lambda: ord(b"a"),
    lambda: chr(b"a"),
    lambda: sorted(["a", b"a"]),
    lambda: {"a": 1}[b"a"],
    lambda: b"abc"[0] == "a",
    lambda: print(b"abc", "abc", sep=b"-"),
):
    try:
        print(repr(attempt()))
    except Exception as error:
        print(type(error).__name__, error)
