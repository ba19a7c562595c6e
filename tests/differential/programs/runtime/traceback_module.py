"""traceback: StackSummary, FrameSummary, TracebackException, limits, format_list, walk_tb."""

import sys
import traceback


def inner(n):
    secret = n
    raise ValueError(f"bad {secret}")


def middle():
    try:
        inner(5)
    except ValueError as error:
        raise RuntimeError("wrapped") from error


try:
    middle()
except RuntimeError as error:
    te = traceback.TracebackException.from_exception(error)
    local = traceback.StackSummary.extract(
        traceback.walk_tb(error.__cause__.__traceback__.tb_next), capture_locals=True
    )
    print(local[0].locals, "".join(local.format()))
    print("".join(te.format()))
    print(
        "".join(te.format_exception_only()),
        te.exc_type_str,
        [f.name for f in te.stack],
        te.__cause__.exc_type_str,
    )
    frames = traceback.extract_tb(error.__traceback__)
    print(
        [(f.name, f.lineno, f.line, f.colno, f.end_colno) for f in frames],
        traceback.format_list(frames)[0],
    )
    print([frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)])
    print(
        "".join(traceback.format_exception(error, limit=1, chain=False)),
        "".join(traceback.format_exception(error, limit=-1)),
    )
    traceback.print_exception(error, file=sys.stdout, chain=False)
    print(error.__traceback__.tb_next.tb_frame.f_locals.keys())


def stack():
    return [f.name for f in traceback.extract_stack()][-2:]


print(
    stack(),
    traceback.format_exception_only(ValueError("x\ny")),
    traceback.format_exception_only(SyntaxError("m", ("f", 1, 3, "a b c", 1, 5))),
    traceback.format_exception_only(KeyError("k")),
)
traceback.clear_frames(sys.exc_info()[2])
print(traceback.format_exc(), end="")
for attempt in (
    lambda: traceback.print_exception(5),
    lambda: traceback.format_exception(ValueError, None),
    lambda: traceback.format_list([("f.py", 3, "fn", "line")]),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
