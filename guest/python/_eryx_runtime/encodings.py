"""How the file of a program is encoded: PEP 263."""

import codecs
from io import BytesIO
from tokenize import detect_encoding

_compile = compile
_BOM = codecs.BOM_UTF8


def as_utf8(source: bytes, filename: str) -> bytes:
    """The program in UTF-8; as it is, if it says nothing about its encoding.

    What is wrong with what it says is raised as the compiler words it.
    """
    file = BytesIO(source)
    if not source.startswith(_BOM) and b"coding" not in file.readline() + file.readline():
        return source
    file.seek(0)
    wrong = None
    try:
        encoding, _ = detect_encoding(file.readline)
        return source.decode(encoding).encode()
    except (SyntaxError, LookupError, ValueError) as error:
        wrong = error
    _compile(source, filename, "exec", dont_inherit=True)
    raise wrong
