"""Encodings and error handlers, incremental decoders, BOMs and surrogates."""

import codecs
import io

raw = "Grüße, 世界 😀"
for encoding in (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-32-be",
    "utf-7",
    "gb18030",
    "unicode_escape",
    "raw_unicode_escape",
    "punycode",
):
    data = raw.encode(encoding)
    print(encoding, data, data.decode(encoding) == raw)
for encoding in (
    "latin-1",
    "cp1252",
    "ascii",
    "koi8-r",
    "cp437",
    "iso8859-15",
    "mac-roman",
    "shift_jis",
    "big5",
    "euc-kr",
    "cp1251",
    "utf_8",
):
    try:
        print(encoding, "Grüße".encode(encoding))
    except UnicodeEncodeError as error:
        print(encoding, error)
bad = b"abc\xff\xfe\xe2\x82def\xf0\x9f\x98"
for handler in ("replace", "ignore", "backslashreplace", "surrogateescape"):
    print(handler, ascii(bad.decode("utf-8", handler)))
try:
    bad.decode()
except UnicodeDecodeError as error:
    print(error, error.start, error.end, error.reason, error.object[error.start : error.end])
for each in (
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf5\x80\x80\x80",
    b"\x80",
    b"\xe2\x28\xa1",
    b"\xf0\x9f\x98",
):
    try:
        each.decode()
    except UnicodeDecodeError as error:
        print(error)
print(bad.decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape") == bad)


def star(error):
    return ("*" * (error.end - error.start), error.end)


codecs.register_error("star", star)
print("aéb日".encode("ascii", "star"), b"a\xffb".decode("utf-8", "star"))
decoder = codecs.getincrementaldecoder("utf-8")()
print([decoder.decode(bytes([byte])) for byte in "é😀x".encode()], decoder.decode(b"", final=True))
encoder = codecs.getincrementalencoder("utf-16")()
print(encoder.encode("a"), encoder.encode("b"))
print(
    codecs.encode("Hello", "rot13"),
    codecs.encode(b"data", "hex"),
    codecs.decode(b"ZGF0YQ==", "base64"),
    codecs.lookup("UTF8").name,
    codecs.lookup("latin1").name,
)
for attempt in (
    lambda: codecs.lookup("nope"),
    lambda: "x".encode("rot13"),
    lambda: b"x".decode("hex"),
    lambda: codecs.decode(b"zz", "hex"),
    lambda: "a".encode("utf-8", "nohandler"),
    lambda: "é".encode("ascii", "nohandler"),
    lambda: b"ab".decode("utf-16"),
    lambda: "\ud800".encode(),
):
    try:
        print(repr(attempt()))
    except Exception as error:
        print(type(error).__name__, error)
stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-16", newline="\r\n", write_through=True)
stream.write("a\nb")
print(stream.buffer.getvalue(), stream.encoding, stream.errors)
print(
    "bücher.example".encode("idna"),
    b"xn--bcher-kva.example".decode("idna"),
    "straße".encode("idna"),
)
print(
    b"\\n\\x41\\u0042".decode("unicode_escape"),
    codecs.escape_decode(b"\\101")[0],
    "\\N{BULLET}".encode().decode("unicode_escape"),
)
