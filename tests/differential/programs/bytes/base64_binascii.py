"""base64 family, binascii, quoted-printable, uu; and what is said about wrong input."""

import base64
import binascii
import quopri

data = bytes(range(0, 256, 7))
for name in ("b64", "standard_b64", "urlsafe_b64", "b32", "b32hex", "b16", "b85", "a85", "z85"):
    encode, decode = getattr(base64, name + "encode"), getattr(base64, name + "decode")
    print(
        name,
        encode(data),
        decode(encode(data)) == data,
        [encode(data[:n]) for n in range(5)] if name != "z85" else "",
    )
print(
    base64.b64encode(b"\xfb\xff", altchars=b"-_"),
    base64.b64decode("YQ=="),
    base64.b64decode(b"Y Q\n=="),
    base64.a85encode(b"\0\0\0\0 spaces", foldspaces=True, adobe=True, wrapcol=8),
    base64.b32decode("my======", casefold=True),
    base64.b32decode(b"M1023456", map01="L"),
    base64.encodebytes(b"x" * 60),
    base64.decodebytes(b"eHh4\neHh4\n"),
)
attempts = [
    lambda: base64.b64decode("YQ="),
    lambda: base64.b64decode("YQ"),
    lambda: base64.b64decode("Y"),
    lambda: base64.b64decode("Y!Q==", validate=True),
    lambda: base64.b64decode("YQ==x", validate=True),
    lambda: base64.b64decode("é"),
    lambda: base64.b64encode("text"),
    lambda: base64.b32decode("abc"),
    lambda: base64.b32decode("1======="),
    lambda: base64.b16decode("0g"),
    lambda: base64.b16decode("0"),
    lambda: base64.b16decode("ff"),
    lambda: base64.b85decode("~~~~~"),
    lambda: base64.b85decode("a b"),
    lambda: base64.a85decode("abc~>"),
    lambda: base64.a85decode("vvvvv"),
    lambda: base64.b64encode(b"x", altchars=b"abc"),
    lambda: base64.b64encode(5),
    lambda: binascii.unhexlify("abc"),
    lambda: binascii.unhexlify("zz"),
    lambda: binascii.a2b_base64("YQ==YQ==", strict_mode=True),
    lambda: binascii.a2b_base64("=YQ==", strict_mode=True),
    lambda: binascii.crc32("x"),
    lambda: binascii.hexlify("x"),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
print(
    binascii.hexlify(data[:4], "-"),
    binascii.crc32(b"hello"),
    binascii.crc32(b"lo", binascii.crc32(b"hel")),
    binascii.crc_hqx(b"hello", 0),
    binascii.b2a_base64(b"x", newline=False),
    binascii.b2a_uu(b"hello world"),
    binascii.a2b_uu(binascii.b2a_uu(b"hello")),
    binascii.b2a_qp(b"caf\xe9 = x \n"),
    binascii.a2b_qp(b"caf=E9=\n!"),
)
print(
    quopri.encodestring("Grüße =\t\n".encode()),
    quopri.decodestring(b"Gr=C3=BC=C3=9Fe"),
    quopri.encodestring(b"a" * 100),
)
