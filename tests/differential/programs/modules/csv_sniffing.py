"""Sniffing dialects of several files and reading them the same way."""

import csv
import io

for text in (
    "a,b\n1,2\n3,4\n",
    "a;b\n1,5;2\n3;4\n",
    "a\tb\n1\t2\n",
    "'a'|'b'\n'x|y'|'2'\n",
    "one two\nthree four\n",
):
    try:
        dialect = csv.Sniffer().sniff(text, delimiters=",;\t| ")
        print(
            repr(dialect.delimiter), dialect.quotechar, list(csv.reader(io.StringIO(text), dialect))
        )
    except csv.Error as error:
        print(repr(text), error)
