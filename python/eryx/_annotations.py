"""Annotations of public classes and functions, whose names are looked up when somebody reads them.

Most of the names are there for type checkers only, because importing what they stand for would take
longer than a short run. ``typing.get_type_hints`` and ``inspect.signature`` find them all the same.
"""

from __future__ import annotations

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
    from typing import Any

# Where a name is looked for that its module does not have. typing comes late, since it has old
# names for what is in collections.abc.
_PLACES = (
    "collections.abc",
    "types",
    "typing",
    "eryx",
    "eryx._option_types",
    "eryx._tracing",
    "eryx._display",
    "eryx._run_files",
    "eryx.packages",
    "eryx._observing._observer",
    "eryx._observing._types",
    "starlette.applications",  # of the extra for the service
)


class _Names(dict[str, object]):
    """Finds the names that neither a module nor Python itself has."""

    __slots__ = ("_module",)

    def __init__(self, module: dict[str, object]) -> None:
        self._module = module

    def __missing__(self, name: str) -> object:
        from importlib import import_module

        if name not in self._module and not hasattr(builtins, name):
            for place in _PLACES:
                try:
                    found = getattr(import_module(place), name, None)
                except ModuleNotFoundError:
                    continue
                if found is not None:
                    return found
        raise KeyError(name)


class _LateAnnotations(dict[str, object]):
    """Annotations that are texts until they are read."""

    __slots__ = ("_module",)

    def __init__(self, annotated: Any, module: dict[str, Any]) -> None:
        super().__init__(annotated.__annotations__)
        self._module = module

    def _look_up(self) -> None:
        for name, value in super().items():
            text = getattr(value, "__forward_arg__", value)  # of a NamedTuple
            if isinstance(text, str):
                self[name] = eval(text, self._module, _Names(self._module))

    def __getitem__(self, name: str) -> object:
        self._look_up()
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        self._look_up()
        return super().__iter__()

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (dict(self),)

    def get(self, name: str, default: object = None) -> object:
        self._look_up()
        return super().get(name, default)

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        self._look_up()
        return super().keys()

    def copy(self) -> dict[str, object]:
        return dict(self)

    def values(self) -> ValuesView[object]:  # type: ignore[override]
        self._look_up()
        return super().values()

    def items(self) -> ItemsView[str, object]:  # type: ignore[override]
        self._look_up()
        return super().items()


def late_annotations(module: dict[str, Any], *public: type | Callable[..., Any]) -> None:
    """Makes annotations such that reading them gives types instead of texts.

    module: the names of the module that the rest is defined in.
    public: functions, and classes with their public methods and properties.
    """
    for each in public:
        if isinstance(each, type):
            for name, value in vars(each).items():
                if name[0] != "_" or name[:2] == "__":
                    for function in _functions(value):
                        function.__annotations__ = _LateAnnotations(function, module)
        if "__annotations__" in vars(each) or not isinstance(each, type):
            each.__annotations__ = _LateAnnotations(each, module)


def _functions(attribute: object) -> tuple[Any, ...]:
    """What an attribute of a class consists of that has annotations."""
    if isinstance(attribute, _FUNCTION):
        return (attribute,)
    if isinstance(attribute, classmethod | staticmethod):
        return (attribute.__func__,)
    if isinstance(attribute, property):
        return tuple(part for part in (attribute.fget, attribute.fset) if part is not None)
    return ()


_FUNCTION = type(late_annotations)
