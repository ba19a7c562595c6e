"""Methods of str, one after the other, with ordinary and odd arguments."""

s = "  Hello, World!\tThe end\n"
print(repr(s.strip()), repr(s.lstrip()), repr(s.rstrip()), s.strip(" \n!dne").encode())
print(
    "a,b,,c".split(","),
    "a,b,,c".split(",", 1),
    "a,b,,c".rsplit(",", 1),
    " a  b ".split(),
    "".split(),
    "".split(","),
)
print(
    "one\ntwo\r\nthree\x0bfour\x85five\u2028six".splitlines(), "a\n\nb\n".splitlines(keepends=True)
)
print(
    "abcabc".find("c"),
    "abcabc".rfind("c"),
    "abcabc".index("b", 2),
    "abc".find("z"),
    "abcabc".count("bc"),
    "aaa".count("aa"),
    "abc".count(""),
)
print("a-b-c".partition("-"), "a-b-c".rpartition("-"), "abc".partition("-"), "abc".rpartition("-"))
print(
    "abc".replace("b", "XX"),
    "aaaa".replace("a", "b", 2),
    "abc".replace("", "-"),
    "aaa".replace("a", "b", count=1),
)
print(
    "title case it's".title(),
    "SwapCase".swapcase(),
    "capital".capitalize(),
    "ßtraße".upper(),
    "ΑΣ".lower(),
    "İ".lower().encode(),
    "ﬁ".title(),
)
print(
    "x".center(7, "*"),
    "x".ljust(4) + "|",
    "x".rjust(4, "."),
    "-42".zfill(6),
    "+1".zfill(4),
    "ab".zfill(1),
    "abc".center(6, "-"),
)
print("a\tbc\td".expandtabs(), "a\tb".expandtabs(4), "\t".expandtabs(0) == "")
print("prefix-body".removeprefix("prefix-"), "body.txt".removesuffix(".txt"), "x".removesuffix(""))
print(
    "abc".translate({97: "A", 98: None, 99: 0x43}),
    "hello".translate(str.maketrans("el", "ip", "o")),
    str.maketrans({"a": 1, 98: "x"}),
)
print(
    "abc".startswith(("x", "a")),
    "abc".endswith("bc", 1),
    "abc".startswith("", 5),
    "abc".startswith("c", -1),
)
for method in (
    "isalpha",
    "isdigit",
    "isdecimal",
    "isnumeric",
    "isalnum",
    "isspace",
    "isupper",
    "islower",
    "istitle",
    "isidentifier",
    "isprintable",
    "isascii",
):
    print(
        method,
        [
            getattr(each, method)()
            for each in (
                "abc",
                "12",
                "½",
                "²",
                "٣",
                "A1",
                " \t",
                "Ab",
                "",
                "é",
                "\x00",
                "x_1",
                "Hello World",
            )
        ],
    )
print(
    "-".join(["a", "b"]), "".join([]), ", ".join("xyz"), "%s" % ("a",), "ab" * 3, "ab" * -1, 3 * "x"
)
print(
    "{0} {1} {0}".format("a", "b"),
    "{x[k]} {y.real}".format(x={"k": 1}, y=3),
    "{:>{w}}".format("r", w=5),
    "{!r:>6}".format("q"),
    "{{}}".format(),
)
print("{a}".format_map({"a": 1}), "a" < "b" < "ba", "Z" < "a", "é" > "z", "" < "a")
print(
    "abcdef"[::-1],
    "abcdef"[-2:],
    "abcdef"[1:100],
    "abcdef"[4:1:-2],
    "abc"[5:],
    "x" in "xyz",
    "" in "",
)
print(
    "casefold ß İ".casefold(),
    "ab".encode("utf-16"),
    "é".encode("latin-1"),
    "é".encode("ascii", "replace"),
    "日本".encode("ascii", "xmlcharrefreplace"),
    "日".encode("ascii", "namereplace"),
)
attempts = [
    lambda: "abc".index("z"),
    lambda: "a".join([1]),
    lambda: "a".split(""),
    lambda: "a".center(5, "xx"),
    lambda: "é".encode("ascii"),
    lambda: "{}{}".format(1),
    lambda: "{a}".format(b=1),
    lambda: "{0}{}".format(1, 2),
    lambda: "{".format(),
    lambda: "}".format(),
    lambda: "{!x}".format(1),
    lambda: "{.a}".format(1),
    lambda: "{[}".format(1),
    lambda: "a".encode("nothing"),
    lambda: "a" in 5,
    lambda: 5 in "a",
    lambda: "abc".translate(5),
    lambda: "a" * 2.0,
    lambda: "a".partition(""),
    lambda: str(b"x", "ascii", "strict", 1),
    lambda: str.maketrans("ab", "c"),
    lambda: chr(0x110000),
    lambda: ord("ab"),
    lambda: "x".zfill("a"),
    lambda: "a"[1.0],
]
for each in attempts:
    try:
        print(repr(each()))
    except Exception as error:
        print(type(error).__name__, error)
