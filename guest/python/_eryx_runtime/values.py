"""The value of the last expression of a program: how its code keeps it, for the end of the run.

The compiler is asked which statement is the last one, by its tree. That takes as long again as to
compile the program, so most programs are told from their code: one that ends with anything but
dropping a value has none, and one whose last instruction belongs to an expression at the start of a
line, or behind a semicolon, gives the value back where it drops it.
"""

import opcode
import warnings
from _ast import Assign, Expr, Module, Name, Store
from types import CodeType
from typing import Any

# What keeps the value in the globals of a program, which cannot have that name itself.
_PLACE = "<value>"

_ALLOW_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST
_IS_COROUTINE = 0x80  # inspect.CO_COROUTINE

_POP = opcode.opmap["POP_TOP"]
_LOAD = opcode.opmap["LOAD_CONST"]
_RETURN = opcode.opmap["RETURN_VALUE"]
# What an import and an annotation end with, before they drop the module and the set of those seen.
_OTHERS = frozenset(
    opcode.opmap[name] for name in ("STORE_NAME", "STORE_GLOBAL", "CALL_INTRINSIC_1", "SET_ADD")
)
_NOTHING = opcode.opmap["NOP"]
_GIVE_BACK = bytes((_NOTHING, 0, _NOTHING, 0, _RETURN, 0))
_END_BYTES = 4  # of LOAD_CONST None, RETURN_VALUE

# How the last line can begin if the compiler has left the last expression out, as a constant.
_CONSTANT_STARTS = (
    *"0123456789\"'+-~.([{",
    *("True", "False", "None", "not ", "__debug__"),
    *(prefix + quote for prefix in "bBrRuUfFtT" for quote in "\"'"),
    *(one + other + quote for one in "bBfF" for other in "rR" for quote in "\"'"),
    *(other + one + quote for one in "bBfF" for other in "rR" for quote in "\"'"),
)

_QUOTES = ('"""', "'''")  # how one of several lines can end

# How a line can end that the first column of the next line goes on with.
_GOES_ON = ("(", "\\", "and", "or", "else")

# What the last line has if it takes a closer look: strings, comments, heads of other statements,
# other brackets, and choices that the compiler may have made already.
_NOT_PLAIN = ("'", '"', "#", ":", "[", "]", "{", "}", "if")

# How lines may belong together, besides by brackets.
_OVER_LINES = ("\\\n", *_QUOTES, "\r", "\f")

# What may stand before a bracket and calls nothing.
_NOT_CALLED = ("assert", "not", "del", "None", "True", "False", "__debug__")

_compile = compile
_Warnings = warnings.catch_warnings
_ignore = warnings.simplefilter


class _State:
    """Of the present program."""

    is_returned = False  # its code gives the value back
    is_placed = False  # it puts it into its globals


_state = _State()


def keep(program: CodeType, text: str, name: str) -> CodeType:
    """Give the same program such that it keeps the value of its last expression."""
    _state.is_returned = _state.is_placed = False
    code = program.co_code
    if _POP not in code:
        return _by_tree(program, text, name) if _may_be_constant(text) else program
    end = bytes((_LOAD, program.co_consts.index(None), _RETURN, 0)) if _has_end(program) else b""
    at, exits, drops = code.find(end), 0, False
    while at >= 0 and end:
        if at % 2 == 0:
            exits += 1
            drops = drops or (at >= 2 and code[at - 2] == _POP)
        at = code.find(end, at + 1)
    if not drops:
        return _by_tree(program, text, name) if _may_be_constant(text) else program
    size = len(code)
    if (
        exits == 1
        and code.endswith(end)
        and not program.co_flags & _IS_COROUTINE
        and code[size - _END_BYTES - 4] not in _OTHERS
        and _is_statement(program, text)
    ):
        _state.is_returned = True
        return program.replace(co_code=code[: size - _END_BYTES - 2] + _GIVE_BACK)
    return _by_tree(program, text, name)


def keep_nothing(program: CodeType) -> CodeType:
    """Give the program as it is: its values are shown otherwise, or not at all."""
    _state.is_returned = _state.is_placed = False
    return program


def _has_end(program: CodeType) -> bool:
    """Whether the end of the program can be told from other code."""
    constants = program.co_consts
    return None in constants and constants.index(None) < 256


def _may_be_constant(text: str) -> bool:
    """Whether the program may end with an expression that is left out, being a constant."""
    stripped = text.rstrip()
    start = _line_start(stripped)
    while start and stripped[start:].lstrip().startswith("#"):
        stripped = stripped[:start].rstrip()
        start = _line_start(stripped)
    if stripped[start:].lstrip("\f").startswith(_CONSTANT_STARTS) or stripped.endswith(_QUOTES):
        return True
    after = stripped.rfind(";", start) + 1
    return after > 0 and stripped[after:].lstrip().startswith(_CONSTANT_STARTS)


def _line_start(text: str) -> int:
    """Where the last line begins."""
    return max(text.rfind("\n"), text.rfind("\r")) + 1


def _is_statement(program: CodeType, text: str) -> bool:
    """Whether the value that is dropped at the end is that of the last statement of the module.

    That is so if it begins in the first column of a line that goes on with nothing, or behind a
    semicolon where no colon has begun anything else, and there is nothing but space and comments
    behind it.
    """
    if not ("\n" in text or "\r" in text or ";" in text or ":" in text):
        return True  # there is but one
    if _ends_with_call(text):
        return True
    line, end_line, column, end_column = list(program.co_positions())[-4]
    if column is None or line is None or end_line is None or "\r" in text or "\f" in text:
        return False
    lines = text.split("\n")
    rest = [lines[end_line - 1].encode()[end_column:].decode(), *lines[end_line:]]
    if not all(_is_empty(each) for each in rest):
        return False
    if column != 0:
        lines[line - 1 :] = [lines[line - 1].encode()[:column].decode()]
        return lines[-1].rstrip().endswith(";") and not any(":" in each for each in lines)
    for before in reversed(lines[: line - 1]):
        if not _is_empty(before):
            comment = before.find("#")
            return not (
                before.rstrip().endswith(_GOES_ON)
                or (comment > 0 and before[:comment].rstrip().endswith(_GOES_ON))
            )
    return True


def _ends_with_call(text: str) -> bool:
    """Whether the last line is plainly statements of the module, the last of which calls something.

    To ask the code for positions takes as long as half of the compilation.
    """
    text = text.rstrip("\n ")
    line = text[text.rfind("\n") + 1 :]
    if line[-1:] != ")" or line.count("(") != line.count(")"):
        return False
    if any(map(line.__contains__, _NOT_PLAIN)) or any(map(text.__contains__, _OVER_LINES)):
        return False
    called = line[line.rfind(";") + 1 :].lstrip(" ").partition("(")[0]
    at_start = line[:1] not in (" ", "\t")
    return at_start and called.replace(".", "").isidentifier() and called not in _NOT_CALLED


def _is_empty(line: str) -> bool:
    line = line.strip()
    return not line or line[0] == "#"


def _by_tree(program: CodeType, text: str, name: str) -> CodeType:
    """Let the compiler say what is last, and put its value into the globals."""
    try:
        with _Warnings():  # they have been shown
            _ignore("ignore")
            tree: Module = _compile(
                text, name, "exec", _ALLOW_TOP_LEVEL_AWAIT | _ONLY_TREE, dont_inherit=True
            )
            last = tree.body[-1] if tree.body else None
            if type(last) is not Expr:
                return program
            tree.body[-1] = _assignment(last)
            made: CodeType = _compile(tree, name, "exec", _ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except Exception:
        return program  # which is too large to be looked at twice
    _state.is_placed = True
    return made


def _assignment(last: Expr) -> Assign:
    place: dict[str, Any] = {
        "lineno": last.lineno,
        "col_offset": last.col_offset,
        "end_lineno": last.end_lineno,
        "end_col_offset": last.end_col_offset,
    }
    return Assign([Name(_PLACE, Store(), **place)], last.value, **place)


def take(returned: object, names: dict[str, Any]) -> object:
    """Give the value of a program that has ended; None if there is none.

    returned: what its code has given back; names: its globals.
    """
    if _state.is_returned:
        return returned
    return names.pop(_PLACE, None) if _state.is_placed else None


def is_returned() -> bool:
    """Whether what the code has given back is the value and nothing to be run."""
    return _state.is_returned
