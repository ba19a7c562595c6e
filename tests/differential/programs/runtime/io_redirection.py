"""redirect_stdout, print to files, input from text, sys.stdout replaced, stderr, displayhook."""

import contextlib
import io
import sys

with (
    contextlib.redirect_stdout(io.StringIO()) as out,
    contextlib.redirect_stderr(io.StringIO()) as err,
):
    print("hidden")
    print("error", file=sys.stderr)
    sys.stdout.write("raw\n")
print(repr(out.getvalue()), repr(err.getvalue()))
real = sys.stdin
sys.stdin = io.StringIO("first\nsecond\n\nlast")
print(input(), repr(input("prompt> ")), repr(input()), sys.stdin.read())
try:
    input()
except EOFError as error:
    print(error)
sys.stdin = real
print(repr(sys.stdin.read()), sys.stdin.readline() == "", list(sys.stdin))
old = sys.stdout


class Upper:
    def write(self, text):
        old.write(text.upper())

    def flush(self):
        pass


sys.stdout = Upper()
print("loud")
sys.stdout = old
sys.displayhook(5)
sys.displayhook(None)
print(
    _,
    sys.stdout.writable(),
    sys.stdout.encoding,
    sys.stdout.isatty(),
    sys.stdout.name,
    sys.stderr.name,
    sys.stdin.name,
)
print("a", "b", file=sys.stdout, sep="\t")
sys.stdout.buffer.write(b"bytes\n") if sys.stdout.flush() is None else None
sys.stdout.flush()
print("to stderr", file=sys.stderr)
print("surrogate: " + ascii("\udc80"), sys.stdout.errors)
try:
    print("\ud800")
except UnicodeEncodeError as error:
    print(error)
