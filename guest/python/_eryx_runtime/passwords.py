"""What elsewhere comes with OpenSSL: hashlib.pbkdf2_hmac() and scrypt(), and some more digests.

The host does the rounds of the first, some thousand at a time. The others are made of
guest/library, which is imported when one of them is asked for.
"""

import hashlib
import operator

import _hmac

import _eryx
from _eryx_runtime.numbers import (
    ASK_DIGESTS,
    DIGESTS_KEY_BYTES,
    DIGESTS_MOST_ROUNDS,
    DIGESTS_SHA1,
    DIGESTS_SHA224,
    DIGESTS_SHA256,
    DIGESTS_SHA384,
    DIGESTS_SHA512,
)

_OF_HOST = {
    "sha1": DIGESTS_SHA1,
    "sha224": DIGESTS_SHA224,
    "sha256": DIGESTS_SHA256,
    "sha384": DIGESTS_SHA384,
    "sha512": DIGESTS_SHA512,
}
_MOST_ROUNDS = 2**31 - 1  # as OpenSSL has it
_MOST_MEMORY = 2**31 - 1
_USUAL_MEMORY = 32 << 20
_DIGESTS = ("md5-sha1", "ripemd160", "sha512_224", "sha512_256", "sm3")


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
    message = authenticate(key, message, hash_name)
    name = hashlib.new(hash_name).name
    if name in _OF_HOST:
        return _derive_by_host(_OF_HOST[name], key, message, iterations - 1)
    total = int.from_bytes(message)
    for _ in range(iterations - 1):
        message = authenticate(key, message, hash_name)
        total ^= int.from_bytes(message)
    return total.to_bytes(len(message))


def _derive_by_host(algorithm, key, message, rounds):
    key = key.ljust(DIGESTS_KEY_BYTES, b"\0")
    state = message + message  # and what its sum is
    while rounds > 0:
        count = min(rounds, DIGESTS_MOST_ROUNDS)
        state = _eryx.ask(ASK_DIGESTS, algorithm, count, key + state, len(state))
        rounds -= count
    return state[len(message) :]


def scrypt(password, *, salt, n, r, p, maxmem=0, dklen=64):
    """Derive a key from a password, by RFC 7914."""
    import _eryx_digests

    key, salt = _as_bytes(password), _as_bytes(salt)
    n, r, p = operator.index(n), operator.index(r), operator.index(p)
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2.")
    if r < 1 or p < 1 or r * p >= 1 << 30:
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    if not 0 <= maxmem <= _MOST_MEMORY:
        raise ValueError(f"maxmem must be positive and smaller than {_MOST_MEMORY}")
    if not 0 < dklen <= _MOST_MEMORY:
        raise ValueError(f"dklen must be greater than 0 and smaller than {_MOST_MEMORY}")
    if 128 * r * (n + p + 2) > (maxmem or _USUAL_MEMORY):
        raise ValueError("[digital envelope routines] memory limit exceeded")
    size = 128 * r
    blocks = pbkdf2_hmac("sha256", key, salt, 1, p * size)
    mixed = b"".join(
        _eryx_digests.scrypt_mix(blocks[place : place + size], n, r)
        for place in range(0, p * size, size)
    )
    return pbkdf2_hmac("sha256", key, mixed, 1, dklen)


class _Md5Sha1:
    """Both digests, one behind the other, as TLS 1.1 has them."""

    name, digest_size, block_size = "md5-sha1", 36, 64

    def __init__(self, parts=None):
        self._parts = parts or (hashlib.md5(), hashlib.sha1())

    def update(self, data, /):
        for part in self._parts:
            part.update(data)

    def digest(self):
        return b"".join(part.digest() for part in self._parts)

    def hexdigest(self):
        return self.digest().hex()

    def copy(self):
        return _Md5Sha1(tuple(part.copy() for part in self._parts))


def _constructor(name):
    def new(data=b"", *, usedforsecurity=True, string=None):
        if name == "md5-sha1":
            made = _Md5Sha1()
        else:
            import _eryx_digests

            made = _eryx_digests.Digest(name)
        given = data if string is None else string
        if given:
            made.update(given)
        return made

    new.__name__ = new.__qualname__ = name
    return new


def install() -> None:
    """Put it where programs look for it."""
    for function in (pbkdf2_hmac, scrypt):
        function.__module__ = "hashlib"
        setattr(hashlib, function.__name__, function)
        hashlib.__all__ += (function.__name__,)
    constructors = hashlib.__dict__["__builtin_constructor_cache"]
    constructors.update({name: _constructor(name) for name in _DIGESTS})
    hashlib.algorithms_available |= set(_DIGESTS)
