"""hashlib, hmac, secrets, crc and adler: known inputs, known outputs."""

import hashlib
import hmac
import secrets
import zlib

for name in (
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "blake2b",
    "blake2s",
):
    h = hashlib.new(name, b"hello ")
    h.update(b"world")
    other = h.copy()
    other.update(b"!")
    print(name, h.hexdigest(), other.hexdigest()[:16], h.digest_size, h.block_size, h.name)
for name in ("shake_128", "shake_256"):
    print(name, getattr(hashlib, name)(b"x").hexdigest(20))
print(
    hashlib.blake2b(b"data", key=b"key", digest_size=16, salt=b"salt", person=b"me").hexdigest(),
    hashlib.blake2s(b"", digest_size=8).hexdigest(),
)
print(
    hmac.new(b"key", b"message", "sha256").hexdigest(),
    hmac.digest(b"k", b"m", "md5").hex(),
    hmac.compare_digest("a", "a"),
    hmac.compare_digest(b"a", b"b"),
    hmac.new(b"k" * 200, b"m", hashlib.sha512).hexdigest()[:20],
)
import io

print(
    hashlib.file_digest(io.BytesIO(b"abc"), "sha256").hexdigest()
    == hashlib.sha256(b"abc").hexdigest(),
    sorted(hashlib.algorithms_guaranteed),
)
print(
    zlib.crc32(b"abc"),
    zlib.adler32(b"abc"),
    len(secrets.token_bytes(5)),
    len(secrets.token_hex(5)),
    len(secrets.token_urlsafe(6)),
    secrets.randbelow(1),
    secrets.choice("a"),
)
for attempt in (
    lambda: hashlib.new("nope"),
    lambda: hashlib.sha256("text"),
    lambda: hashlib.sha256(5),
    lambda: hashlib.blake2b(key=b"x" * 65),
    lambda: hashlib.blake2b(digest_size=65),
    lambda: hmac.new(b"k", b"m"),
    lambda: hmac.new("k", b"m", "md5"),
    lambda: hmac.compare_digest("é", "é"),
    lambda: hashlib.shake_128(b"x").digest(),
    lambda: secrets.randbelow(0),
    lambda: hashlib.md5().update(None),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
