"""hashlib.pbkdf2_hmac(), which elsewhere comes with OpenSSL: 100,000 rounds take 0.2 seconds."""

import hashlib
import operator

import _hmac

_MOST_ROUNDS = 2**31 - 1  # as OpenSSL has it


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Derive a key from a password, by PKCS #5 v2.0 with HMAC."""
    if not isinstance(hash_name, str):
        kind = type(hash_name).__name__
        raise TypeError(f"pbkdf2_hmac() argument 'hash_name' must be str, not {kind}")
    plain = hashlib.new(hash_name)
    key = _as_bytes(password)
    salt = _as_bytes(salt)
    iterations = operator.index(iterations)
    length = plain.digest_size if dklen is None else operator.index(dklen)
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if iterations > _MOST_ROUNDS:
        raise OverflowError("iteration value is too great.")
    if length < 1:
        raise ValueError("key length must be greater than 0.")
    if len(key) > plain.block_size:  # which HMAC would do again in each round
        plain.update(key)
        key = plain.digest()
    made = bytearray()
    block = 0
    while len(made) < length:
        block += 1
        made += _derive_block(hash_name, key, salt + block.to_bytes(4), iterations)
    return bytes(made[:length])


def _as_bytes(value):
    try:
        return bytes(memoryview(value))
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"a bytes-like object is required, not {kind!r}") from None


def _derive_block(hash_name, key, message, iterations):
    authenticate = _hmac.compute_digest
    total = 0
    for _ in range(iterations):
        message = authenticate(key, message, hash_name)
        total ^= int.from_bytes(message)
    return total.to_bytes(len(message))


def install() -> None:
    """Put it where programs look for it."""
    pbkdf2_hmac.__module__ = "hashlib"
    hashlib.pbkdf2_hmac = pbkdf2_hmac
    hashlib.__all__ += ("pbkdf2_hmac",)
