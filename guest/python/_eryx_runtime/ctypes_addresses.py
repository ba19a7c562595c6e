"""Addresses of memory, for packages that import ctypes (see ctypes_data).

They are those that native modules see. Arrays and bytes tell theirs; that of other memory is asked
of numpy, if that is imported, as is what lies at an address of which no object is known.
"""

import struct
import sys
from array import array

NO_ADDRESS = "the address of this memory is not known: in a sandbox that takes numpy"
NO_MEMORY = "memory at an address cannot be looked at: in a sandbox that takes numpy"

BYTES_OFFSET = bytes.__basicsize__ - 1
"""Where in an object of bytes its data begin."""


def memory(data):
    """A view of memory of its own, which stays where it is."""
    return memoryview(array("B", data))


def address_in(view, offset):
    """The address of a view that begins at an offset of what it is of, or None for not known."""
    owner = view.obj
    if offset is not None and isinstance(owner, array):
        return owner.buffer_info()[0] + offset
    if offset is not None and isinstance(owner, bytes):
        return id(owner) + BYTES_OFFSET + offset
    numpy = sys.modules.get("numpy")
    if numpy is None:
        raise ValueError(NO_ADDRESS)
    return numpy.asarray(view).__array_interface__["data"][0]


class _Foreign:
    """Memory at an address, as numpy is told of it."""

    def __init__(self, address, size):
        self.__array_interface__ = {
            "data": (address, False),
            "shape": (size,),
            "typestr": "|u1",
            "version": 3,
        }


def memory_at(address, size):
    """A view of what lies at an address."""
    if not 0 < address <= (1 << 32) - size:
        raise ValueError(f"{address:#x} is no address of {size} bytes")
    numpy = sys.modules.get("numpy")
    if numpy is None:
        raise ValueError(NO_MEMORY)
    return memoryview(numpy.asarray(_Foreign(address, size)))


class Target:
    """What a pointer points to: a place in an object that is known, and kept alive."""

    __slots__ = ("address", "offset", "owner", "view")

    def __init__(self, address, view, offset, owner):
        self.address, self.view, self.offset, self.owner = address, view, offset, owner

    def room(self, offset, size):
        """A view of that many bytes from there on."""
        start = self.offset + offset
        if size < 0 or not 0 <= start <= len(self.view) - size:
            raise ValueError("pointer access outside of the object that it points into")
        return self.view[start : start + size]

    def text(self, size):
        """What is there up to a zero of that many bytes, or to the end."""
        return _up_to_zero(self.view[self.offset :].tobytes(), size)


class ForeignTarget:
    """What a pointer points to of which there is an address only."""

    def __init__(self, address):
        if not address:
            raise ValueError("NULL pointer access")
        self.address = address

    def room(self, offset, size):
        if size < 0:
            raise ValueError("sizes are not negative")
        return memory_at(self.address + offset, size)

    def text(self, size):
        found, part = b"", 256
        while True:
            # Up to a multiple of it, and so never beyond the end of the memory.
            found += bytes(self.room(len(found), part - (self.address + len(found)) % part))
            ended = _up_to_zero(found, size)
            if len(ended) <= len(found) - size:
                return ended


def _up_to_zero(data, size):
    for start in range(0, len(data) - size + 1, size):
        if not any(data[start : start + size]):
            return data[:start]
    return data[: len(data) // size * size]


def target_of(view, kept):
    """What the pointer in a view points to."""
    address = struct.unpack("<I", view)[0]
    # Others may have written another address there.
    if isinstance(kept, Target) and kept.address == address:
        return kept
    return ForeignTarget(address)
