"""The variables of a session as bytes, and back: pickle, with functions and classes by value.

What a program has made in `__main__` is nowhere to be imported from when the bytes are read, so its
functions and classes are written with their code. All else is as pickle does it.
"""

import base64
import builtins
import dataclasses
import enum
import gc
import io
import json
import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

import _eryx
from _eryx_runtime import sources
from _eryx_runtime.numbers import MEMORY_OF_RESCUE, MEMORY_OF_RUNTIME, REPORT_RESULT_JSON

_PRIVATE_PREFIX = "_eryx"
_RUNTIME_PACKAGE = "_eryx_runtime"

# Attributes of a class that a new class gets by itself, or that cannot be carried over.
_OWN_OF_CLASS = frozenset(
    ("__dict__", "__weakref__", "__doc__", "__module__", "_abc_impl", "__annotations_cache__")
)

_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)

_dump_code = sources.dump_code
_load_code = sources.load_code
_find_source = sources.find
_find_source_of_class = sources.find_class
_SourceName = sources.SourceName
_encode_json = json.JSONEncoder().encode
_encode_base64 = base64.b64encode
_BytesIO = io.BytesIO
_FunctionType = types.FunctionType
_CellType = types.CellType
_modules = sys.modules
_collect_garbage = gc.collect


class SnapshotTooLarge(Exception):
    """The variables take more bytes than a snapshot may have."""


def _main_globals() -> dict[str, Any]:
    return _modules["__main__"].__dict__


# ---- What the bytes call when they are read ------------------------------------------------------


def _make_cell() -> types.CellType:
    return _CellType()


def _make_function(
    code: types.CodeType,
    closure: tuple[types.CellType, ...] | None,
    namespace: dict[str, Any] | None,
) -> types.FunctionType:
    """A function without anything but its code; namespace: None for that of the program."""
    variables = _main_globals() if namespace is None else namespace
    variables.setdefault("__builtins__", builtins)
    return _FunctionType(code, variables, closure=closure)


def _fill_function(function: types.FunctionType, state: dict[str, Any]) -> None:
    attributes = state.pop("__dict__")
    for cell, value in state.pop("__closure__"):
        cell.cell_contents = value
    for name, value in state.items():
        setattr(function, name, value)
    function.__dict__.update(attributes)


def _make_class(
    metaclass: type,
    name: str,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    source: sources.SourceName | None,  # needs only to be there
) -> type:
    # __init_subclass__ of a base was called when the class was made first; what it did is there.
    hooks = [
        (base, base.__dict__["__init_subclass__"])
        for base in {base for direct in bases for base in direct.__mro__}
        if base.__module__ == "__main__" and "__init_subclass__" in base.__dict__
    ]
    for base, _ in hooks:
        del base.__init_subclass__
    try:
        made: type = types.new_class(
            name, bases, {"metaclass": metaclass}, lambda body: body.update(namespace)
        )
    finally:
        for base, hook in hooks:
            base.__init_subclass__ = hook  # type: ignore[method-assign]
    return made


def _fill_class(made: type, state: dict[str, Any]) -> None:
    for name, value in state.items():
        try:
            setattr(made, name, value)
        except (AttributeError, TypeError):
            pass  # computed by the metaclass, and so right already


def _make_enum(
    metaclass: type,
    name: str,
    bases: tuple[type, ...],
    members: dict[str, object],
    namespace: dict[str, Any],
    source: sources.SourceName | None,
) -> type:
    body = metaclass.__prepare__(name, bases)
    for key, value in (namespace | members).items():
        body[key] = value
    made: type = metaclass(name, bases, body)
    return made


def _field_kind(name: str) -> object:
    return getattr(dataclasses, name)


def _make_property(
    parts: tuple[Any, Any, Any, str | None],
) -> property:
    return property(*parts)


def _make_mapping(contents: dict[Any, Any]) -> types.MappingProxyType[Any, Any]:
    return types.MappingProxyType(contents)


# ---- Writing -------------------------------------------------------------------------------------


def _is_importable(thing: Any) -> bool:
    """Whether a new interpreter finds this very object under its name in its module."""
    module_name = getattr(thing, "__module__", None)
    qualified_name = getattr(thing, "__qualname__", None)
    if not isinstance(module_name, str) or not isinstance(qualified_name, str):
        return False
    module = _modules.get(module_name)
    if module_name == "__main__" or module is None or not _is_module_importable(module):
        return False
    found: Any = module
    for part in qualified_name.split("."):
        found = getattr(found, part, None)
    return found is thing


def _is_module_importable(module: types.ModuleType) -> bool:
    return (
        module.__name__ != "__main__"
        and _modules.get(module.__name__) is module
        and getattr(module, "__spec__", None) is not None
    )


def _names_in_code(code: types.CodeType) -> set[str]:
    """Names that a function, or one inside of it, may look up in its globals."""
    names = set(code.co_names)
    waiting = [code]
    while waiting:
        for constant in waiting.pop().co_consts:
            if isinstance(constant, types.CodeType):
                names.update(constant.co_names)
                waiting.append(constant)
    return names


def _reduce_function(function: types.FunctionType) -> tuple[Any, ...]:
    variables = function.__globals__
    namespace = None
    if variables is not _main_globals():
        if variables.get("__name__") in _modules:
            variables = _modules[variables["__name__"]].__dict__
        namespace = {
            name: variables[name] for name in _names_in_code(function.__code__) if name in variables
        }
        namespace["__name__"] = function.__globals__.get("__name__")
    state = {
        "__defaults__": function.__defaults__,
        "__kwdefaults__": function.__kwdefaults__,
        "__annotate__": function.__annotate__,
        "__qualname__": function.__qualname__,
        "__name__": function.__name__,
        "__module__": function.__module__,
        "__doc__": function.__doc__,
        "__type_params__": function.__type_params__,
        "__dict__": dict(function.__dict__),
        # Not with the cells: a function may be in its own closure.
        "__closure__": _cell_contents(function),
    }
    if function.__annotate__ is None:
        state["__annotations__"] = function.__annotations__
        del state["__annotate__"]
    arguments = (function.__code__, function.__closure__, namespace)
    return _make_function, arguments, state, None, None, _fill_function


def _cell_contents(function: types.FunctionType) -> list[tuple[types.CellType, object]]:
    """The cells of a function that are not empty, and what is in them."""
    contents: list[tuple[types.CellType, object]] = []
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if name == "__classdict__":  # for annotations: the attributes of a class
            value = {
                key: item
                for key, item in value.items()
                if key not in _OWN_OF_CLASS and not isinstance(item, _DESCRIPTORS)
            }
        contents.append((cell, value))
    return contents


def _reduce_enum(made: Any) -> tuple[Any, ...]:
    members = {name: member._value_ for name, member in made.__members__.items()}
    namespace: dict[str, Any] = {
        name: value
        for name, value in made.__dict__.items()
        if name not in _OWN_OF_CLASS
        and name not in members
        and not name.startswith(("_member_", "_value2", "_unhash", "_hashable"))
        and name
        not in (
            "_generate_next_value_",
            "_new_member_",
            "_use_args_",
            "__new__",
            "__members__",
            "__annotate_func__",
            "_value_repr_",
            "_flag_mask_",
            "_singles_mask_",
            "_all_bits_",
            "_boundary_",
            "_inverted_",
            "_sort_order_",
        )
        and isinstance(value, (types.FunctionType, property, classmethod, staticmethod))
        and not _is_inherited_function(value)
    }
    namespace["__module__"] = made.__module__
    namespace["__qualname__"] = made.__qualname__
    namespace["__doc__"] = made.__doc__
    if "__firstlineno__" in made.__dict__:
        namespace["__firstlineno__"] = made.__dict__["__firstlineno__"]
    source = _find_source_of_class(made)
    return _make_enum, (type(made), made.__name__, made.__bases__, members, namespace, source)


def _is_inherited_function(value: object) -> bool:
    """Whether the metaclass put it there, from a module that can be imported."""
    return isinstance(value, types.FunctionType) and value.__module__ == "enum"


def _reduce_class(made: type) -> tuple[Any, ...]:
    if isinstance(made, enum.EnumMeta):
        return _reduce_enum(made)
    namespace: dict[str, Any] = {"__module__": made.__module__, "__qualname__": made.__qualname__}
    if "__slots__" in made.__dict__:
        namespace["__slots__"] = made.__dict__["__slots__"]
    state = {
        name: value
        for name, value in made.__dict__.items()
        if name not in _OWN_OF_CLASS
        and name not in namespace
        and not isinstance(value, _DESCRIPTORS)
    }
    state["__doc__"] = made.__doc__
    source = _find_source_of_class(made)
    arguments = (type(made), made.__name__, made.__bases__, namespace, source)
    return _make_class, arguments, state, None, None, _fill_class


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        """Pickle by value what cannot be imported."""
        kind = type(thing)
        if kind is _FunctionType:
            return NotImplemented if _is_importable(thing) else _reduce_function(thing)
        if issubclass(kind, type):
            return NotImplemented if _is_importable(thing) else _reduce_class(thing)
        reduce = _REDUCERS.get(kind)
        return NotImplemented if reduce is None else reduce(thing)


def _reduce_module(module: types.ModuleType) -> tuple[Any, ...]:
    if not _is_module_importable(module):
        raise pickle.PicklingError(f"module {module.__name__!r} cannot be imported again")
    return _import, (module.__name__,)


def _import(name: str) -> types.ModuleType:
    __import__(name)
    return _modules[name]


_REDUCERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    _CellType: lambda cell: (_make_cell, ()),
    types.CodeType: lambda code: (_load_code, (_dump_code(code), _find_source(code))),
    _SourceName: lambda name: (sources.restore_name, (str(name), name.source, name.classes)),
    types.ModuleType: _reduce_module,
    property: lambda item: (_make_property, ((item.fget, item.fset, item.fdel, item.__doc__),)),
    classmethod: lambda item: (classmethod, (item.__func__,)),
    staticmethod: lambda item: (staticmethod, (item.__func__,)),
    types.MappingProxyType: lambda item: (_make_mapping, (dict(item),)),
    type(dataclasses._FIELD): lambda item: (_field_kind, (item.name,)),  # type: ignore[attr-defined]
}


def _is_stored(name: str, value: object) -> bool:
    """Whether a variable is the program's own."""
    if name.startswith(_PRIVATE_PREFIX) or (name.startswith("__") and name.endswith("__")):
        return False
    return not _is_of_runtime(value)


def _is_of_runtime(value: object) -> bool:
    """Whether the runtime put it there, such as a callback."""
    module = getattr(value, "__module__", None) or getattr(type(value), "__module__", None)
    if not isinstance(module, str):
        module = type(value).__module__
    return module == _RUNTIME_PACKAGE or str(module).startswith(_RUNTIME_PACKAGE + ".")


def _dump(variables: dict[str, Any]) -> bytes:
    stream = _BytesIO()
    _Pickler(stream, protocol=5).dump(variables)
    return stream.getvalue()


def _dump_what_can_be(variables: dict[str, Any]) -> tuple[bytes, list[str]]:
    try:
        return _dump(variables), []
    except Exception:
        pass
    skipped = []
    for name in list(variables):
        try:
            _dump({name: variables[name]})
        except Exception:
            skipped.append(name)
            del variables[name]
    return _dump(variables), skipped


# ---- Commands ------------------------------------------------------------------------------------


def save(limit: int) -> None:
    """Report the variables of the program."""
    _eryx.allocate_for(MEMORY_OF_RUNTIME)
    variables = {name: value for name, value in _main_globals().items() if _is_stored(name, value)}
    data, skipped = _dump_what_can_be(variables)
    answer = _encode_json({"size": len(data), "skipped": skipped}).encode()
    if len(data) <= limit:
        # Not by the encoder, which would have it in memory several times.
        text = _encode_base64(data)
        del data
        answer = b"".join((b'{"data": "', text, b'", ', answer[1:]))
    _eryx.report(REPORT_RESULT_JSON, answer)


def load(data: bytes) -> None:
    """Set the variables of a snapshot; all of them or, if it cannot be read, none."""
    variables = pickle.loads(data)  # the host runs this in the guest, as untrusted as any program
    if type(variables) is not dict:
        raise pickle.UnpicklingError("a snapshot holds a dict")
    _main_globals().update(variables)


def clear() -> None:
    """Remove the variables of the program."""
    _eryx.allocate_for(MEMORY_OF_RESCUE)
    variables = _main_globals()
    for name in list(variables):
        if _is_stored(name, variables[name]):
            del variables[name]
    _collect_garbage()  # where memory is full nothing else would bring it back
