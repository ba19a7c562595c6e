"""Names give the same UUIDs and digests everywhere."""

import hashlib
import uuid
import zlib

for name in ("a", "example.org", "é"):
    print(
        uuid.uuid5(uuid.NAMESPACE_URL, name),
        uuid.uuid3(uuid.NAMESPACE_DNS, name),
        hashlib.sha1(name.encode()).hexdigest()[:12],
        hashlib.blake2s(name.encode(), digest_size=4).hexdigest(),
        zlib.crc32(name.encode()),
    )
