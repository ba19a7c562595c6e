"""Polynomials as lists, roots of quadratics, Newton's method, numerical integration, FFT."""

import cmath
import math


def poly(coefficients, x):
    value = 0
    for c in coefficients:
        value = value * x + c
    return value


def multiply(a, b):
    out = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def show(p):
    terms = [f"{c:+}x^{len(p) - i - 1}" for i, c in enumerate(p) if c]
    return "".join(terms).replace("x^0", "").replace("x^1", "x").lstrip("+") or "0"


def roots(a, b, c):
    d = cmath.sqrt(b * b - 4 * a * c)
    return (-b + d) / (2 * a), (-b - d) / (2 * a)


print(
    poly([1, -3, 2], 5),
    multiply([1, 1], [1, -1]),
    show(multiply([2, 0, -3], [1, 4])),
    roots(1, -3, 2),
    roots(1, 2, 5),
    show([0]),
)
x = 1.0
for step in range(6):
    x -= (x * x - 2) / (2 * x)
print(f"{x:.12f}", abs(x - math.sqrt(2)) < 1e-12)
n = 1000
print(
    round(sum((i / n) ** 2 for i in range(n)) / n, 6),
    round(sum(math.exp(-((i - 500) ** 2) / 5000) for i in range(n)), 6),
)


def fft(a):
    if len(a) == 1:
        return a
    even, odd = fft(a[::2]), fft(a[1::2])
    turned = [cmath.exp(-2j * math.pi * k / len(a)) * v for k, v in enumerate(odd)]
    return [e + t for e, t in zip(even, turned)] + [e - t for e, t in zip(even, turned)]


print(
    [f"{abs(v):.6f}" for v in fft([math.sin(2 * math.pi * i / 8) for i in range(8)])],
    [complex(round(v.real, 9), round(v.imag, 9)) for v in fft([1, 2, 3, 4])],
)
