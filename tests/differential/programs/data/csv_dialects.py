"""csv: reading and writing, quoting rules, dialects, sniffing, DictReader, errors."""

import csv
import io

rows = [
    ["plain", 'with "quotes"', "comma, here", "new\nline", ""],
    [1, 2.5, None, True, "é"],
    [" lead", "trail ", "'single'", "tab\t", "\r"],
]
for quoting in ("QUOTE_MINIMAL", "QUOTE_ALL", "QUOTE_NONNUMERIC", "QUOTE_STRINGS", "QUOTE_NOTNULL"):
    out = io.StringIO()
    csv.writer(out, quoting=getattr(csv, quoting)).writerows(rows)
    print(quoting, repr(out.getvalue()))
out = io.StringIO()
csv.writer(
    out, delimiter=";", quotechar="'", lineterminator="\n", escapechar="\\", doublequote=False
).writerows(rows)
csv.writer(out, quoting=csv.QUOTE_NONE, escapechar="\\", lineterminator="|").writerow(
    ["a,b", 'c"d', "e\\f"]
)
print(repr(out.getvalue()))
for text in (
    'a,b,c\r\n1,"x, y",3\n',
    '"he said ""hi""",2\n',
    "a,,\n,,\n\nb\n",
    '"multi\nline",1\n',
    'a"b,c\n',
    '"a"b,c\n',
    ' a, b ,"c"\n',
    '"unclosed,1\n',
    "x\ry\r",
    "a;b\tc\n",
):
    print(repr(text), list(csv.reader(io.StringIO(text, newline=""))))
print(
    list(csv.reader(["a b", "'c d' e"], delimiter=" ", quotechar="'")),
    list(csv.reader(['1,"2",3.5'], quoting=csv.QUOTE_NONNUMERIC)),
    list(csv.reader(["a, b"], skipinitialspace=True)),
    list(csv.reader(["a\\,b,c"], escapechar="\\")),
    list(csv.reader(['"a","",2,'], quoting=csv.QUOTE_STRINGS)),
    list(csv.reader(["a,,1"], quoting=csv.QUOTE_NOTNULL)),
)
reader = csv.DictReader(io.StringIO("name,age\nAnn,30\nBob\nCy,1,extra,more\n"), restval="?")
print(reader.fieldnames, list(reader), reader.line_num)
out = io.StringIO()
w = csv.DictWriter(out, ["b", "a"], restval="-", extrasaction="ignore", lineterminator="\n")
w.writeheader()
w.writerows([{"a": 1, "b": 2}, {"a": 3, "z": 9}])
print(out.getvalue())


class Pipes(csv.Dialect):
    delimiter = "|"
    quotechar = "~"
    lineterminator = "\n"
    quoting = csv.QUOTE_MINIMAL


csv.register_dialect("pipes", Pipes)
csv.register_dialect("semi", delimiter=";")
print(
    sorted(csv.list_dialects()),
    list(csv.reader(["a|~b|c~"], "pipes")),
    csv.get_dialect("semi").delimiter,
    list(csv.reader(["1;2"], dialect="semi")),
)
for sample in (
    "a;b;c\n1;2;3\n4;5;6\n",
    "name\tage\nAnn\t30\nBob\t25\n",
    "'a','b'\n'c','d'\n",
    "x|y|z\n1|2|3\n",
):
    d = csv.Sniffer().sniff(sample)
    print(repr(d.delimiter), repr(d.quotechar), csv.Sniffer().has_header(sample))
attempts = [
    lambda: csv.Sniffer().sniff("nothing here"),
    lambda: csv.reader(["a"], "nope"),
    lambda: csv.reader(["a"], delimiter=",,"),
    lambda: csv.reader(["a"], delimiter=""),
    lambda: csv.reader(["a"], quotechar=5),
    lambda: list(csv.reader(["a\0b"])),
    lambda: list(csv.reader([b"a"])),
    lambda: csv.reader(5),
    lambda: csv.writer(5),
    lambda: csv.writer(io.StringIO()).writerow(5),
    lambda: csv.writer(io.StringIO(), quoting=csv.QUOTE_NONE).writerow(["a,b"]),
    lambda: csv.DictWriter(io.StringIO(), ["a"]).writerow({"a": 1, "zz": 2}),
    lambda: list(csv.reader(['a,"b" c'], strict=True)),
    lambda: list(csv.reader(['"a'], strict=True)),
    lambda: list(csv.reader(["a,1"], quoting=csv.QUOTE_NONNUMERIC)),
    lambda: csv.writer(io.StringIO()).writerow([]),
    lambda: csv.writer(io.StringIO(), quoting=99),
    lambda: csv.field_size_limit("a"),
    lambda: csv.unregister_dialect("zz"),
    lambda: csv.register_dialect("x", delimiter="\n"),
    lambda: list(csv.reader(["x" * 140000])),
    lambda: csv.reader(["a"], foo=1),
    lambda: csv.writer(io.StringIO(), delimiter=" ", skipinitialspace=True),
]
for number, each in enumerate(attempts):
    try:
        print(number, str(each())[:40].split(" object")[0])
    except Exception as error:
        print(number, type(error).__name__, error)
