"""A hex dump, its reverse, and a comparison of two blobs."""

DATA = bytes(range(0x1C, 0x60)) + "é😀\n".encode() + b"\x00" * 5


def dump(data, width=16):
    for at in range(0, len(data), width):
        row = data[at : at + width]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{text}|"


print(*dump(DATA), sep="\n")
back = b"".join(bytes.fromhex(line[10:58]) for line in dump(DATA))
print(
    back == DATA,
    [i for i, (a, b) in enumerate(zip(DATA, DATA[:10] + b"!" + DATA[11:])) if a != b],
    DATA.find(b"\xf0"),
    DATA.rstrip(b"\0")[-1],
    max(DATA),
    sum(DATA) % 256,
    bytes(a ^ 0x20 for a in b"Hello"),
    DATA[5:8] * 2,
    DATA.partition(b"ABC")[2][:3],
    bytearray(DATA[:3]).hex("-"),
)
