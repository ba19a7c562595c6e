"""The data types of C for packages that import ctypes: half of `_ctypes` (see ctypes_memory).

There are no foreign functions in a sandbox. Objects lie in arrays of their own, whose addresses are
those that native modules see. A pointer holds the address, and what it points to (see Target).
What lies at an address that no object is known of is read with numpy, if that is imported; without
it, such an address is an error, as is that of memory which only numpy can tell.
"""

import operator
import struct
import sys
from array import array

from _eryx_runtime.ctypes_addresses import (
    BYTES_OFFSET,
    NO_MEMORY,
    Target,
    address_in,
    memory,
    memory_at,
    target_of,
)

__version__ = "1.1.0"

RTLD_LOCAL = 0
RTLD_GLOBAL = 256
SIZEOF_TIME_T = 8
FUNCFLAG_CDECL = 1
FUNCFLAG_PYTHONAPI = 4
FUNCFLAG_USE_ERRNO = 8
FUNCFLAG_USE_LASTERROR = 16

_MEMORY_MODULE = "_eryx_runtime.ctypes_memory"
_NO_FUNCTIONS = "there are no foreign functions in a sandbox"
_INTEGERS = "bBhHiIlLqQ"
_POINTERS = "PzZO"
_VIEWED = _INTEGERS + "cfd?P"
_SIZES = {"c": 1, "u": 4, "?": 1, "f": 4, "d": 8, "g": 8, "P": 4, "z": 4, "Z": 4, "O": 4}
_SIZES |= {code: struct.calcsize(code) for code in _INTEGERS}


_ABSENT = object()


class ArgumentError(Exception):
    """An argument that cannot be converted."""


class _Type(type):
    """The type of the types: they have a size and an alignment, and make arrays."""

    _size_ = 0
    _alignment_ = 1

    def __mul__(cls, length):
        return _array_type(cls, length)

    __rmul__ = __mul__

    def from_buffer(cls, source, offset=0):
        _check_concrete(cls)
        view = _bytes_of(source)
        if view.readonly:
            raise TypeError("underlying buffer is not writable")
        _check_room(cls, len(view), offset)
        known = isinstance(source, (_CData, array))
        return cls._at(view[offset : offset + cls._size_], source, offset if known else None)

    def from_buffer_copy(cls, source, offset=0):
        _check_concrete(cls)
        data = _bytes_of(source)
        _check_room(cls, len(data), offset)
        return cls._at(memory(data[offset : offset + cls._size_]), None)

    def from_address(cls, address):
        _check_concrete(cls)
        if not isinstance(address, int):
            raise TypeError("integer expected")
        return cls._at(memory_at(address, cls._size_), None, None)

    def in_dll(cls, library, name):
        raise ValueError(_NO_FUNCTIONS)

    def from_param(cls, value):
        if isinstance(value, cls):
            return value
        converted = getattr(value, "_as_parameter_", None)
        if converted is not None:
            return cls.from_param(converted)
        try:
            return cls(value)
        except TypeError as error:
            raise TypeError(
                f"expected {cls.__name__} instance instead of {type(value).__name__}"
            ) from error


def _bytes_of(source):
    return source._view if isinstance(source, _CData) else memoryview(source).cast("B")


def _check_concrete(cls):
    if cls.__base__ in (_CData, _Aggregate):
        raise TypeError("abstract class")


def _check_room(cls, size, offset):
    if offset < 0:
        raise ValueError("offset cannot be negative")
    if offset + cls._size_ > size:
        raise ValueError(
            f"Buffer size too small ({size} instead of at least {offset + cls._size_} bytes)"
        )


# ---- What objects keep alive ---------------------------------------------------------------------


def _key(cls, offset):
    """Where an object keeps what an item needs; fields of unions share an offset."""
    return offset, issubclass(cls, _Aggregate)


def _is_whole(owner, cls, offset):
    """Whether what lies at an offset is all of the object, and not an item of it."""
    return not offset and (isinstance(owner, cls) or not isinstance(owner, _Aggregate))


def _kept_at(owner, cls, offset):
    """What is kept alive for what a pointer points to."""
    kept = owner._objects if isinstance(owner, _CData) else None
    if isinstance(kept, dict) and not _is_whole(owner, cls, offset):
        kept = kept.get(_key(cls, offset))
    return kept if isinstance(kept, dict) == issubclass(cls, _Aggregate) else None


def _keep_at(owner, cls, offset, kept):
    """Keep alive what is needed by what a pointer points to."""
    if not isinstance(owner, _CData):
        return
    if _is_whole(owner, cls, offset):
        owner._objects = kept
    elif isinstance(owner, _Aggregate):
        _keep_item(owner, cls, offset, kept)


def _keep_item(owner, cls, offset, kept):
    """Keep alive what an item of an object needs."""
    if kept is not None or owner._objects:
        if owner._objects is None:
            owner._objects = {}
        owner._objects[_key(cls, offset)] = kept


def _copied(kept):
    """What is to be kept alive for a copy of an object."""
    if not isinstance(kept, dict):
        return kept
    return {key: _copied(each) for key, each in kept.items()}


class _CData(metaclass=_Type):
    """An object of C."""

    __slots__ = ("__dict__", "__weakref__", "_b_base_", "_objects", "_offset", "_view")

    def __new__(cls, *args, **more):
        _check_concrete(cls)
        made = super().__new__(cls)
        made._view = memory(bytes(cls._size_))
        made._objects = made._b_base_ = None
        made._offset = 0
        return made

    @classmethod
    def _at(cls, view, base, offset=0):
        """Make an object of a view that begins at an offset of an object, or of the view's own."""
        made = super().__new__(cls)
        made._view = view
        made._b_base_ = base if isinstance(base, _CData) else None
        made._offset = offset
        made._objects = None
        return made

    @property
    def _address_(self):
        base = self._b_base_
        if base is not None:
            return base._address_ + self._offset
        return address_in(self._view, self._offset)

    @property
    def _target_(self):
        return Target(self._address_, self._view, 0, self)

    @property
    def _b_needsfree_(self):
        return self._b_base_ is None

    def __buffer__(self, flags):
        return _typed(self._view, type(self))

    def __bytes__(self):
        return bytes(self._view)

    def __reduce__(self):
        if isinstance(self, _Pointer) or getattr(type(self), "_type_", "") in _POINTERS:
            raise ValueError("ctypes objects containing pointers cannot be pickled")
        return _restore, (type(self), bytes(self._view))


def _restore(cls, data):
    return cls.from_buffer_copy(data)


def _typed(view, cls):
    """A view of an object as what it is: numbers, arrays of them, and for numpy structures too."""
    shape = []
    whole = view[: cls._size_]
    while issubclass(cls, Array):
        shape.append(cls._length_)
        cls = cls._type_
    if 0 in shape:
        return view
    if isinstance(cls, _SimpleType):
        code = "d" if cls._type_ == "g" else cls._type_
        return whole.cast(code, shape) if cls._order_ == "<" and code in _VIEWED else view
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(cls, _Aggregate):
        try:
            return memoryview(numpy.frombuffer(whole, numpy.dtype(cls)).reshape(shape))
        except (TypeError, ValueError, NotImplementedError):
            pass  # it has fields that numpy knows no type for
    return view


class _Aggregate(_CData):
    """An object with items that share its memory; it keeps alive what they do, by their offset."""

    __slots__ = ()


# ---- Simple types --------------------------------------------------------------------------------


class _SimpleType(_Type):
    def __init__(cls, name, bases, namespace, **more):
        super().__init__(name, bases, namespace, **more)
        code = getattr(cls, "_type_", None)
        if code is None:
            if bases != (_CData,):
                raise AttributeError("class must define a '_type_' attribute")
            return
        if not isinstance(code, str) or len(code) != 1 or code not in _SIZES:
            raise AttributeError(
                "class must define a '_type_' attribute which must be a single character string"
                " containing one of '?cbBhHiIlLqQfdguzZPO'."
            )
        cls._size_ = cls._alignment_ = _SIZES[code]
        if "_type_" in namespace and not hasattr(cls, "_swapped_"):
            cls._order_ = "<"
            cls.__ctype_le__ = cls
            if code in _INTEGERS + "fd" and cls._size_ > 1:
                swapped = type.__new__(_SimpleType, name, bases, {**namespace, "_swapped_": True})
                type.__init__(swapped, name, bases, namespace)
                swapped._size_, swapped._alignment_ = cls._size_, cls._alignment_
                swapped._order_ = ">"
                swapped.__ctype_be__, swapped.__ctype_le__ = swapped, cls
                cls.__ctype_be__ = swapped


class _SimpleCData(_CData, metaclass=_SimpleType):
    """A number, a character, or a pointer."""

    __slots__ = ()

    def __init__(self, value=_ABSENT):
        if value is not _ABSENT:
            self.value = value

    @property
    def value(self):
        return _load(type(self), self._view, self._objects)

    @value.setter
    def value(self, value):
        self._objects = _store(type(self), self._view, value)

    @value.deleter
    def value(self):
        raise TypeError("cannot delete attribute")

    def __bool__(self):
        return any(self._view)

    def __repr__(self):
        base = type(self).__base__
        if base is not _SimpleCData:
            return f"<{type(self).__name__} object at {id(self):#x}>"
        return f"{type(self).__name__}({self.value!r})"


def _load(cls, view, kept):
    code = cls._type_
    if code == "c":
        return bytes(view)
    if code == "u":
        return chr(struct.unpack("<I", view)[0])
    if code in _POINTERS:
        address = struct.unpack("<I", view)[0]
        if code == "P":
            return address or None
        if code == "O":
            if not isinstance(kept, tuple) or id(kept[0]) != address:
                raise ValueError("PyObject is NULL" if not address else NO_MEMORY)
            return kept[0]
        if not address:
            return None
        text = target_of(view, kept).text(_SIZES["c" if code == "z" else "u"])
        return text if code == "z" else text.decode("utf-32-le", "surrogatepass")
    if code == "?":
        return any(view)
    return struct.unpack(cls._order_ + ("d" if code == "g" else code), view)[0]


def _integer(value):
    try:
        return operator.index(value)
    except TypeError:
        text = f"an integer is required (got type {type(value).__name__})"
        raise TypeError(text) from None


def _store(cls, view, value):
    """Write a value; return what has to be kept alive for it."""
    code = cls._type_
    if code in _INTEGERS:
        value = _integer(value)
        order = "big" if cls._order_ == ">" else "little"
        view[:] = (value & ((1 << 8 * cls._size_) - 1)).to_bytes(cls._size_, order)
    elif code in "fdg":
        if isinstance(value, (str, bytes, bytearray)):
            raise TypeError(f"must be real number, not {type(value).__name__}")
        value = float(value)
        if code == "f":
            try:
                view[:] = struct.pack(cls._order_ + "f", value)
            except OverflowError:
                view[:] = struct.pack(
                    cls._order_ + "f", float("inf") if value > 0 else float("-inf")
                )
        else:
            view[:] = struct.pack(cls._order_ + "d", value)
    elif code == "?":
        view[:] = b"\1" if value else b"\0"
    elif code == "c":
        if isinstance(value, int) and 0 <= value < 256:
            value = bytes((value,))
        if not isinstance(value, (bytes, bytearray)) or len(value) != 1:
            raise TypeError("one character bytes, bytearray, or an integer in range(256) expected")
        view[:] = value
    elif code == "u":
        if not isinstance(value, str):
            raise TypeError(f"a unicode character expected, not instance of {type(value).__name__}")
        if len(value) != 1:
            raise TypeError("a unicode character expected, not a string of other length")
        view[:] = struct.pack("<I", ord(value))
    else:
        return _store_pointer(code, view, value)
    return None


def _store_pointer(code, view, value):
    if code == "O":
        view[:] = struct.pack("<I", id(value))
        return (value,)
    if value is None:
        view[:] = bytes(4)
        return None
    if isinstance(value, int):
        view[:] = struct.pack("<I", value & 0xFFFFFFFF)
        return None
    if code == "P" or not isinstance(value, bytes if code == "z" else str):
        kind = {"P": "cannot be converted to pointer", "z": "bytes or integer address expected"}
        reason = kind.get(code, "unicode string or integer address expected")
        raise TypeError(f"{reason} instead of {type(value).__name__} instance")
    target = _target_of_text(value)
    view[:] = struct.pack("<I", target.address)
    return target


def _target_of_text(text):
    """The memory of bytes, or of a string as C has it."""
    if isinstance(text, bytes):
        return Target(id(text) + BYTES_OFFSET, memoryview(text), 0, text)
    view = memory(text.encode("utf-32-le", "surrogatepass") + bytes(4))
    return Target(address_in(view, 0), view, 0, view)


def _is_plain(cls):
    """Whether items of a type are seen as Python's own values: not for subclasses of the types."""
    return isinstance(cls, _SimpleType) and cls.__base__ is _SimpleCData


def _get_item(owner, cls, offset):
    view = owner._view[offset : offset + cls._size_]
    kept = (owner._objects or {}).get(_key(cls, offset))
    if _is_plain(cls):
        return _load(cls, view, kept)
    item = cls._at(view, owner, offset)
    if kept is None and issubclass(cls, _Aggregate):
        # What is put into the item is kept by its owner.
        kept = {}
        _keep_item(owner, cls, offset, kept)
    item._objects = kept
    return item


def _set_item(owner, cls, offset, value):
    view = owner._view[offset : offset + cls._size_]
    kept = None
    if isinstance(cls, _SimpleType) and not isinstance(value, cls):
        kept = _store(cls, view, value)
    else:
        if isinstance(value, tuple) and not isinstance(cls, _SimpleType):
            value = cls(*value)
        if issubclass(cls, _Pointer) and value is None:
            value = cls()
        elif issubclass(cls, _Pointer) and isinstance(value, Array):
            value = cls(value)
        is_text = isinstance(value, (bytes, str))
        if is_text and issubclass(cls, Array) and getattr(cls._type_, "_type_", None) in ("c", "u"):
            text = cls._at(view, owner, offset)
            text.value = value
            return
        if not isinstance(value, cls):
            raise TypeError(
                f"incompatible types, {type(value).__name__} instance instead of"
                f" {cls.__name__} instance"
            )
        view[:] = value._view
        kept = _copied(value._objects)
    _keep_item(owner, cls, offset, kept)


# ---- Arrays --------------------------------------------------------------------------------------


class _ArrayType(_Type):
    def __init__(cls, name, bases, namespace, **more):
        super().__init__(name, bases, namespace, **more)
        if bases == (_Aggregate,):
            return
        length = getattr(cls, "_length_", None)
        if not isinstance(length, int) or isinstance(length, bool):
            raise AttributeError("class must define a '_length_' attribute, an integer")
        if length < 0:
            raise ValueError("The '_length_' attribute must not be negative")
        item = getattr(cls, "_type_", None)
        if not isinstance(item, _Type):
            raise AttributeError("class must define a '_type_' attribute")
        cls._size_ = length * item._size_
        if cls._size_ > sys.maxsize:
            raise OverflowError("array too large")
        cls._alignment_ = item._alignment_


class Array(_Aggregate, metaclass=_ArrayType):
    """Items of one type."""

    __slots__ = ()

    def __init__(self, *items):
        for index, item in enumerate(items):
            self[index] = item

    def __len__(self):
        return self._length_

    def _index(self, index):
        index = index.__index__()
        if index < 0:
            index += self._length_
        if not 0 <= index < self._length_:
            raise IndexError("invalid index")
        return index * self._type_._size_

    def __getitem__(self, index):
        if not isinstance(index, slice):
            return _get_item(self, self._type_, self._index(index))
        items = [self[each] for each in range(*index.indices(self._length_))]
        code = getattr(self._type_, "_type_", None)
        if code == "c":
            return b"".join(items)
        return "".join(items) if code == "u" else items

    def __setitem__(self, index, value):
        if not isinstance(index, slice):
            _set_item(self, self._type_, self._index(index), value)
            return
        places = range(*index.indices(self._length_))
        if len(places) != len(value):
            raise ValueError("Can only assign sequence of same size")
        for each, item in zip(places, value, strict=True):
            self[each] = item

    def __delitem__(self, index):
        raise TypeError("Array does not support item deletion")

    def __delattr__(self, name):
        if name in ("value", "raw"):
            raise TypeError("cannot delete attribute")
        super().__delattr__(name)

    def __iter__(self):
        return (self[index] for index in range(self._length_))

    def __getattr__(self, name):
        if name in ("value", "raw"):
            code = getattr(type(self)._type_, "_type_", None)
            if code == "c" and name == "raw":
                return bytes(self._view)
            if code == "c":
                return bytes(self._view).partition(b"\0")[0]
            if code == "u" and name == "value":
                return self[:].partition("\0")[0]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name, value):
        code = getattr(type(self)._type_, "_type_", None) if name in ("value", "raw") else None
        if code == "c":
            if name == "raw":
                value = bytes(_bytes_of(value))
            if not isinstance(value, bytes):
                raise TypeError(f"bytes expected instead of {type(value).__name__} instance")
            if len(value) > self._length_:
                raise ValueError("byte string too long")
            end = b"\0" if name == "value" and len(value) < self._length_ else b""
            self._view[: len(value) + len(end)] = bytes(value) + end
        elif code == "u" and name == "value":
            if not isinstance(value, str):
                raise TypeError(
                    f"unicode string expected instead of {type(value).__name__} instance"
                )
            if len(value) > self._length_:
                raise ValueError("string too long")
            for index, character in enumerate(value + "\0"[: self._length_ - len(value)]):
                self[index] = character
        else:
            super().__setattr__(name, value)


_array_types = {}


def _array_type(item, length):
    if not isinstance(length, int):
        raise TypeError("can't multiply sequence by non-int")
    if length < 0:
        raise ValueError("Array length must be >= 0, not " + str(length))
    made = _array_types.get((item, length))
    if made is None:
        name = f"{item.__name__}_Array_{length}"
        made = _ArrayType(name, (Array,), {"_length_": length, "_type_": item})
        _array_types[item, length] = made
    return made


# ---- Structures and unions -----------------------------------------------------------------------


class CField:
    """A field of a structure or union."""

    def __init__(
        self, *, name, type, byte_size, byte_offset, index, bit_size, bit_offset, _internal_use
    ):
        if not isinstance(name, str):
            raise TypeError("field name must be a string")
        self.name, self.type = name, type
        self.byte_size = self.size = byte_size
        self.byte_offset = self.offset = byte_offset
        self.is_bitfield = bit_size is not None
        self.bit_size = 8 * byte_size if bit_size is None else bit_size
        self.bit_offset = bit_offset or 0
        self.is_anonymous = False
        self._index = index
        if self.is_bitfield:
            if getattr(type, "_type_", None) not in (*_INTEGERS, "?"):
                raise TypeError(f"bit fields not allowed for type {type.__name__}")
            self.size = (bit_size << 16) | self.bit_offset

    def __get__(self, owner, owner_type=None):
        if owner is None:
            return self
        if not self.is_bitfield:
            item = _get_item(owner, self.type, self.byte_offset)
            is_text = isinstance(item, Array) and getattr(item._type_, "_type_", None) in ("c", "u")
            return item.value if is_text else item
        word, order = self._word(owner)
        value = int.from_bytes(word, order) >> self.bit_offset & ((1 << self.bit_size) - 1)
        if self.type._type_ == "?":
            return bool(value)
        if self.type._type_.islower() and value >> (self.bit_size - 1):
            value -= 1 << self.bit_size
        return value

    def __set__(self, owner, value):
        if not self.is_bitfield:
            _set_item(owner, self.type, self.byte_offset, value)
            return
        value = _integer(value)
        word, order = self._word(owner)
        mask = ((1 << self.bit_size) - 1) << self.bit_offset
        whole = int.from_bytes(word, order) & ~mask | value << self.bit_offset & mask
        word[:] = whole.to_bytes(self.byte_size, order)

    def __delete__(self, owner):
        raise TypeError("can't delete attribute")

    def _word(self, owner):
        view = owner._view[self.byte_offset : self.byte_offset + self.byte_size]
        return view, "big" if self.type._order_ == ">" else "little"

    def __repr__(self):
        kind = f"bits={self.bit_size}" if self.is_bitfield else f"size={self.byte_size}"
        return f"<Field type={self.type.__name__}, ofs={self.byte_offset}, {kind}>"


class _Alias:
    """A field of an anonymous field."""

    is_anonymous = False

    def __init__(self, outer, inner, outer_field, inner_field):
        self.outer, self.inner = outer, inner
        self.name, self.type = inner_field.name, inner_field.type
        self.size, self.byte_size = inner_field.size, inner_field.byte_size
        self.offset = self.byte_offset = outer_field.byte_offset + inner_field.byte_offset
        self.bit_size, self.bit_offset = inner_field.bit_size, inner_field.bit_offset
        self.is_bitfield = inner_field.is_bitfield

    def __get__(self, owner, owner_type=None):
        return self if owner is None else getattr(getattr(owner, self.outer), self.inner)

    def __set__(self, owner, value):
        setattr(getattr(owner, self.outer), self.inner, value)


class _AggregateType(_Type):
    def __init__(cls, name, bases, namespace, **more):
        super().__init__(name, bases, namespace, **more)
        cls._final_ = False
        if "_fields_" in namespace:
            cls._fields_ = namespace["_fields_"]

    def __setattr__(cls, name, value):
        super().__setattr__(name, value)
        if name == "_fields_":
            cls._lay_out(value)

    def _lay_out(cls, fields):
        from ctypes._layout import get_layout

        if cls._final_:
            raise AttributeError("_fields_ is final")
        for each in fields:
            if len(each) >= 2 and not isinstance(each[1], _Type):
                raise TypeError("second item in _fields_ tuple must be a C type")
        base = cls.__base__ if isinstance(cls.__base__, _AggregateType) else None
        if base is not None and not base._size_:
            base = None
        layout = get_layout(cls, fields, issubclass(cls, Structure), base)
        cls._size_, cls._alignment_ = layout.size, layout.align
        for field in layout.fields:
            super().__setattr__(field.name, field)
        cls._final_ = True
        names = {field.name for field in layout.fields}
        for outer in getattr(cls, "_anonymous_", ()):
            if outer not in names:
                raise AttributeError(outer)
            getattr(cls, outer).is_anonymous = True
            outer_field = getattr(cls, outer)
            for inner in _field_names(outer_field.type):
                inner_field = getattr(outer_field.type, inner)
                super().__setattr__(inner, _Alias(outer, inner, outer_field, inner_field))


class _UnionType(_AggregateType):
    pass


def _field_names(cls):
    names = []
    for each in reversed(cls.__mro__):
        if "_fields_" in vars(each):
            names += [field[0] for field in vars(each)["_fields_"]]
    for outer in getattr(cls, "_anonymous_", ()):
        names += _field_names(getattr(cls, outer).type)
    return names


def _set_fields(self, *values, **named):
    names = _field_names(type(self)) if values else ()
    if len(values) > len(names):
        raise TypeError("too many initializers")
    for name, value in zip(names, values, strict=False):
        if name in named:
            raise TypeError(f"duplicate values for field {name!r}")
        setattr(self, name, value)
    for name, value in named.items():
        setattr(self, name, value)


class Structure(_Aggregate, metaclass=_AggregateType):
    """Fields one after the other."""

    __slots__ = ()
    __init__ = _set_fields


class Union(_Aggregate, metaclass=_UnionType):
    """Fields one over the other."""

    __slots__ = ()
    __init__ = _set_fields


# ---- Pointers ------------------------------------------------------------------------------------


class _PointerType(_Type):
    def __init__(cls, name, bases, namespace, **more):
        super().__init__(name, bases, namespace, **more)
        cls._size_ = cls._alignment_ = 4
        target = namespace.get("_type_")
        if target is not None:
            cls.set_type(target)

    def set_type(cls, target):
        if not isinstance(target, _Type):
            raise TypeError("_type_ must have storage info")
        cls._type_ = target
        if "__pointer_type__" not in vars(target):
            target.__pointer_type__ = cls


class _Pointer(_CData, metaclass=_PointerType):
    """Points to an object."""

    __slots__ = ()

    def __init__(self, target=None):
        if not hasattr(type(self), "_type_"):
            raise TypeError("Cannot create instance: has no _type_")
        if target is not None:
            self.contents = target

    @property
    def contents(self):
        return _item_of(target_of(self._view, self._objects), self._type_, 0)

    @contents.deleter
    def contents(self):
        raise TypeError("Pointer does not support item deletion")

    @contents.setter
    def contents(self, target):
        cls = self._type_
        is_item = isinstance(target, Array) and target._type_ is cls
        if not isinstance(target, cls) and not is_item:
            raise TypeError(f"expected {cls.__name__} instead of {type(target).__name__}")
        _point(self, target._target_)

    def _item(self, index):
        target = target_of(self._view, self._objects)
        return target, _item_of(target, self._type_, index * self._type_._size_)

    def __getitem__(self, index):
        if isinstance(index, slice):
            step = 1 if index.step is None else index.step
            items = [self[each] for each in range(index.start or 0, index.stop, step)]
            code = getattr(self._type_, "_type_", None)
            if code == "c":
                return b"".join(items)
            return "".join(items) if code == "u" else items
        _, item = self._item(index)
        return item.value if _is_plain(self._type_) else item

    def __setitem__(self, index, value):
        target, item = self._item(index)
        if isinstance(self._type_, _SimpleType) and not isinstance(value, self._type_):
            item.value = value
        else:
            if not isinstance(value, self._type_):
                name = type(value).__name__
                raise TypeError(f"expected {self._type_.__name__} instead of {name}")
            item._view[:] = value._view
            item._objects = _copied(value._objects)
        if isinstance(target, Target):
            offset = target.offset + index * self._type_._size_
            _keep_at(target.owner, self._type_, offset, item._objects)

    def __bool__(self):
        return any(self._view)


def _item_of(target, cls, offset):
    """An object of a type in what a pointer points to."""
    view = target.room(offset, cls._size_)
    if not isinstance(target, Target):
        return cls._at(view, None, None)
    item = cls._at(view, target.owner, target.offset + offset)
    item._objects = _kept_at(target.owner, cls, target.offset + offset)
    return item


def _point(pointer, target):
    """Have a pointer, of whatever type, point to something; return it."""
    pointer._view[:] = struct.pack("<I", target.address)
    pointer._objects = target
    return pointer


class _Reference:
    """What byref() gives."""

    def __init__(self, target, offset):
        self._obj = target
        self._offset = offset

    def __repr__(self):
        return f"<cparam 'P' ({type(self._obj).__name__})>"


def byref(target, offset=0):
    """A light pointer, to be passed to a function."""
    if not isinstance(target, _CData):
        raise TypeError(
            f"byref() argument must be a ctypes instance, not '{type(target).__name__}'"
        )
    return _Reference(target, offset)


# ---- Functions -----------------------------------------------------------------------------------


class _FunctionType(_Type):
    def __init__(cls, name, bases, namespace, **more):
        super().__init__(name, bases, namespace, **more)
        cls._size_ = cls._alignment_ = 4


class CFuncPtr(_CData, metaclass=_FunctionType):
    """A function of Python with types of C; of others there is an address at most."""

    __slots__ = ()

    def __init__(self, source=None, *flags):
        if isinstance(source, tuple):
            raise AttributeError(f"function {source[0]!r} not found: {_NO_FUNCTIONS}")
        if source is not None and not callable(source) and not isinstance(source, int):
            raise TypeError("argument must be callable or integer function address")
        self._objects = source if callable(source) else None
        if isinstance(source, int):
            self._view[:] = struct.pack("<I", source & 0xFFFFFFFF)
        self.argtypes = getattr(type(self), "_argtypes_", None)
        self.restype = getattr(type(self), "_restype_", None)

    def __call__(self, *arguments):
        function = self._objects
        if function is None:
            raise NotImplementedError(_NO_FUNCTIONS)
        if function.__module__ == _MEMORY_MODULE:
            return function(*arguments)
        types = self.argtypes or ()
        if len(arguments) < len(types):
            raise TypeError(
                f"this function takes at least {len(types)} arguments ({len(arguments)} given)"
            )
        converted = []
        for number, (kind, argument) in enumerate(zip(types, arguments, strict=False), 1):
            try:
                item = kind.from_param(argument)
            except TypeError as error:
                raise ArgumentError(f"argument {number}: TypeError: {error}") from None
            converted.append(item.value if _is_plain(kind) else item)
        result = function(*converted)
        restype = self.restype
        return restype(result).value if _is_plain(restype) and result is not None else result

    @property
    def _pointer(self):
        """The address of the function."""
        if self._objects is not None:
            raise NotImplementedError("functions of Python have no address in a sandbox")
        return struct.unpack("<I", self._view)[0]

    def __bool__(self):
        return self._objects is not None or any(self._view)


# By these names numpy, for one, knows types of ctypes.
for _each in (_CData, _SimpleCData, Array, Structure, Union, _Pointer, CFuncPtr, CField):
    _each.__module__ = "_ctypes"
