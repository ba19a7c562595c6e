"""bytes and bytearray: methods, slicing, mutation, conversion and errors."""

b = b"Hello, World\x00\xff"
print(
    b,
    list(b[:3]),
    b[0],
    b[-1:],
    b.hex(),
    b.hex(":", 2),
    b.hex("_", -4),
    bytes.fromhex("48 65 6c"),
    bytes.fromhex("FFfe"),
    b.upper(),
    b.lower(),
    b.title(),
    b.swapcase(),
    b.find(b"o"),
    b.rfind(111),
    b.count(b"l"),
)
print(
    b.split(b", "),
    b.partition(b","),
    b"a b  c".split(),
    b"a\nb\r\nc".splitlines(),
    b" x ".strip(),
    b"xxaxx".strip(b"x"),
    b"ab".center(6, b"."),
    b"5".zfill(3),
    b"a\tb".expandtabs(3),
    b"abc".replace(b"b", b"--"),
    b"abc".translate(bytes.maketrans(b"ab", b"xy")),
    b"abc".translate(None, b"b"),
)
print(
    b"-".join([b"a", bytearray(b"b"), memoryview(b"c")]),
    b"ab" * 2,
    b"a" + bytearray(b"b"),
    bytearray(b"a") + b"b",
    b"%d %s %r %x %05.1f %c %b %a" % (5, b"x", "r", 255, 2.5, 65, b"b", "é"),
    b"abc".startswith((b"x", b"ab")),
    b"prefix".removeprefix(b"pre"),
)
print(
    bytes(3),
    bytes([1, 2]),
    bytes("é", "utf-8"),
    bytes(range(3)),
    bytes(b"x"),
    bytes(memoryview(b"m")),
    bytes(),
    b"a" < b"b",
    b"a" == bytearray(b"a"),
    hash(b"a") == hash(bytes([97])),
    97 in b"abc",
    b"bc" in b"abc",
    b"".join([]),
    b"\x41\101\n\\",
    rb"\n",
    b"abc"[::-1],
)
a = bytearray(b"hello")
a[0] = 72
a[1:3] = b"EEE"
a.append(33)
a.extend([63, 63])
a += b"!"
a.insert(0, 46)
del a[2]
print(
    a,
    a.pop(),
    a.pop(0),
    a.remove(33),
    a,
    a.copy() is a,
    bytes(a),
    a.decode(),
    a.reverse(),
    a,
    a * 2,
    len(a),
    a.clear(),
    a,
)
a = bytearray(b"abcdef")
a[::2] = b"XYZ"
del a[1::2]
print(a, a.resize(5), a, bytearray(3), bytearray("x", "ascii"), bytearray.fromhex("00ff"))
attempts = [
    lambda: bytes([256]),
    lambda: bytes(["a"]),
    lambda: bytes("text"),
    lambda: bytes(-1),
    lambda: bytes(1.5),
    lambda: b"a" + "b",
    lambda: "b" + b"a",
    lambda: b"a"[0:1] == "a",
    lambda: b"a".join(["x"]),
    lambda: bytes.fromhex("0"),
    lambda: bytes.fromhex("zz"),
    lambda: b"abc".index(b"z"),
    lambda: b"abc".find("a"),
    lambda: b"\xff".decode(),
    lambda: b"abc".split(b""),
    lambda: bytearray(b"a").__setitem__(0, 256),
    lambda: bytearray(b"a").__setitem__(5, 1),
    lambda: bytearray().pop(),
    lambda: bytearray(b"a").remove(98),
    lambda: b"a".__setitem__(0, 1),
    lambda: b"%d" % "x",
    lambda: b"%s" % "x",
    lambda: b"%b" % 5,
    lambda: bytes.maketrans(b"a", b"bc"),
    lambda: b"a".translate(b"x"),
    lambda: "a" in b"a",
    lambda: 300 in b"a",
    lambda: hash(bytearray()),
    lambda: b"a".center(3, b"xx"),
    lambda: bytearray(b"x").__setitem__(slice(0, 1), 5),
    lambda: bytearray(b"abc").__setitem__(slice(None, None, 2), b"x"),
    lambda: b"ab".hex("xx"),
    lambda: compile("b'é'", "", "eval"),
    lambda: bytes(object()),
    lambda: b"a" < "a",
    lambda: b"1" + 1,
    lambda: int(b"12") + int(b"x"),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
exported = bytearray(b"abc")
view = memoryview(exported)
try:
    exported.append(1)
except BufferError as error:
    print(error)
