"""The source of a program, which stays with its code: a file name that brings its text along.

All programs of a session have the same name, but each has it as an object of its own. Code refers
to it for as long as it lives, in frames, tracebacks, functions and warnings, through forks and
saved sessions; when the last code of a program goes, its text goes too.
"""

import inspect
import io
import linecache
import marshal
import sys
from _imp import _fix_co_filename  # type: ignore[import-not-found]
from collections import deque
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

# Characters of the programs that are kept for the sake of classes, which do not refer to any code
# if they have no methods.
_MOST_KEPT = 256 * 1024

_CO_OPTIMIZED_OR_NEWLOCALS = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS

_StringIO = io.StringIO
_dumps = marshal.dumps
_dump = marshal.dump
_loads = marshal.loads
_version = marshal.version
_lines_of_file = linecache.getlines
_file_of = inspect.getfile
_modules = sys.modules


class SourceName(str):
    """The name of a program, which looks like any text, with its source."""

    __slots__ = ("classes", "source")

    source: str
    classes: frozenset[tuple[str, int]]  # qualified name and first line of each class in it

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Be a plain text for pickle and copy."""
        return str, (str.__str__(self),)


class _State:
    """The lines that were asked for last, and the sources that are kept for classes."""

    last: SourceName | None = None
    lines: list[str]
    with_classes: deque[SourceName]
    size = 0  # of those


_state = _State()
_state.lines = []
_state.with_classes = deque()


def clear() -> None:
    """Keep no source for classes any more."""
    _state.last, _state.lines = None, []
    _state.with_classes.clear()
    _state.size = 0


def make_name(shown: str, source: str) -> SourceName:
    """Give the file name to compile a program with."""
    name = SourceName(shown)
    name.source = source
    name.classes = frozenset()
    return name


def _code_inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _code_inside(constant)


def remember_classes(code: CodeType, name: SourceName) -> None:
    """Let inspect find the source of the classes of a program that was compiled with the name."""
    if "class" not in name.source:
        return
    name.classes = frozenset(
        (inside.co_qualname, inside.co_firstlineno)
        for inside in _code_inside(code)
        if not inside.co_flags & _CO_OPTIMIZED_OR_NEWLOCALS
    )
    _keep(name)


def _keep(name: SourceName) -> None:
    if not name.classes:
        return
    kept = _state.with_classes
    kept.append(name)
    _state.size += len(name.source)
    while _state.size > _MOST_KEPT:
        _state.size -= len(kept.popleft().source)


def complete(error: SyntaxError) -> None:
    """Give an error in a program its line, if it comes from the compiler.

    The parser has the text at hand; the compiler looks for it in the file system.
    """
    name, line = error.filename, error.lineno
    if error.text is not None or type(name) is not SourceName or line is None:
        return
    lines = _getlines(name)
    if 0 < line <= len(lines):
        error.text = lines[line - 1]
        place = (name, line, error.offset, error.text, error.end_lineno, error.end_offset)
        error.args = (error.msg, place)


def find(code: CodeType) -> SourceName | None:
    """Give the source of code, or None if it is not a program's."""
    name = code.co_filename
    return name if type(name) is SourceName else None


# ---- What the standard library asks --------------------------------------------------------------


def _getlines(filename: str, module_globals: dict[str, Any] | None = None) -> list[str]:
    """linecache.getlines() that knows programs."""
    if type(filename) is not SourceName:
        return _lines_of_file(filename, module_globals)
    if _state.last is not filename:
        lines = _StringIO(filename.source, newline=None).readlines()
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        _state.last, _state.lines = filename, lines
    return _state.lines


def _functions(made: type) -> Iterator[FunctionType]:
    for member in vars(made).values():
        if isinstance(member, (classmethod, staticmethod)):
            member = member.__func__
        elif isinstance(member, property):
            member = member.fget
        if isinstance(member, FunctionType):
            yield member


def _is_reachable(made: type) -> bool:
    """Whether the program finds this very class under its name."""
    found: Any = _modules.get(made.__module__)
    for part in made.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is made


def find_class(made: type) -> SourceName | None:
    """Give the source that a class was made by, or None if that is not sure."""
    place = (made.__qualname__, vars(made).get("__firstlineno__"))
    for function in _functions(made):
        name = find(function.__code__)
        if name is not None and place in name.classes:
            return name
    names = [name for name in reversed(_state.with_classes) if place in name.classes]
    if len({name.source for name in names}) > 1 and not _is_reachable(made):
        return None  # one of several that were made in the same place of different programs
    return names[0] if names else None


def _getfile(thing: object) -> str:
    """inspect.getfile() that knows classes of programs."""
    if isinstance(thing, type) and getattr(thing, "__module__", None) == "__main__":
        name = find_class(thing)
        if name is not None:
            return name
    return _file_of(thing)  # type: ignore[arg-type]


_getfile.__name__ = _getfile.__qualname__ = "getfile"
_getfile.__module__ = "inspect"


# ---- marshal, which takes texts only if they are nothing more -----------------------------------


def _plain(value: Any) -> Any:
    """The same with names of programs that are nothing but texts."""
    if isinstance(value, SourceName):
        return str.__str__(value)
    if isinstance(value, CodeType):
        return value.replace(
            co_filename=_plain(value.co_filename), co_consts=_plain(value.co_consts)
        )
    if type(value) in (tuple, list, set, frozenset):
        return type(value)(map(_plain, value))
    if type(value) is dict:
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value


def _dumps_plain(value: Any, version: int = _version, /, *, allow_code: bool = True) -> bytes:
    """marshal.dumps() that can write the code of programs."""
    try:
        return _dumps(value, version, allow_code=allow_code)
    except ValueError:
        try:
            plain = _plain(value)
        except RecursionError:
            plain = value  # too deep, or a circle: let it say so again
    return _dumps(plain, version, allow_code=allow_code)


def _dump_plain(
    value: Any, file: Any, version: int = _version, /, *, allow_code: bool = True
) -> Any:
    """marshal.dump() that can write the code of programs."""
    return file.write(_dumps_plain(value, version, allow_code=allow_code))


def dump_code(code: CodeType) -> bytes:
    """Give code as bytes, without its source."""
    return _dumps(_plain(code))


def load_code(data: bytes, name: SourceName | None) -> CodeType:
    """Give the code of such bytes, as of a program if name is not None."""
    code: CodeType = _loads(data)
    if name is not None:
        _fix_co_filename(code, "")  # it leaves alone what seems to have the name already
        _fix_co_filename(code, name)
    return code


def restore_name(shown: str, source: str, classes: frozenset[tuple[str, int]]) -> SourceName:
    """Give a name with source and classes of one that was elsewhere."""
    name = make_name(shown, source)
    name.classes = classes
    _keep(name)
    return name


def install() -> None:
    """Let linecache, inspect and marshal know names of programs."""
    linecache.getlines = _getlines
    inspect.getfile = _getfile
    marshal.dumps = _dumps_plain
    marshal.dump = _dump_plain
