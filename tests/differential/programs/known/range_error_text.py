"""The C library words an overflow of `**` in its own way."""

try:
    1e200**2
except OverflowError as error:
    print(error)
