"""Functions that look at the memory of C data, for packages that import ctypes.

Of an object that is known nothing is read or written beyond its end.
"""

from _eryx_runtime.ctypes_addresses import ForeignTarget, Target, memory, target_of
from _eryx_runtime.ctypes_data import (
    _NO_FUNCTIONS,
    ArgumentError,
    Array,
    CFuncPtr,
    _CData,
    _point,
    _Pointer,
    _Reference,
    _SimpleCData,
    _SimpleType,
    _target_of_text,
    _Type,
)


def _is_pointer(item):
    return isinstance(item, _Pointer) or (isinstance(item, _SimpleCData) and item._type_ in "PzZ")


def _target(item):
    """What a function was given the address of."""
    if _is_pointer(item):
        return target_of(item._view, item._objects)
    if isinstance(item, _Reference):
        whole = item._obj._target_
        return Target(whole.address + item._offset, whole.view, item._offset, item._obj)
    if isinstance(item, CFuncPtr):
        return ForeignTarget(item._pointer)
    if isinstance(item, Array):
        return item._target_
    if isinstance(item, (bytes, str)):
        return _target_of_text(item)
    if isinstance(item, int):
        return ForeignTarget(item & 0xFFFFFFFF)
    converted = getattr(item, "_as_parameter_", None)
    if converted is not None:
        return _target(converted)
    raise ArgumentError(f"argument 1: TypeError: wrong type: {type(item).__name__}")


def _memmove_addr(to, source, size):
    _target(to).room(0, size)[:] = bytes(_target(source).room(0, size))
    return _target(to).address


def _memset_addr(to, byte, size):
    _target(to).room(0, size)[:] = bytes((byte & 255,)) * size
    return _target(to).address


def _string_at_addr(item, size=-1):
    target = _target(item)
    return target.text(1) if size < 0 else bytes(target.room(0, size))


def _wstring_at_addr(item, size=-1):
    target = _target(item)
    text = target.text(4) if size < 0 else bytes(target.room(0, 4 * size))
    return text.decode("utf-32-le", "surrogatepass")


def _memoryview_at_addr(item, size, read_only=False):
    view = _target(item).room(0, size)
    return view.toreadonly() if read_only else view


def _cast_addr(item, _, kind):
    is_function = issubclass(kind, CFuncPtr)
    is_simple = isinstance(kind, _SimpleType) and kind._type_ in "PzZ"
    if not (is_function or is_simple or issubclass(kind, _Pointer)):
        raise TypeError(f"cast() argument 2 must be a pointer, not {kind.__name__}")
    if is_function and isinstance(item, CFuncPtr) and item._objects is not None:
        return kind(item._objects)
    is_null = _is_pointer(item) or isinstance(item, CFuncPtr)
    if item is None or (item == 0 if isinstance(item, int) else is_null and not item):
        return kind()
    target = _target(item)
    # Of native modules there are addresses of functions, to look at and not to call.
    return kind(target.address) if is_function else _point(kind(), target)


def dlopen(name, flags=0):
    """The program itself, which has no functions, or nothing."""
    if name is None:
        return 0
    raise OSError(f"{name}: {_NO_FUNCTIONS}")


def sizeof(item):
    """Bytes of a type or an object."""
    cls = item if isinstance(item, type) else type(item)
    if not isinstance(cls, _Type):
        raise TypeError("this type has no size")
    return cls._size_ if isinstance(item, type) else len(item._view)


def alignment(item):
    """What the address of an object must be a multiple of."""
    cls = item if isinstance(item, type) else type(item)
    if not isinstance(cls, _Type):
        raise TypeError("no alignment info")
    return cls._alignment_


def addressof(item):
    """Where the memory of an object lies."""
    if not isinstance(item, _CData):
        raise TypeError("invalid type")
    return item._address_


def resize(item, size):
    """Give an object a memory of another size."""
    if size < type(item)._size_:
        raise ValueError(f"minimum size is {type(item)._size_}")
    if item._b_base_ is not None:
        raise ValueError("Memory cannot be resized because this object doesn't own it")
    view = memory(bytes(size))
    view[: min(size, len(item._view))] = item._view[:size]
    item._view = view


def buffer_info(item):
    """Format, number of dimensions and shape of a type, as a buffer has them."""
    cls = item if isinstance(item, type) else type(item)
    shape = []
    while issubclass(cls, Array):
        shape.append(cls._length_)
        cls = cls._type_
    code = getattr(cls, "_type_", None)
    text = cls._order_ + code if isinstance(code, str) and hasattr(cls, "_order_") else "B"
    return text, len(shape), tuple(shape)


_errno = 0


def get_errno():
    """The private copy of errno."""
    return _errno


def set_errno(value):
    """Set the private copy of errno; return what it was."""
    global _errno
    before, _errno = _errno, value
    return before
