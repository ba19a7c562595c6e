"""argparse: help texts, errors, subcommands, groups, types, actions."""

import argparse
import contextlib
import io

p = argparse.ArgumentParser("tool", description="Does things to files. " * 4, epilog="The end.")
p.add_argument("files", nargs="*", metavar="FILE", help="files to read")
p.add_argument("-v", "--verbose", action="count", default=0, help="more (default: %(default)s)")
p.add_argument("-n", "--number", type=int, choices=range(1, 5), help="a number")
p.add_argument("--mode", choices=["fast", "slow"], default="fast")
p.add_argument("--rate", type=float, required=False, metavar="R")
p.add_argument("--flag", action=argparse.BooleanOptionalAction, default=True, help="flag or not")
p.add_argument("-D", dest="defines", action="append", default=[])
p.add_argument("--version", action="version", version="%(prog)s 1.2")
g = p.add_mutually_exclusive_group()
g.add_argument("--up", action="store_true")
g.add_argument("--down", action="store_const", const=5)
print(p.format_help(), p.format_usage())
q = argparse.ArgumentParser("git")
q.add_argument("--top", action="store_true")
s = q.add_subparsers(dest="command", required=True, title="commands")
c = s.add_parser("commit", aliases=["ci"], help="record")
c.add_argument("-m", required=True)
c.set_defaults(func=len)
a = s.add_parser("add", help="add")
a.add_argument("paths", nargs="+")
for parser, line in (
    (p, ""),
    (p, "a b -vv -n 3 --mode slow --no-flag -Dx -D y --rate=1.5"),
    (p, "--verb a"),
    (p, "-- -x"),
    (p, "-n 9"),
    (p, "-n x"),
    (p, "--mode odd"),
    (p, "--up --down"),
    (p, "--nope"),
    (p, "--rate"),
    (p, "--ver"),
    (p, "-h"),
    (p, "--version"),
    (q, "commit -m hi"),
    (q, "ci -m x --top"),
    (q, "--top add a b"),
    (q, ""),
    (q, "push"),
    (q, "commit"),
    (q, "add"),
    (q, "commit -h"),
    (q, "comit -m x"),
):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            found = vars(parser.parse_args(line.split()))
        except SystemExit as error:
            found = f"exit {error.code}"
    print(repr(line), found, out.getvalue(), err.getvalue())
print(p.parse_known_args(["a", "--zzz", "1"]), p.parse_intermixed_args(["a", "-v", "b"]))
r = argparse.ArgumentParser(
    exit_on_error=False,
    argument_default=argparse.SUPPRESS,
    fromfile_prefix_chars="@",
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
)
r.add_argument("--x", type=int, default=3, help="x")
open("args.txt", "w").write("--x\n7\n")
print(r.parse_args(["@args.txt"]), r.format_help())
try:
    r.parse_args(["--x", "y"])
except argparse.ArgumentError as error:
    print(error)


def even(text):
    if int(text) % 2:
        raise argparse.ArgumentTypeError(f"{text} is odd")
    return int(text)


t = argparse.ArgumentParser("t", exit_on_error=False)
t.add_argument("n", type=even)
for value in ("4", "5", "x"):
    try:
        print(t.parse_args([value]))
    except argparse.ArgumentError as error:
        print(error)
for attempt in (
    lambda: p.add_argument("-v"),
    lambda: p.add_argument("a", "b"),
    lambda: p.add_argument("x", required=True),
    lambda: p.add_argument("--q", action="zz"),
    lambda: p.add_argument("--q", type="int"),
    lambda: p.add_argument("--w", nargs=0),
    lambda: p.add_argument("--help-me", help="%(nope)s"),
):
    try:
        attempt()
        print("fine")
    except Exception as error:
        print(type(error).__name__, error)
