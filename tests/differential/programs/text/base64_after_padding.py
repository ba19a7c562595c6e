"""Padding of base64 that is not at the end."""

import base64

print(base64.b64decode(b"YQ==YQ=="))
