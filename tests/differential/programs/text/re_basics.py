"""Regular expressions: groups, flags, look-around, substitution, splitting, scanning."""

import re

log = "2024-03-01 12:00:01 ERROR [db] Connection lost (code=17)\n2024-03-01 12:00:05 INFO [web] ok\nbroken line\n"
pattern = re.compile(
    r"^(?P<date>\d{4}-\d\d-\d\d) (?P<time>[\d:]+) (?P<level>[A-Z]+) \[(?P<unit>\w+)\] (?P<text>.*?)(?: \(code=(\d+)\))?$",
    re.M,
)
for m in pattern.finditer(log):
    print(
        m.groupdict(),
        m.span("level"),
        m.lastgroup,
        m.lastindex,
        m[6],
        m.start(6),
        m.expand(r"\g<unit>:\3"),
    )
print(pattern.groups, dict(pattern.groupindex), pattern.flags, pattern)
print(
    re.findall(r"(\w)(\d)", "a1 b2 c3"),
    re.findall(r"\d+", "1 22 333"),
    re.findall(r"(a)|b", "ab"),
    re.findall(r"", "ab"),
)
print(
    re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"),
    re.sub("a", lambda m: m[0].upper() + str(m.start()), "banana"),
    re.subn("n", "", "banana", count=1),
    re.sub(r"x*", "-", "abxd"),
)
print(
    re.split(r"[,;]\s*", "a, b;c,,d"),
    re.split(r"(\d)", "a1b2c", maxsplit=1),
    re.split(r"\b", "two words"),
    re.split(r"(x)|y", "axbyc"),
)
print(re.match("b", "ab"), re.search("b", "ab"), re.fullmatch("a|ab", "ab"), bool(re.match("", "")))
print(
    re.search(r"(?<=\$)\d+(?!\d|\.)", "cost $15.99 or $20").group(),
    re.search(r"(?<!a)b", "ab bb").start(),
    re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", "1234567"),
)
print(
    re.findall(r"(?i)straße|ß", "STRASSE Straße ß ẞ"),
    re.findall(r"\w+", "naïve café 日本 x_1", re.A),
    re.findall(r"\w+", "naïve café 日本 x_1"),
)
print(
    re.search(r"a.c", "a\nc"),
    re.search(r"a.c", "a\nc", re.S).group(),
    re.findall("^x", "x\nx\ny", re.M),
    re.search(r"\Ax\Z", "x\n"),
)
print(
    re.search(
        r"""
    (\d+)   # number
    \s* [#] # a literal sign
""",
        "12 #",
        re.X,
    ).groups()
)
print(
    re.match(r"(a(b)?)+", "abaab").groups(),
    re.match(r"(?:(a)|b)*", "ab").groups(),
    re.match(r"(?P<x>a)(?P=x)(?(x)b|c)", "aab").group(),
    re.match(r"(?>a+)ab", "aaab"),
    re.match(r"a++b", "aaab").group(),
    re.match(r"a*?b", "aaab").span(),
)
print(re.escape("a.b*c?[x] $1-2 é\n"), re.compile("x", re.I | re.M), repr(re.I | re.S), re.NOFLAG)
print(
    re.compile(rb"\w+").findall(b"ab \xff cd"),
    re.match(r"\N{DIGIT ONE}\u0032\x33", "123").group(),
    re.match(r"[\w.-]+@[\w-]+\.\w{2,}", "a.b-c@ex-ample.org rest").group(),
)
m = re.match(r"(..)(..)", "abcdef", 0)
print(
    m.groups(),
    m.regs,
    m.string,
    m.pos,
    m.endpos,
    m.re.pattern,
    m,
    m.group(1, 2),
    m.end(),
    pattern.match("x", 1),
)
print(re.search("(?s:.)(?-i:a)", "xA\na", re.I), [x.group() for x in re.finditer("a|", "ab")])
scanner = re.Scanner([(r"\d+", lambda s, t: int(t)), (r"[a-z]+", lambda s, t: t), (r"\s+", None)])
print(scanner.scan("12 abc 3 !rest"))
print(
    re.compile("a") == re.compile("a"),
    re.compile("a") == re.compile("b"),
    re.template if hasattr(re, "template") else "no template",
)
