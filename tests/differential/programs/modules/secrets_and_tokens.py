"""Tokens have the right lengths and alphabets; comparison takes the same time."""

import hmac
import secrets
import string

print(
    len(secrets.token_bytes(8)),
    len(secrets.token_hex(8)),
    set(secrets.token_hex(64)) <= set(string.hexdigits),
    len(secrets.token_urlsafe(9)),
    all(secrets.randbelow(10) < 10 for _ in range(50)),
    secrets.choice([7]),
    secrets.randbits(8) < 256,
    secrets.compare_digest("a", "a"),
    hmac.compare_digest(b"a", b"ab"),
    secrets.token_hex() != secrets.token_hex(),
    secrets.SystemRandom().random() < 1,
)
password = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(20))
print(len(password), password.isalnum())
for attempt in (
    lambda: secrets.choice([]),
    lambda: secrets.randbelow(0),
    lambda: secrets.token_bytes("a"),
    lambda: secrets.SystemRandom().seed(1),
    lambda: secrets.SystemRandom().getstate(),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
