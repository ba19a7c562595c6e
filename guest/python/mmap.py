"""Files as memory, and memory without a file.

There is no virtual memory in a sandbox. A map is a copy of what is in the file: what others write
there later does not show, and what is written to the map gets into the file with flush() and
close(), as it has to be flushed anywhere to be sure.
"""

import os

ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY = range(4)
MAP_SHARED, MAP_PRIVATE, MAP_ANON = 1, 2, 32
MAP_ANONYMOUS = MAP_ANON
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED = range(5)
PAGESIZE = ALLOCATIONGRANULARITY = 4096

error = OSError

_PIECE = 1 << 20


def _access_of(access, flags, prot):
    """The access that flags and protection mean."""
    if access != ACCESS_DEFAULT:
        if flags != MAP_SHARED or prot != PROT_WRITE | PROT_READ:
            raise ValueError("mmap can't specify both access and flags, prot.")
        if access not in (ACCESS_READ, ACCESS_WRITE, ACCESS_COPY):
            raise ValueError("mmap invalid access parameter.")
        return access
    if not prot & PROT_WRITE:
        return ACCESS_READ
    return ACCESS_COPY if flags & MAP_PRIVATE else ACCESS_WRITE


class mmap:
    """mmap(fileno, length, flags=MAP_SHARED, prot=PROT_WRITE|PROT_READ, access=..., offset=0)"""

    def __init__(
        self,
        fileno,
        length,
        flags=MAP_SHARED,
        prot=PROT_WRITE | PROT_READ,
        access=ACCESS_DEFAULT,
        offset=0,
        *,
        trackfd=True,
    ):
        self._data = self._file = None
        self._exports = self._position = 0
        if length < 0:
            raise OverflowError("memory mapped length must be positive")
        if offset < 0:
            raise OverflowError("memory mapped offset must be positive")
        if offset % ALLOCATIONGRANULARITY:
            raise OSError(22, "Invalid argument")
        self._access = _access_of(access, flags, prot)
        self._offset = offset
        if fileno == -1 or flags & MAP_ANON:
            if length == 0:
                raise OSError(22, "Invalid argument")
            self._data = bytearray(length)
            return
        size = os.fstat(fileno).st_size
        if length == 0:
            if size == 0:
                raise ValueError("cannot mmap an empty file")
            if offset >= size:
                raise ValueError("mmap offset is greater than file size")
            length = size - offset
        elif offset > size or size - offset < length:
            raise ValueError("mmap length is greater than file size")
        self._file = os.dup(fileno)
        try:
            self._data = bytearray(length)
            self._read()
        except BaseException:
            os.close(self._file)
            self._file = None
            raise
        self._written = hash(bytes(self._data)) if self._access == ACCESS_WRITE else None

    def _read(self):
        os.lseek(self._file, self._offset, os.SEEK_SET)
        place = 0
        while place < len(self._data):
            piece = os.read(self._file, min(_PIECE, len(self._data) - place))
            if not piece:
                break
            self._data[place : place + len(piece)] = piece
            place += len(piece)

    def _open(self):
        if self._data is None:
            raise ValueError("mmap closed or invalid")
        return self._data

    def _writable(self):
        data = self._open()
        if self._access == ACCESS_READ:
            raise TypeError("mmap can't modify a readonly memory map.")
        return data

    def __buffer__(self, flags):
        view = memoryview(self._open())
        if self._access == ACCESS_READ:
            view = view.toreadonly()
            if flags & 1:
                view.release()
                raise BufferError("Object is not writable.")
        self._exports += 1
        return view

    def __release_buffer__(self, view):
        self._exports -= 1
        view.release()

    def __len__(self):
        return len(self._open())

    def __getitem__(self, index):
        found = self._open()[index]
        return found if isinstance(found, int) else bytes(found)

    def __setitem__(self, index, value):
        data = self._writable()
        if isinstance(index, slice):
            value = bytes(memoryview(value))
            if len(range(*index.indices(len(data)))) != len(value):
                raise IndexError("mmap slice assignment is wrong size")
        data[index] = value

    def __contains__(self, value):
        return value in self._open()

    def __enter__(self):
        self._open()
        return self

    def __exit__(self, *exception):
        self.close()

    def __del__(self):
        if getattr(self, "_data", None) is not None:
            self._exports = 0
            self.close()

    def __repr__(self):
        if self._data is None:
            return "<mmap.mmap closed=True>"
        names = ("ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE", "ACCESS_COPY")
        return (
            f"<mmap.mmap closed=False, access={names[self._access]}, length={len(self._data)}, "
            f"pos={self._position}, offset={self._offset}>"
        )

    @property
    def closed(self):
        return self._data is None

    def close(self):
        """Write what was changed and forget it."""
        if self._exports:
            raise BufferError("cannot close exported pointers exist")
        if self._data is not None:
            try:
                self.flush()
            finally:
                self._data = None
                if self._file is not None:
                    os.close(self._file)
                    self._file = None

    def flush(self, offset=0, size=None, *, flags=0):
        """Write it to the file, if it was changed."""
        data = self._open()
        size = len(data) - offset if size is None else size
        if offset < 0 or size < 0 or offset + size > len(data):
            raise ValueError("flush values out of range")
        if self._access != ACCESS_WRITE or self._file is None:
            return
        # Where views write is not known.
        written = hash(bytes(data))
        if written == self._written:
            return
        os.lseek(self._file, self._offset + offset, os.SEEK_SET)
        with memoryview(data) as view:
            place, end = offset, offset + size
            while place < end:
                place += os.write(self._file, view[place : min(place + _PIECE, end)])
        if size == len(data):
            self._written = written

    def find(self, sub, start=None, end=None):
        start = self._position if start is None else start
        return self._open().find(sub, start, len(self._data) if end is None else end)

    def rfind(self, sub, start=None, end=None):
        start = self._position if start is None else start
        return self._open().rfind(sub, start, len(self._data) if end is None else end)

    def madvise(self, option, start=0, length=None):
        self._open()

    def move(self, dest, src, count):
        data = self._writable()
        if min(dest, src, count) < 0 or max(dest, src) + count > len(data):
            raise ValueError("source, destination, or count out of range")
        data[dest : dest + count] = data[src : src + count]

    def read(self, n=None):
        data = self._open()
        end = len(data) if n is None or n < 0 else min(len(data), self._position + n)
        found = bytes(data[self._position : end])
        self._position = max(self._position, end)
        return found

    def read_byte(self):
        data = self._open()
        if self._position >= len(data):
            raise ValueError("read byte out of range")
        self._position += 1
        return data[self._position - 1]

    def readline(self):
        end = self._open().find(b"\n", self._position)
        return self.read((len(self._data) if end < 0 else end + 1) - self._position)

    def resize(self, newsize):
        data = self._writable()
        if self._exports:
            raise BufferError("mmap can't resize with extant buffers exported.")
        if self._access == ACCESS_COPY:
            raise TypeError("mmap can't resize a readonly or copy-on-write memory map.")
        if self._file is not None:
            os.ftruncate(self._file, self._offset + newsize)
        data[newsize:] = bytes(max(0, newsize - len(data)))

    def seek(self, pos, whence=os.SEEK_SET):
        base = (0, self._position, len(self._open()))[whence]
        if not 0 <= base + pos <= len(self._data):
            raise ValueError("seek out of range")
        self._position = base + pos
        return self._position

    def seekable(self):
        return True

    def size(self):
        self._open()
        return len(self._data) if self._file is None else os.fstat(self._file).st_size

    def tell(self):
        self._open()
        return self._position

    def write(self, data):
        own = self._writable()
        piece = bytes(memoryview(data))
        if self._position + len(piece) > len(own):
            raise ValueError("data out of range")
        own[self._position : self._position + len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def write_byte(self, byte):
        data = self._writable()
        if self._position >= len(data):
            raise ValueError("write byte out of range")
        data[self._position] = byte
        self._position += 1


mmap.__module__ = "mmap"
