"""Functions that look at the memory of C data, for packages that import ctypes.

What is given as an address is an object; nothing is read or written beyond its end.
"""

import struct

from _eryx_runtime.ctypes_data import (
    _NO_FUNCTIONS,
    Array,
    CFuncPtr,
    _array_type,
    _CData,
    _Pointer,
    _Reference,
    _SimpleCData,
    _SimpleType,
    _Type,
)


class _byte_type(_SimpleCData):
    _type_ = "B"


def _memory_of(item):
    """The view, the offset and the owner of what a function was given as an address."""
    if isinstance(item, _Pointer):
        return item._target()
    if isinstance(item, _Reference):
        return item._obj._view, item._offset, item._obj
    if isinstance(item, _SimpleCData) and item._type_ in "PzZ" and item._objects is not None:
        item = item._objects[0]
    if isinstance(item, _CData):
        return item._view, 0, item
    if isinstance(item, str):
        item = b"".join(struct.pack("<I", ord(character)) for character in item) + bytes(4)
    elif isinstance(item, bytes):
        item += b"\0"
    if isinstance(item, (bytes, bytearray)):
        owner = _array_type(_byte_type, len(item)).from_buffer_copy(item)
        return owner._view, 0, owner
    raise ValueError("there are no addresses in a sandbox")


def _room(item, size):
    view, offset, _ = _memory_of(item)
    if size < 0 or offset + size > len(view):
        raise ValueError("this would go beyond the end of the object")
    return view[offset : offset + size]


def _memmove_addr(to, source, size):
    _room(to, size)[:] = bytes(_room(source, size))


def _memset_addr(to, byte, size):
    _room(to, size)[:] = bytes((byte & 255,)) * size


def _string_at_addr(item, size=-1):
    if size >= 0:
        return bytes(_room(item, size))
    view, offset, _ = _memory_of(item)
    return bytes(view[offset:]).partition(b"\0")[0]


def _wstring_at_addr(item, size=-1):
    view, offset, _ = _memory_of(item)
    count = (len(view) - offset) // 4 if size < 0 else size
    text = "".join(map(chr, struct.unpack(f"<{count}I", _room(item, 4 * count))))
    return text.partition("\0")[0] if size < 0 else text


def _memoryview_at_addr(item, size, read_only=False):
    view = _room(item, size)
    return view.toreadonly() if read_only else view


def _cast_addr(item, _, kind):
    if item is None:
        return kind()
    if issubclass(kind, _Pointer):
        return kind()._point(*_memory_of(item))
    if issubclass(kind, CFuncPtr) and isinstance(item, (int, CFuncPtr)):
        # Of native modules there are addresses of functions, to look at and not to call.
        return kind(item if isinstance(item, int) else item._objects or item._address)
    if getattr(kind, "_type_", None) in ("P", "z", "Z") and isinstance(kind, _SimpleType):
        made = kind()
        _, offset, owner = _memory_of(item)
        made._view[:] = struct.pack("<I", (id(owner) + offset) & 0xFFFFFFFF)
        kept = owner
        if made._type_ != "P":
            kept = (_string_at_addr if made._type_ == "z" else _wstring_at_addr)(item)
        made._objects = (kept,)
        return made
    raise TypeError(f"cast() argument 2 must be a pointer, not {kind.__name__}")


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
    """A number that tells objects apart."""
    if not isinstance(item, _CData):
        raise TypeError("invalid type")
    return id(item._view.obj) & 0xFFFFFFFF


def resize(item, size):
    """Give an object a memory of another size."""
    if size < type(item)._size_:
        raise ValueError(f"minimum size is {type(item)._size_}")
    if item._b_base_ is not None:
        raise ValueError("Memory cannot be resized because this object doesn't own it")
    view = memoryview(bytearray(size))
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
