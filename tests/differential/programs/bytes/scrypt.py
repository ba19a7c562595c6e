"""scrypt comes with OpenSSL, which the guest has not."""

import hashlib

print(hashlib.scrypt(b"password", salt=b"salt", n=16, r=8, p=1, dklen=16).hex())
