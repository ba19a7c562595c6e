"""Hashes have 32 bits, as pointers have; what is seeded with a float differs with them."""

import random
import sys

print(sys.hash_info.width, hash(2**61 - 1), hash(0.5), sys.maxsize)
print(random.Random(1.5).random())
