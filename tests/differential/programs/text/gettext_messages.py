"""gettext with a catalogue made in memory, plural forms, fallbacks."""

import gettext
import io
import struct


def catalogue(messages):
    keys = sorted(messages)
    ids = b"".join(k.encode() + b"\0" for k in keys)
    texts = b"".join(messages[k].encode() + b"\0" for k in keys)
    begin = 28 + 16 * len(keys)
    table1, table2, at1, at2 = b"", b"", begin, begin + len(ids)
    for k in keys:
        a, b = len(k.encode()), len(messages[k].encode())
        table1 += struct.pack("<II", a, at1)
        table2 += struct.pack("<II", b, at2)
        at1 += a + 1
        at2 += b + 1
    return (
        struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0)
        + table1
        + table2
        + ids
        + texts
    )


data = catalogue(
    {
        "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n",
        "hello": "grüß dich",
        "%d file\0%d files": "%d Datei\0%d Dateien",
        "menu\x04open": "Öffnen",
    }
)
t = gettext.GNUTranslations(io.BytesIO(data))
print(
    t.gettext("hello"),
    t.gettext("unknown"),
    [t.ngettext("%d file", "%d files", n) % n for n in (0, 1, 2)],
    t.pgettext("menu", "open"),
    t.charset(),
    t.info()["plural-forms"],
)
n = gettext.NullTranslations()
print(
    n.gettext("x"),
    n.ngettext("one", "many", 1),
    n.ngettext("one", "many", 5),
    gettext.gettext("y"),
    gettext.c2py("n>1")(5),
    gettext.c2py("n%10==1 && n%100!=11 ? 0 : 1")(21),
)
for bad in ("n+", "x", "n / 0 ? 1", "import os"):
    try:
        print(gettext.c2py(bad)(1))
    except Exception as error:
        print(repr(bad), type(error).__name__, error)
try:
    gettext.GNUTranslations(io.BytesIO(b"junk" * 10))
except OSError as error:
    print(error)
