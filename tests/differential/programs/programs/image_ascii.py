"""A gradient, a Mandelbrot set and a PPM image in text."""

SHADES = " .:-=+*#%@"
for y in range(-8, 9, 2):
    row = ""
    for x in range(-40, 20, 2):
        c = complex(x / 20, y / 8)
        z, n = 0j, 0
        while abs(z) <= 2 and n < 30:
            z, n = z * z + c, n + 1
        row += SHADES[n * 9 // 30]
    print(row.rstrip())
w, h = 4, 3
pixels = bytes(v for y in range(h) for x in range(w) for v in (x * 85, y * 127, 128))
ppm = b"P6 %d %d 255\n" % (w, h) + pixels
head, data = ppm.split(b"\n", 1)
grey = [
    [
        (
            data[3 * (y * w + x)] * 299
            + data[3 * (y * w + x) + 1] * 587
            + data[3 * (y * w + x) + 2] * 114
        )
        // 1000
        for x in range(w)
    ]
    for y in range(h)
]
print(head, len(ppm), grey, "\n".join("".join(SHADES[v * 9 // 255] for v in row) for row in grey))
