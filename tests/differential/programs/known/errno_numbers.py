"""Numbers of errors are those of WASI; names, types and texts are the same."""

import errno

try:
    open("missing.txt")
except OSError as error:
    print(error.errno == errno.ENOENT, error.strerror, type(error).__name__)
    print(error)
