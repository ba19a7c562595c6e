"""Turns LAPACK's Fortran into C by f2c, which knows Fortran 77 and little of what came later.

What LAPACK has of later Fortran is written as Fortran 77 first. The C is what C calls: functions
without result give none, and there are no lengths of texts behind the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Its authors' names and numbers for what is too large or small to be squared, by precision:
# digits of the fraction, and the least and the largest exponent.
_PRECISIONS = {"s": (24, -125, 128, "E0"), "d": (53, -1021, 1024, "D0")}
_KINDS = {
    "s": ("REAL", "COMPLEX"),
    "d": ("DOUBLE PRECISION", "COMPLEX*16"),
}
_LINE_END = 72
# These keep the lengths of their texts.
_WITH_LENGTHS = {
    *("ilaenv_", "ilaenv2stage_", "iparmq_", "iparam2stage_", "lsamen_"),
    *("xerbla_", "s_cmp", "s_copy", "s_cat", "i_len"),
}


# ---- Fortran 77 ----------------------------------------------------------------------------------


def _statements(text: str) -> Iterator[tuple[str, str]]:
    """Label and statement of each line of fixed form, with its continuation."""
    label, statement = "", ""
    for line in text.splitlines():
        if not line.strip() or line[0] in "*cC!":
            continue
        line = line.expandtabs()[:_LINE_END]
        if len(line) > 5 and line[5] not in " 0" and not line[:5].strip():
            statement += " " + line[6:].strip()
            continue
        if statement:
            yield label, statement
        label, statement = line[:5].strip(), _without_comment(line[6:]).strip()
    if statement:
        yield label, statement


def _without_comment(text: str) -> str:
    if text.lstrip().startswith("!"):
        return ""
    return text if "'" in text or '"' in text else text.partition("!")[0]


def _free_statements(text: str) -> Iterator[tuple[str, str]]:
    """The same for free form."""
    statement = ""
    for line in text.splitlines():
        part = _without_comment(line).strip()
        if not part:
            continue
        statement += part.rstrip("&")
        if not part.endswith("&"):
            yield "", statement
            statement = ""


def _lines(label: str, statement: str) -> Iterator[str]:
    """A statement in fixed form."""
    room = _LINE_END - 6
    first, rest = statement[:room], statement[room:]
    yield f"{label:<5} {first}"
    while rest:
        yield f"     ${rest[:room]}"
        rest = rest[room:]


_DECLARATION = re.compile(
    r"(CHARACTER|COMPLEX(?:\*16)?|DOUBLE PRECISION|INTEGER|LOGICAL|REAL|EXTERNAL|INTRINSIC)"
    r"((?:\s*,\s*(?:INTENT\s*\([^)]*\)|EXTERNAL))*)\s*::\s*(.*)",
    re.I,
)
_LATER = r"HUGE|MAXLOC|CEILING|TRANSFER|EPSILON|EXPONENT"
_INTRINSIC = re.compile(r"INTRINSIC\s+(.*)", re.I)


def _simple(statement: str, kind: str) -> Iterator[str]:
    """What one statement is in Fortran 77."""
    statement = re.sub(r"^RECURSIVE\s+", "", statement, flags=re.I)
    statement = re.sub(r"^CHARACTER\s*\(1\)", "CHARACTER*1", statement, flags=re.I)
    if found := _DECLARATION.fullmatch(statement):
        name, attributes, names = found.groups()
        yield f"{name} {names}"
        if "EXTERNAL" in attributes.upper():
            yield f"EXTERNAL {names}"
        return
    if found := _INTRINSIC.fullmatch(statement):
        names = [each.strip() for each in found[1].split(",")]
        kept = [each for each in names if not re.fullmatch(_LATER, each, re.I)]
        if kept:
            yield f"INTRINSIC {', '.join(kept)}"
        return
    if found := re.fullmatch(r"(\w+)\s*\(\s*1\s*:\s*(\d+)\s*\)\s*=\s*0", statement):
        yield from (f"{found[1]}({index}) = 0" for index in range(1, int(found[2]) + 1))
        return
    # By their first letter these are functions that give an integer (lapack_later.c).
    real = "S" if kind in "sc" else "D"
    statement = re.sub(
        r"MAXLOC\s*\(\s*WORK\s*\(\s*(.+?)\s*:\s*(.+?)\s*\)\s*,\s*1\s*\)",
        rf"MAXLC{real}( \2-(\1)+1, WORK( \1 ) )",
        statement,
        flags=re.I,
    )
    statement = re.sub(r"\bCEILING\s*\(", f"LCEIL{real}(", statement, flags=re.I)
    largest = {"S": "3.40282347E+38", "D": "1.7976931348623157D+308"}[real]
    statement = re.sub(r"\bHUGE\s*\(\s*ZERO\s*\)", largest, statement, flags=re.I)
    if kind == "z":
        # In Fortran 77 these are for single precision.
        statement = re.sub(r"\bAIMAG\s*\(", "DIMAG(", statement, flags=re.I)
        statement = re.sub(r"\bREAL\s*\(", "DBLE(", statement, flags=re.I)
        statement = re.sub(r"\bCMPLX\s*\(", "DCMPLX(", statement, flags=re.I)
        statement = re.sub(r"\bCONJG\s*\(", "DCONJG(", statement, flags=re.I)
    yield statement


class _Loops:
    """EXIT and CYCLE as jumps."""

    def __init__(self) -> None:
        # Where CYCLE goes, and EXIT; the labels of the program's own are below.
        self._open: list[tuple[str, str]] = []
        self._next = 90000

    def lines(self, label: str, statement: str) -> Iterator[str]:
        if found := re.match(r"DO\s+(\d+)\b", statement, re.I):
            self._open.append((found[1], ""))
        elif re.match(r"DO(\s+(WHILE\b|\w+\s*=)|$)", statement, re.I):
            self._open.append((str(self._next), str(self._next + 1)))
            self._next += 2
        if re.fullmatch(r"END\s*DO", statement, re.I):
            end, behind = self._open.pop()
            yield from _lines(end, "CONTINUE")
            yield from _lines(label, "END DO")
            yield from _lines(behind, "CONTINUE")
            return
        if self._open:
            end, behind = self._open[-1]
            statement = re.sub(r"\bCYCLE$", f"GO TO {end}", statement, flags=re.I)
            if behind:
                statement = re.sub(r"\bEXIT$", f"GO TO {behind}", statement, flags=re.I)
        yield from _lines(label, statement)
        while label and self._open and self._open[-1][0] == label:
            self._open.pop()


def fortran77(name: str, text: str) -> str:
    """A file of LAPACK in Fortran 77. name: of its function."""
    kind = name[0]
    loops = _Loops()
    lines: list[str] = []
    for label, statement in _statements(text):
        for number, each in enumerate(_simple(statement, kind)):
            # f2c lets nothing call itself, so it calls one whose name is put right in C.
            each = re.sub(rf"^(.*\bCALL\s+){name}\b", rf"\g<1>{name}Q", each, flags=re.I)
            lines += loops.lines("" if number else label, each)
    return "\n".join([*lines, ""])


def of_free_form(name: str, text: str) -> str:
    """The same for one of the few files in free form: xLARTG and xLASSQ."""
    kind = name[0]
    precision = "s" if kind in "sc" else "d"
    real, cplx = _KINDS[precision]
    digits, least, largest, suffix = _PRECISIONS[precision]

    def power(exponent: int) -> str:
        return f"2{'.' + suffix}**({exponent})"

    numbers = {
        "zero": f"0.{suffix}",
        "half": f"0.5{suffix}",
        "one": f"1.{suffix}",
        "two": f"2.{suffix}",
        "safmin": power(max(least - 1, 1 - largest)),
        "safmax": power(-max(least - 1, 1 - largest)),
        "tsml": power(-((1 - least) // 2)),
        "tbig": power((largest - digits + 1) // 2),
        "ssml": power(-((least - digits) // 2)),
        "sbig": power(-((largest + digits - 1 + 1) // 2)),
    }
    lines: list[str] = []
    for label, statement in _free_statements(text):
        statement = re.sub(r"\breal\(wp\)\s*(::)?", f"{real} ", statement, flags=re.I)
        statement = re.sub(r"\bcomplex\(wp\)\s*(::)?", f"{cplx} ", statement, flags=re.I)
        statement = re.sub(r"^(integer|logical)\s*::", r"\1 ", statement, flags=re.I)
        statement = re.sub(r"LA_ISNAN\((\w+)\)", r"(\1 .NE. \1)", statement, flags=re.I)
        for sign, word in ((">=", "GE"), ("<=", "LE"), ("==", "EQ"), (">", "GT"), ("<", "LT")):
            statement = statement.replace(sign, f" .{word}. ")
        statement = re.sub(r"^elseif", "else if", statement)
        if re.match(r"use\b", statement, re.I):
            if "LA_CONSTANTS" in statement.upper():
                names = [each for each in numbers if re.search(rf"\b{each}\b", statement)]
                lines += _lines("", f"{real} {', '.join(names)}")
                given = ", ".join(f"{each} = {numbers[each]}" for each in names)
                lines += _lines("", f"PARAMETER ({given})")
                if re.search(r"\bczero\b", statement):
                    lines += _lines("", f"{cplx} czero")
                    lines += _lines("", f"PARAMETER (czero = (0.{suffix}, 0.{suffix}))")
            continue
        if re.match(r"intrinsic\b", statement, re.I):
            continue
        if statement.lower().startswith("end subroutine"):
            statement = "END"
        for each in _simple(statement, kind):
            lines += _lines(label, each)
    return "\n".join([*lines, ""])


# ---- C -------------------------------------------------------------------------------------------

_LENGTH = re.compile(r",\s*(?:\(\s*ftnlen\s*\)\s*\d+|ftnlen(?:\s+\w+)?|\w+_len)\s*(?=[,)])")
_KEPT = re.compile(rf"\b(?:{'|'.join(sorted(_WITH_LENGTHS))})\(")


def _end_of(text: str, start: int) -> int:
    """Where the parenthesis ends that is open at start."""
    depth = 1
    while depth:
        character = text[start]
        if character == '"':
            start = text.index('"', start + 1)
        depth += (character == "(") - (character == ")")
        start += 1
    return start - 1


def without_lengths(text: str) -> str:
    """C of f2c without the lengths of texts, which C does not give."""
    if "ftnlen" not in text:
        return text
    found: list[str] = []
    position = 0
    for match in _KEPT.finditer(text):
        end = _end_of(text, match.end())
        found += [_LENGTH.sub("", text[position : match.end()]), text[match.end() : end]]
        position = end
    return "".join([*found, _LENGTH.sub("", text[position:])])


def c_of(name: str, text: str) -> str:
    """What f2c made, as it is called from C."""
    text = text.replace(f"{name}q_", f"{name}_")
    text = re.sub(r"\bcomplex\b", "singlecomplex", text)
    # Names with underscores get one more than others.
    text = re.sub(r"\b([a-z]\w*_\w+)__(?=\()", r"\1_", text)
    text = without_lengths(text)
    # Subroutines give nothing, and functions their own variable.
    text = re.sub(r"/\* Subroutine \*/ int (?!s_)", "/* Subroutine */ void ", text)
    return text.replace("return 0;", "return;")
