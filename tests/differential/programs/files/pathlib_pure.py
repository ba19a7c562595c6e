"""Pure paths: parts, joins, relatives, matching, suffixes, comparison."""

from pathlib import PurePath, PurePosixPath as P, PureWindowsPath as W

p = P("/usr/local/lib/python3.tar.gz")
print(
    p.parts,
    p.parent,
    list(map(str, p.parents)),
    p.name,
    p.stem,
    p.suffix,
    p.suffixes,
    p.anchor,
    p.root,
    p.is_absolute(),
    p.as_uri(),
    repr(p),
    p / "x" / ".." / "y",
    p / "/abs",
    p.with_name("a.b"),
    p.with_suffix(".zip"),
    p.with_suffix(""),
    p.with_stem("new"),
    p.joinpath("a", "b/c"),
    p.relative_to("/usr"),
    p.is_relative_to("/var"),
)
print(
    P("a//b/./c/"),
    P("."),
    P(""),
    P("a/../b"),
    P("a") == P("a/"),
    P("A") < P("b"),
    hash(P("a")) == hash(P("a/.")),
    P("a/b").relative_to("a/c", walk_up=True),
    P("x.tar").match("*.tar"),
    P("a/b/c.py").match("b/*.py"),
    P("a/b/c.py").full_match("a/**/*.py"),
    P("/a/b.py").match("/*.py"),
    P("C.PY").match("*.py"),
    P("C.PY").match("*.py", case_sensitive=False),
    P(".hidden").suffix,
    P("a.").suffix,
    P("a.b.").suffixes,
    P("..").name,
    str(P("//a/b")),
    P("///a"),
    P("a").parent,
    P("/").parent,
    P("a/b").as_posix(),
)
w = W("C:\\Users\\Ann\\file.txt")
print(
    w.parts,
    w.drive,
    w.root,
    w.as_posix(),
    w.with_suffix(".md"),
    W("c:/users") == W("C:\\USERS"),
    w.relative_to("c:\\users"),
    W("a/b\\c"),
    W("//server/share/x").drive,
    W("C:x").is_absolute(),
    w / "D:\\y",
    W("nul").is_reserved() if hasattr(W, "is_reserved") and False else "",
    w.as_uri(),
)
for attempt in (
    lambda: p.relative_to("/var"),
    lambda: p.with_name(""),
    lambda: p.with_name("a/b"),
    lambda: p.with_suffix("x"),
    lambda: P("/").with_name("x"),
    lambda: P("a").as_uri(),
    lambda: P("a") / 5,
    lambda: P(5),
    lambda: P("a") < W("a"),
    lambda: P("a").match(""),
    lambda: P("a/b").relative_to("../c", walk_up=True),
    lambda: p.parents[9],
    lambda: P(b"x"),
    lambda: P("a").with_stem(""),
    lambda: P("a") + "b",
    lambda: P("/a").full_match(""),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
print(
    sorted([P("b"), P("a/z"), P("a")]),
    PurePath("a").__class__.__name__,
    P("a", "b", "c"),
    P("a").joinpath(),
    P(P("x"), "y"),
    P("/a b/ü").as_uri(),
    P("x/y").parents[0],
    P("a/b/c").parents[-1],
    P("a/b/c").parents[:2],
)
