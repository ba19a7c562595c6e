"""Chained assignment, swaps and augmented assignment on shared objects."""

a = b = [1]
a += [2]
b = b + [3]
print(a, b, a is b)
x, y = 1, 2
x, y = y, x
x = y = z = x + y
print(x, y, z)
t = (1, 2)
u = t
t += (3,)
print(t, u)
s = "ab"
s *= 2
n = 7
n //= 2
n **= 3
n <<= 1
n ^= 5
print(s, n)
