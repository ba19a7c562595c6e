"""Key derivation from passwords: known answers, lengths, long passwords, and what is refused."""

import base64
import hashlib
import hmac
import os

for name in ("sha1", "sha256", "sha512", "md5", "sha3_256", "blake2b", "SHA256"):
    print(name, hashlib.pbkdf2_hmac(name, b"password", b"salt", 100).hex())
print(hashlib.pbkdf2_hmac("sha256", b"p" * 200, b"", 3, 7).hex())
print(hashlib.pbkdf2_hmac("md5", bytearray(b"a"), memoryview(b"b"), 2, dklen=100).hex())
print(hashlib.pbkdf2_hmac(hash_name="sha1", password=b"", salt=b"x", iterations=1).hex())
for arguments in (
    ("sha256", "text", b"", 1),
    ("sha256", b"", "text", 1),
    ("sha256", b"", b"", 0),
    ("sha256", b"", b"", 1, 0),
    ("sha256", b"", b"", 1.5),
    ("sha256", b"", b"", 2**40),
    (5, b"", b"", 1),
):
    try:
        print(hashlib.pbkdf2_hmac(*arguments))
    except Exception as error:
        print(type(error).__name__, error)


def hash_password(password, salt=None, rounds=2000):
    salt = salt or os.urandom(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    return f"pbkdf2${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def verify(password, stored):
    _, rounds, salt, digest = stored.split("$")
    again = hash_password(password, base64.b64decode(salt), int(rounds))
    return hmac.compare_digest(again, stored)


stored = hash_password("correct horse")
print(verify("correct horse", stored), verify("wrong", stored), len(stored))
print(hash_password("fixed", b"0123456789abcdef"), "pbkdf2_hmac" in hashlib.__all__)
