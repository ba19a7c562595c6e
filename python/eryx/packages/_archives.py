"""Reads zip and tar files into trees, with rules stricter than those of zipfile and tarfile.

Nothing is written to disk. Sizes are checked before anything is unpacked, and nothing is unpacked
beyond the size that was checked.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib

from eryx._errors import InitializationError
from eryx.packages._tree import MAX_BYTES, MAX_FILES, MAX_RATIO, Tree, check_name, problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tarfile
    import zipfile

_SLICE = 16 * 1024  # of compressed data; at most 1,032 times as much comes out of it
_FREE_BYTES = 4 * 1024 * 1024  # so much may come out of a gzip file whatever its ratio is

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_LOCAL_MAGIC = b"PK\3\4"
_END_MAGIC = b"PK\5\6"
_END_RECORD = struct.Struct("<4s4H2IH")
_END64_MAGIC = b"PK\6\7"  # of a locator, which lies right before the end record
_END64_SIZE = 20
_MAX_COMMENT = 65_535
_MAX_DIRECTORY_BYTES = 512 * MAX_FILES
_FLAG_ENCRYPTED = 0x1 | 0x40 | 0x2000
_FLAG_PATCHED = 0x20

_BLOCK = 512
_EXTENSIONS = (b"x", b"g", b"L", b"K")  # headers that say more about the entry behind them
_MAX_EXTENSIONS = 8  # in a row, since tarfile calls itself for each
_MAX_EXTENDED_BYTES = 64 * 1024  # of one pax header or one long name


def read_zip(label: str, data: bytes) -> Tree:
    """The files of a zip file. Raises InitializationError that names the file and the entry."""
    import zipfile

    _check_end_record(label, data)
    tree = Tree(label, compressed_size=len(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [(info, _claim(tree, info)) for info in archive.infolist()]
            _check_extents(label, data, [info for info, _ in entries])
            for info, path in entries:
                if not info.is_dir():
                    tree.files[path] = _read_member(label, archive, info)
    except InitializationError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OverflowError) as error:
        raise InitializationError(f"{label}: broken zip file: {error}") from None
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise InitializationError(f"{label}: cannot be read as a zip file: {error}") from None
    return tree


def _check_end_record(label: str, data: bytes) -> None:
    """Bounds what zipfile reads before it lets us see anything: the central directory."""
    position = data.rfind(_END_MAGIC, max(0, len(data) - _END_RECORD.size - _MAX_COMMENT))
    if not data.startswith((_LOCAL_MAGIC, _END_MAGIC)) or position < 0:
        raise InitializationError(f"{label}: broken zip file: it has no start or no end")
    if len(data) - position < _END_RECORD.size:
        raise InitializationError(f"{label}: broken zip file: it is cut off")
    record = _END_RECORD.unpack_from(data, position)
    _, disk, directory_disk, here, count, directory_size, directory_offset, _ = record
    if disk or directory_disk or here != count:
        raise InitializationError(f"{label}: is a part of a zip file in several parts")
    # zipfile believes a locator whatever the end record says.
    has_locator = data[max(0, position - _END64_SIZE) : position].startswith(_END64_MAGIC)
    if has_locator or count == 0xFFFF or 0xFFFFFFFF in (directory_size, directory_offset):
        raise InitializationError(f"{label}: is a zip64 file, which is larger than is allowed")
    if count > MAX_FILES or directory_size > _MAX_DIRECTORY_BYTES:
        raise InitializationError(f"{label}: it has more than {MAX_FILES:,} entries")
    if directory_offset + directory_size > position:
        raise InitializationError(f"{label}: broken zip file: its directory lies outside of it")


def _claim(tree: Tree, info: zipfile.ZipInfo) -> str:
    name = info.orig_filename
    if info.flag_bits & (_FLAG_ENCRYPTED | _FLAG_PATCHED):
        raise problem(tree.label, name, "is encrypted or a patch")
    if info.compress_type not in (0, 8):
        raise problem(tree.label, name, f"has compression method {info.compress_type}")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise problem(tree.label, name, "is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise problem(tree.label, name, "is a device, pipe or socket")
    is_directory = name.endswith("/")
    if is_directory != (kind == stat.S_IFDIR) and kind:
        raise problem(tree.label, name, "is a file by its name or its mode, but not by both")
    if is_directory and info.file_size:
        raise problem(tree.label, name, "is a directory with contents")
    return tree.claim(name, info.file_size, is_file=not is_directory)


def _check_extents(label: str, data: bytes, entries: list[zipfile.ZipInfo]) -> None:
    """Refuses entries that share bytes, or whose name at the data is another than in the index."""
    end = 0
    for info in sorted(entries, key=lambda info: info.header_offset):
        name = info.orig_filename
        if info.header_offset < end:
            raise problem(label, name, "overlaps another entry")
        if info.header_offset + _LOCAL_HEADER.size > len(data):
            raise problem(label, name, "lies outside of the archive")
        magic, *_, name_size, extra_size = _LOCAL_HEADER.unpack_from(data, info.header_offset)
        if magic != _LOCAL_MAGIC:
            raise problem(label, name, "lies where no entry begins")
        begin = info.header_offset + _LOCAL_HEADER.size
        encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
        if data[begin : begin + name_size] != name.encode(encoding, "replace"):
            raise problem(label, name, "has another name at its contents")
        end = begin + name_size + extra_size + info.compress_size
        if end > len(data):
            raise problem(label, name, "lies outside of the archive")


def _read_member(label: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    import zipfile

    try:
        with archive.open(info) as stream:
            data = stream.read(info.file_size)
            # Reading on to the end is what checks the checksum.
            if len(data) != info.file_size or stream.read(1):
                raise problem(label, info.orig_filename, "has not the size that it says")
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise problem(label, info.orig_filename, f"is damaged: {error}") from None
    return data


def read_tar_gz(label: str, data: bytes) -> Tree:
    """The files of a compressed tar file, links among them followed. Raises InitializationError."""
    import tarfile

    plain = _gunzip(label, data)
    count = _check_tar(label, plain)
    tree = Tree(label)
    links: list[tuple[str, str]] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:", encoding="utf-8") as archive:
            for member in archive:
                _take_member(tree, archive, member, links)
                count -= 1
    except InitializationError:
        raise
    except (tarfile.TarError, ValueError, EOFError, OSError, OverflowError) as error:
        raise InitializationError(f"{label}: broken tar file: {error}") from None
    if count:  # tarfile takes a header that it cannot read for the end
        raise InitializationError(f"{label}: broken tar file: an entry cannot be read")
    _follow_links(tree, links)
    return tree


def _gunzip(label: str, data: bytes) -> bytes:
    allowed = min(2 * MAX_BYTES, max(_FREE_BYTES, len(data) * MAX_RATIO))
    parts: list[bytes] = []
    size = streams = 0
    stream = None
    for begin in range(0, len(data), _SLICE):
        waiting = data[begin : begin + _SLICE]
        while waiting:
            if stream is None:
                waiting = waiting.lstrip(b"\0") if streams else waiting
                if not waiting:
                    break
                stream = zlib.decompressobj(wbits=31)
                streams += 1
            try:
                parts.append(stream.decompress(waiting))
            except zlib.error as error:
                raise InitializationError(f"{label}: broken gzip file: {error}") from None
            waiting = stream.unused_data
            if stream.eof:
                stream = None
            size += len(parts[-1])
            if size > allowed:
                raise InitializationError(
                    f"{label}: it unpacks to more than {MAX_RATIO} times its size"
                    f" or {MAX_BYTES >> 20} MiB"
                )
            if streams > MAX_FILES:
                raise InitializationError(f"{label}: it has more than {MAX_FILES:,} gzip streams")
    if stream is not None or not streams:
        raise InitializationError(f"{label}: broken gzip file: it is cut off")
    return b"".join(parts)


def _check_tar(label: str, plain: bytes) -> int:
    """Walks over the headers, whose sizes tarfile believes; gives the number of entries."""
    position = count = extensions = 0
    while position + _BLOCK <= len(plain):
        header = plain[position : position + _BLOCK]
        if not header.strip(b"\0"):
            return count
        name = header[:100].partition(b"\0")[0].decode("utf-8", "replace")
        kind = header[156:157]
        digits = header[124:136].strip(b" \0")
        if not digits.isdigit():
            raise problem(label, name, "has a size that is not a plain number")
        try:
            size = int(digits, 8)
        except ValueError:
            raise problem(label, name, "has a size that is not an octal number") from None
        if kind in (b"3", b"4", b"6"):
            raise problem(label, name, "is a device or pipe")
        if kind == b"S":
            raise problem(label, name, "is a sparse file")
        if kind not in (b"\0", b"0", b"1", b"2", b"5", b"7", *_EXTENSIONS):
            raise problem(label, name, f"is of the unknown type {kind!r}")
        begin = position + _BLOCK
        extensions = extensions + 1 if kind in _EXTENSIONS else 0
        if extensions > _MAX_EXTENSIONS:
            raise problem(label, name, "has too many headers")
        if extensions:
            if size > _MAX_EXTENDED_BYTES:
                raise problem(label, name, "has a name or attributes that are too long")
            if kind in (b"x", b"g"):
                _check_pax(label, name, plain[begin : begin + size])
        elif size and (kind in (b"1", b"2", b"5") or (kind == b"\0" and name.endswith("/"))):
            raise problem(label, name, "is a link or directory with contents")
        if begin + size > len(plain):
            raise problem(label, name, "is cut off")
        position = begin + (size + _BLOCK - 1) // _BLOCK * _BLOCK
        count += not extensions
        if count > MAX_FILES:
            raise InitializationError(f"{label}: it has more than {MAX_FILES:,} entries")
    if position == 0:
        raise InitializationError(f"{label}: broken tar file: it is empty")
    return count


def _check_pax(label: str, name: str, records: bytes) -> None:
    """Attributes are fine as long as they do not change where an entry ends."""
    position = 0
    while position < len(records):
        digits, space, _ = records[position : position + 21].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = records[position + len(digits) + 1 : position + length]
        whole = position + length <= len(records) and record.endswith(b"\n")
        if not space or not whole or b"=" not in record:
            raise problem(label, name, "has attributes that are malformed")
        key = record.partition(b"=")[0]
        if key == b"size" or key.startswith(b"GNU.sparse"):
            raise problem(label, name, f"has the attribute {key.decode()}, which is not allowed")
        position += length


def _take_member(
    tree: Tree, archive: tarfile.TarFile, member: tarfile.TarInfo, links: list[tuple[str, str]]
) -> None:
    name = member.name
    if name in (".", "./") and member.isdir():
        return
    if member.isdir():
        tree.claim(name, 0, is_file=False)
        return
    if member.issym() or member.islnk():
        target = member.linkname
        if member.issym():
            target = _link_target(tree.label, name, target)
        if target != ".":
            target = check_name(tree.label, target)
        links.append((tree.claim(name, 0, is_file=True), target))
        return
    if not member.isreg():
        raise problem(tree.label, name, "is a device or pipe")
    path = tree.claim(name, member.size, is_file=True)
    stream = archive.extractfile(member)
    data = stream.read() if stream is not None else b""
    if len(data) != member.size:
        raise problem(tree.label, name, "is cut off")
    tree.files[path] = data


def _link_target(label: str, name: str, target: str) -> str:
    """Where in the archive a symbolic link leads."""
    if target.startswith("/") or "\\" in target or not target:
        raise problem(label, name, f"is a link to {target!r}, which is outside of the archive")
    parts = name.removeprefix("./").split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            if not parts:
                raise problem(label, name, f"is a link to {target!r}, outside of the archive")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "."


def _follow_links(tree: Tree, links: list[tuple[str, str]]) -> None:
    """Puts copies where links to files are. Links to directories or nothing are left out."""
    waiting = dict(links)
    for path in list(waiting):
        target, steps = waiting[path], 0
        while target in waiting and steps < 16:
            target, steps = waiting[target], steps + 1
        data = tree.files.get(target)
        if data is not None:
            tree.grow(path, len(data))
            tree.files[path] = data
