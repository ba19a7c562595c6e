"""3.14.7 appends what follows a stream to `unused_data` again when flush() is called."""

import zlib

d = zlib.decompressobj()
d.decompress(zlib.compress(b"x" * 1000) + b"trailing", 10)
d.decompress(d.unconsumed_tail)
d.flush()
print(d.unused_data)
