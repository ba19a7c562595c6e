"""The locales that there are: "C", and "C.UTF-8" which differs by its encoding alone.

The guest's libc takes any name that it does not know for "C.UTF-8", so a program would believe that
it writes numbers the way of another country.
"""

import _locale
import locale
import os

_NAMES = frozenset(("C", "POSIX", "C.UTF-8", "C.utf8", "C.UTF8"))
_VARIABLES = {
    _locale.LC_CTYPE: "LC_CTYPE",
    _locale.LC_NUMERIC: "LC_NUMERIC",
    _locale.LC_TIME: "LC_TIME",
    _locale.LC_COLLATE: "LC_COLLATE",
    _locale.LC_MONETARY: "LC_MONETARY",
    _locale.LC_MESSAGES: "LC_MESSAGES",
}
_set = _locale.setlocale

# What each category is set to, as the program named it.
_current = dict.fromkeys(_VARIABLES, "C") | {_locale.LC_CTYPE: "C.UTF-8"}


def _describe(category: int) -> str:
    if category != _locale.LC_ALL:
        return _current[category]
    names = set(_current.values())
    if len(names) == 1:
        return names.pop()
    return ";".join(f"{_VARIABLES[each]}={name}" for each, name in _current.items())


def _name_of_environment(category: int) -> str:
    """The name that the environment gives to a category."""
    for variable in ("LC_ALL", _VARIABLES[category], "LANG"):
        name = os.environ.get(variable)
        if name:
            return name
    return "C.UTF-8"


def _find_names(category: int, locale: str) -> dict[int, str]:
    """What the categories are to be called."""
    categories = tuple(_VARIABLES) if category == _locale.LC_ALL else (category,)
    if locale == "":
        return {each: _name_of_environment(each) for each in categories}
    if category == _locale.LC_ALL and ";" in locale:  # as it was given before
        parts = dict(part.partition("=")[::2] for part in locale.split(";"))
        return {each: parts.get(_VARIABLES[each], "") for each in categories}
    return dict.fromkeys(categories, locale)


def _setlocale(category: int, locale: str | None = None, /) -> str:
    if not isinstance(locale, str) or "\0" in locale or category not in (_locale.LC_ALL, *_current):
        _set(category, locale)  # which refuses all of this but a question
        return _describe(category)
    names = _find_names(category, locale)
    if not _NAMES.issuperset(names.values()):
        raise _locale.Error("unsupported locale setting")
    for each, name in names.items():
        _set(each, name)
        _current[each] = "C" if name == "POSIX" else name
    return _describe(category)


_setlocale.__name__ = _setlocale.__qualname__ = "setlocale"
_setlocale.__module__ = "_locale"


def install() -> None:
    """Refuse all others."""
    _locale.setlocale = _setlocale  # type: ignore[assignment]
    locale._setlocale = _setlocale  # type: ignore[attr-defined]
