"""configparser: sections, interpolation, converters, writing, and errors with line numbers."""

import configparser
import io

TEXT = """
[DEFAULT]
base = /srv
debug = no

[server]
host = example.org
port: 8080
path = %(base)s/app
multi = first
    second

    third
; comment
# other
empty =
flag = on
rate = 2.5

[paths]
home = ${server:host}/x
"""
c = configparser.ConfigParser()
c.read_string(TEXT)
s = c["server"]
print(
    c.sections(),
    s["host"],
    s.getint("port"),
    s["path"],
    repr(s["multi"]),
    repr(s["empty"]),
    s.getboolean("flag"),
    s.getfloat("rate"),
    s.get("none", "fallback"),
    c.getboolean("server", "debug"),
    dict(c["paths"]),
    c.has_option("server", "base"),
    c.options("server"),
    "server" in c,
    c.get("server", "path", raw=True),
    s.getint("zz", fallback=7),
)
c["new"] = {"A": "1", "b": "%%"}
c.set("server", "HOST", "changed")
c.remove_option("server", "multi")
c.add_section("x y")
out = io.StringIO()
c.write(out)
print(out.getvalue())
e = configparser.ConfigParser(
    interpolation=configparser.ExtendedInterpolation(),
    allow_no_value=True,
    delimiters=("=",),
    comment_prefixes=("//",),
    converters={"list": lambda v: v.split(",")},
)
e.read_string("[a]\nx = 1,2\ny = ${x}!\nalone\n// no\n[b]\nz = ${a:y}$$")
print(e["b"]["z"], e["a"]["alone"], e["a"].getlist("x"), e.items("a"))
r = configparser.RawConfigParser()
r.optionxform = str
r.read_dict({"S": {"Key": 5, "p": "%(x)s"}})
print(r["S"]["Key"], r["S"]["p"], r.read(["missing.ini"]))
u = configparser.ConfigParser(allow_unnamed_section=True)
u.read_string("top = 1\n[s]\na = 2")
print(u.get(configparser.UNNAMED_SECTION, "top"))
for text in (
    "a = 1",
    "[s]\na = 1\na = 2",
    "[s]\n[s]",
    "[s]\njunk\nmore junk",
    "[s",
    "[s]\n= 1",
    "[s]\nx = %(nope)s",
    "[s]\nx = %(x)s",
    "[s]\nx = 50%",
    "[s]\n  a\n b = 1",
):
    try:
        p = configparser.ConfigParser()
        p.read_string(text)
        print(dict(p["s"]))
    except configparser.Error as error:
        print(type(error).__name__, error)
for attempt in (
    lambda: c["zz"],
    lambda: c["server"]["zz"],
    lambda: c.get("zz", "a"),
    lambda: c.getint("server", "host"),
    lambda: c.getboolean("server", "host"),
    lambda: c.set("zz", "a", "b"),
    lambda: c.set("server", "a", 5),
    lambda: c.add_section("server"),
    lambda: c.add_section("DEFAULT"),
    lambda: c.set("server", "a", "50%"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
