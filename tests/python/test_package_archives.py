"""Archives made to do harm, or just broken: each is refused with an error that names the entry."""

from __future__ import annotations

import gc
import gzip
import io
import itertools
import stat
import struct
import tarfile
import tempfile
import threading
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

import eryx
from conftest import open_descriptors
from eryx import InitializationError
from eryx.packages import _tree, collect
from wheel_files import tar_bytes, tar_member, wheel_bytes, zip_bytes

GOOD = {"greet/__init__.py": "x = 1"}
INFO = {"g-1/PKG-INFO": "Name: g\nVersion: 1\n", "g-1/g/__init__.py": "x = 1"}
LABEL = "evil-1.0-py3-none-any.whl"


def refused(data: bytes, label: str = LABEL) -> str:
    """What is said of an archive that must be refused."""
    with pytest.raises(InitializationError) as caught:
        collect([(label, data)])
    assert str(caught.value).startswith(f"{label}: ")
    assert caught.value.__cause__ is None
    return str(caught.value)


# Names that no entry may have, and what is said of them.
BAD_NAMES = [
    ("../evil.py", "'..'"),
    ("greet/../../evil.py", "'..'"),
    ("greet/..", "'..'"),
    ("..", "'..'"),
    ("/etc/evil.py", "absolute"),
    ("//host/evil.py", "absolute"),
    ("C:/evil.py", "drive letter"),
    ("c:evil.py", "drive letter"),
    ("greet\\evil.py", "backslash"),
    ("..\\evil.py", "backslash"),
    ("\\\\host\\evil.py", "backslash"),
    ("greet//evil.py", "empty name"),
    ("greet/./evil.py", "empty name or '.'"),
    ("././evil.py", "empty name or '.'"),
    ("greet/ev\til.py", "control character"),
    ("greet/ev\nil.py", "control character"),
    ("greet/\x1b[2Jevil.py", "control character"),
    ("greet/" + "n" * 256, "too long"),
    ("d/" * 600 + "x", "too long"),
]


class TestNames:
    @pytest.mark.parametrize(("name", "reason"), BAD_NAMES, ids=range(len(BAD_NAMES)))
    def test_zip(self, name: str, reason: str) -> None:
        message = refused(wheel_bytes(GOOD, more={name: "x"}))
        assert reason in message
        assert repr(name)[:150] in message

    @pytest.mark.parametrize(("name", "reason"), BAD_NAMES, ids=range(len(BAD_NAMES)))
    @pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])
    def test_tar(self, name: str, reason: str, kind: bytes) -> None:
        if kind == tarfile.DIRTYPE and name == "greet/..":
            name = "greet/../"
        message = refused(tar_bytes(INFO, members=[tar_member(name, kind, "x")]), "g-1.tar.gz")
        assert reason in message

    def test_nul(self) -> None:
        """zipfile cuts names at a NUL, which would make another name of them."""
        data = wheel_bytes(GOOD, more={"greet/evil.pyXtxt": "x"})
        message = refused(data.replace(b"evil.pyXtxt", b"evil.py\0txt"))
        assert "NUL" in message
        assert "evil.py\\x00txt" in message

    def test_another_name_at_the_contents(self) -> None:
        data = wheel_bytes(GOOD, more={"greet/a.py": "x"})
        assert "another name" in refused(data.replace(b"greet/a.py", b"greet/b.py", 1))

    @pytest.mark.parametrize(
        ("names", "reason"),
        [
            (("greet/a.py", "greet/a.py"), "is there twice"),
            (("greet/a.py", "greet/A.py"), "name of 'greet/a.py' but for its case"),
            (("greet/a.py", "Greet/b.py"), "but for its case"),
            (("greet/stra\u00dfe.py", "greet/STRASSE.py"), "but for its case"),
            (("greet/\u00e9.py", "greet/e\u0301.py"), "but for its case"),
            (("greet/a", "greet/a/b.py"), "'greet/a', which is a file"),
            (("greet/a/b.py", "greet/a"), "is there twice"),
            (("greet/a/", "greet/a"), "is there twice"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_names_that_collide(self, names: tuple[str, str], reason: str) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                archive.writestr(name, "" if name.endswith("/") else "x")
        assert reason in refused(buffer.getvalue())
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for name in names:
                kind = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
                archive.addfile(tar_member("g-1/" + name, kind))
        message = refused(gzip.compress(tar.getvalue()), "g-1.tar.gz")
        assert reason.replace("'greet", "'g-1/greet") in message

    def test_directories_may_be_named_again(self) -> None:
        data = wheel_bytes(GOOD, more={"greet/": "", "empty/": ""})
        assert "greet/__init__.py" in collect([data]).files


class TestKindsOfEntries:
    @pytest.mark.parametrize(
        ("mode", "reason"),
        [
            (stat.S_IFLNK, "is a link"),
            (stat.S_IFIFO, "device, pipe"),
            (stat.S_IFCHR, "device, pipe"),
            (stat.S_IFBLK, "device, pipe"),
            (stat.S_IFSOCK, "device, pipe"),
            (stat.S_IFDIR, "not by both"),
        ],
    )
    def test_zip(self, mode: int, reason: str) -> None:
        buffer = io.BytesIO(wheel_bytes(GOOD))
        with zipfile.ZipFile(buffer, "a") as archive:
            entry = zipfile.ZipInfo("greet/entry")
            entry.external_attr = (mode | 0o777) << 16
            archive.writestr(entry, "/etc/passwd")
        message = refused(buffer.getvalue())
        assert reason in message
        assert "'greet/entry'" in message

    @pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
    def test_tar_devices(self, kind: bytes) -> None:
        message = refused(tar_bytes(INFO, members=[tar_member("g-1/x", kind)]), "g-1.tar.gz")
        assert "'g-1/x' is a device or pipe" in message

    @pytest.mark.parametrize("kind", [b"S", b"V", b"M", b"D", b"Z", b"\xff"])
    def test_other_types_of_tar(self, kind: bytes) -> None:
        message = refused(tar_bytes(INFO, members=[tar_member("g-1/x", kind)]), "g-1.tar.gz")
        assert "sparse" in message or "unknown type" in message

    @pytest.mark.parametrize(
        ("kind", "target"),
        [
            (tarfile.SYMTYPE, "/etc/passwd"),
            (tarfile.SYMTYPE, "../../etc/passwd"),
            (tarfile.SYMTYPE, "g/../../../x"),
            (tarfile.SYMTYPE, "..\\x"),
            (tarfile.SYMTYPE, ""),
            (tarfile.LNKTYPE, "/etc/passwd"),
            (tarfile.LNKTYPE, "../x"),
            (tarfile.LNKTYPE, "g-1/../../x"),
        ],
    )
    def test_links_out_of_a_tar(self, kind: bytes, target: str) -> None:
        member = tar_member("g-1/link.py", kind, target)
        message = refused(tar_bytes(INFO, members=[member]), "g-1.tar.gz")
        assert "g-1" in message

    def test_links_within_a_tar(self) -> None:
        members = [
            tar_member("g-1/g/symbolic.py", tarfile.SYMTYPE, "./chain.py"),
            tar_member("g-1/g/chain.py", tarfile.SYMTYPE, "../g/hard.py"),
            tar_member("g-1/g/hard.py", tarfile.LNKTYPE, "g-1/g/__init__.py"),
            tar_member("g-1/g/directory", tarfile.SYMTYPE, ".."),
            tar_member("g-1/g/circle.py", tarfile.SYMTYPE, "circle.py"),
            tar_member("g-1/g/nothing.py", tarfile.SYMTYPE, "absent.py"),
        ]
        files = collect([tar_bytes(INFO, members=members)], bytecode=False).files
        assert {path for path in files if path.startswith("g/")} == {
            f"g/{name}.py" for name in ("__init__", "symbolic", "chain", "hard")
        }
        assert files["g/symbolic.py"] == b"x = 1"

    def test_nothing_is_written_through_a_link(self, tmp_path: Path) -> None:
        """The old trick: a link to a directory, then a file in it."""
        members = [tar_member("g-1/out", tarfile.SYMTYPE, str(tmp_path))]
        buffer = io.BytesIO(gzip.decompress(tar_bytes({}, members=members)))
        with tarfile.open(fileobj=buffer, mode="a") as archive:
            archive.addfile(tar_member("g-1/out/evil.py", tarfile.REGTYPE))
        refused(gzip.compress(buffer.getvalue()), "g-1.tar.gz")
        inside = [tar_member("g-1/out", tarfile.SYMTYPE, "g")]
        inside.append(tar_member("g-1/out/evil.py", tarfile.REGTYPE))
        message = refused(tar_bytes(INFO, members=inside), "g-1.tar.gz")
        assert "'g-1/out', which is a file" in message
        assert list(tmp_path.iterdir()) == []


def raw_zip(
    entries: list[tuple[str, bytes, int]],
    *,
    count: int | None = None,
    size: int | None = None,
    offset: int | None = None,
    crc: int | None = None,
) -> bytes:
    """A zip file out of (name, compressed data, claimed size), with what the end record claims."""
    data = bytearray()
    directory = bytearray()
    for name, compressed, claimed in entries:
        plain_crc = zlib.crc32(b"") if crc is None else crc
        fields = (20, 0, 8, 0, 0, plain_crc, len(compressed), claimed, len(name), 0)
        directory += struct.pack("<4sH5H3I2H", b"PK\1\2", 20, *fields)
        directory += struct.pack("<3H2I", 0, 0, 0, 0, len(data)) + name.encode()
        data += struct.pack("<4s5H3I2H", b"PK\3\4", *fields) + name.encode() + compressed
    end = struct.pack(
        "<4s4H2IH",
        b"PK\5\6",
        0,
        0,
        len(entries) if count is None else count,
        len(entries) if count is None else count,
        len(directory) if size is None else size,
        len(data) if offset is None else offset,
        0,
    )
    return bytes(data + directory + end)


def with_locator_of_zip64(entries: int) -> bytes:
    """A zip file whose end record speaks of one entry, and whose zip64 record of many."""
    directory = bytearray()
    for number in range(entries):
        name = b"%07d" % number
        directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", *(20, 20, *[0] * 7, 7), *[0] * 6) + name
    data = struct.pack("<4s5H3I2H", b"PK\3\4", 20, *[0] * 7, 7, 0) + b"0000000"
    begin, size = len(data), len(directory)
    end64 = (44, 45, 45, 0, 0, entries, entries, size, begin)
    data += directory + struct.pack("<4sQ2H2L4Q", b"PK\6\6", *end64)
    data += struct.pack("<4sLQL", b"PK\6\7", 0, begin + size, 1)
    return data + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 53, begin, 0)


def deflated(data: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(data) + squeezer.flush()


class TestBombs:
    def test_ratio(self) -> None:
        message = refused(wheel_bytes(GOOD, more={"greet/zeros.bin": bytes(64 << 20)}))
        assert "'greet/zeros.bin' makes it more than 200 times as large" in message

    def test_little_may_be_dense(self) -> None:
        """A small file that compresses very well is no bomb."""
        assert collect([wheel_bytes({**GOOD, "greet/zeros.bin": bytes(900_000)})]).size_bytes > 9e5

    def test_claimed_size(self) -> None:
        """Sizes are believed before anything is unpacked: 4 GiB cost nothing."""
        data = raw_zip([("greet/a.py", deflated(b"x"), 0xFFFF_FF00)])
        tracemalloc.start()
        assert "larger" in refused(data) or "200 times" in refused(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20 << 20

    def test_more_than_claimed(self) -> None:
        """What unpacks to more than it says is not unpacked further."""
        data = raw_zip([("greet/a.py", deflated(bytes(100 << 20)), 10)])
        tracemalloc.start()
        message = refused(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "'greet/a.py'" in message
        assert peak < 20 << 20

    def test_less_than_claimed(self) -> None:
        data = raw_zip([("greet/a.py", deflated(b"x"), 1000)], crc=zlib.crc32(b"x"))
        assert "'greet/a.py' has not the size that it says" in refused(data)

    def test_wrong_checksum(self) -> None:
        data = raw_zip([("greet/a.py", deflated(b"x"), 1)], crc=1)
        assert "'greet/a.py' is damaged" in refused(data)

    def test_overlapping_entries(self) -> None:
        """Many names for one piece of data: 42 kB could be petabytes."""
        kernel = deflated(bytes(1 << 20))
        good = raw_zip([("a.py", kernel, 1 << 20)])
        begin = good.index(b"PK\1\2")
        one = bytearray(good[begin : good.index(b"PK\5\6")])
        directory = b"".join(bytes(one).replace(b"a.py", b"%c.py" % n) for n in b"abcdefgh")
        end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 8, 8, len(directory), begin, 0)
        message = refused(good[:begin] + directory + end)
        assert "overlaps" in message or "200 times" in message
        small = raw_zip([("a.py", deflated(b"x"), 1), ("b.py", deflated(b"x"), 1)])
        position = small.rindex(b"PK\1\2")
        moved = bytearray(small)
        moved[position + 42 : position + 46] = bytes(4)
        assert "'b.py' overlaps" in refused(bytes(moved))

    def test_nested_archives_stay_packed(self) -> None:
        inner = zip_bytes({"zeros": bytes(10 << 20)})
        packages = collect([wheel_bytes({**GOOD, "greet/inner.zip": inner})])
        assert packages.files["greet/inner.zip"] == inner

    def test_number_of_entries(self) -> None:
        files = {f"greet/m{number}.txt": "" for number in range(10_001)}
        assert "more than 10,000 entries" in refused(wheel_bytes({**GOOD, **files}))
        members = [tar_member(f"g-1/{number}", tarfile.REGTYPE) for number in range(10_001)]
        assert "more than 10,000" in refused(tar_bytes(INFO, members=members), "g-1.tar.gz")

    def test_index_behind_a_zip64_locator(self) -> None:
        """zipfile takes the index that a zip64 locator leads to, whatever the end record says."""
        data = with_locator_of_zip64(50_000)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert len(archive.infolist()) == 50_000
        tracemalloc.start()
        assert "zip64" in refused(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 20

    def test_great_index(self) -> None:
        """The index of a zip file is bounded before zipfile reads it."""
        entries = [("n" * 200, b"", 0)] * 30_000
        assert "more than 10,000 entries" in refused(raw_zip(entries, count=1))

    def test_directory_of_many_files(self, tmp_path: Path) -> None:
        for number in range(10_001):
            (tmp_path / f"m{number}.py").touch()
        with pytest.raises(InitializationError, match="more than 10,000 entries"):
            collect([tmp_path])

    def test_gzip_ratio(self) -> None:
        data = gzip.compress(bytes(300 << 20))
        tracemalloc.start()
        message = refused(data, "g-1.tar.gz")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "200 times its size" in message
        assert peak < 100 << 20

    def test_number_of_gzip_streams(self) -> None:
        """Each stream that begins anew copied the rest of the file: 10 MB took an hour."""
        data = gzip.compress(b"") * 500_000
        begin = time.monotonic()
        assert "more than 10,000 gzip streams" in refused(data, "g-1.tar.gz")
        assert time.monotonic() - begin < 5

    def test_number_of_requirements(self) -> None:
        lines = "".join(f"Requires-Dist: name{number**3}\n" for number in range(10_001))
        message = refused(wheel_bytes(GOOD, name="evil", metadata=lines))
        assert "METADATA: it has more than 10,000 requirements" in message

    @pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", "g.egg-info/top_level.txt"])
    def test_great_files_for_builders(self, name: str) -> None:
        """Parsers of such files are slow enough that some megabytes would take minutes."""
        files = {**INFO, "g-1/g.egg-info/PKG-INFO": INFO["g-1/PKG-INFO"]}
        text = "".join(f"#{number**3}\n" for number in range(30_000))
        message = refused(tar_bytes({**files, f"g-1/{name}": text}), "g-1.tar.gz")
        assert f"{name} is larger than 256 KiB" in message

    def test_packages_that_are_named_over_and_over(self) -> None:
        files = {f"g-1/a/b{number}.py": "" for number in range(2000)}
        toml = "[tool.setuptools]\npackages=[" + "'a'," * 2000 + "]"
        message = refused(tar_bytes({**files, "g-1/pyproject.toml": toml}), "g-1.tar.gz")
        assert "named over and over" in message

    def test_many_modules_take_no_time(self) -> None:
        """The work is in proportion to the number of files, not to its square."""
        names = [f"m{number}.py" for number in range(9_000)]
        begin = time.monotonic()
        layer = collect([zip_bytes(dict.fromkeys(names, ""))], bytecode=False)
        source = {f"g-1/src/{name}": "" for name in names}
        project = collect(
            [tar_bytes({**source, "g-1/PKG-INFO": INFO["g-1/PKG-INFO"]})], bytecode=False
        )
        assert (len(layer.packages), project.packages[0].files) == (9_000, 9_000)
        assert time.monotonic() - begin < 15

    def test_total_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The cap of 512 MiB, here a smaller one, holds for each source and for all together."""
        monkeypatch.setattr(_tree, "MAX_BYTES", 100_000)
        noise = "".join(map(str, range(15_000)))
        assert "larger than 0 MiB" in refused(wheel_bytes({**GOOD, "greet/x": noise * 2}))
        sources = {f"g-1/{number}": noise for number in range(2)}
        assert "larger than 0 MiB" in refused(tar_bytes({**INFO, **sources}), "g-1.tar.gz")
        monkeypatch.setattr("eryx.packages._collect.MAX_BYTES", 100_000)
        wheels = [wheel_bytes({"x.txt": noise}, name=name) for name in ("one", "two")]
        with pytest.raises(InitializationError, match="makes the packages larger"):
            collect(wheels)


def tar_header(name: str, kind: bytes, size: bytes) -> bytes:
    """A header with any bytes for a size, and a right checksum."""
    header = bytearray(tar_member(name, kind).tobuf(tarfile.GNU_FORMAT)[:512])
    header[124:136] = size.ljust(12, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


class TestBrokenArchives:
    @pytest.mark.parametrize(
        ("size", "reason"),
        [
            (b"\x80" + bytes(7) + b"\0\1\0\0", "not a plain number"),
            (b"\xff" * 12, "not a plain number"),
            (b"-0000000100", "not a plain number"),
            (b"99999999999", "not an octal number"),
            (b"", "not a plain number"),
            (b"77777777777", "is cut off"),
            (b"00000001000", "is cut off"),
        ],
    )
    def test_sizes_in_tars(self, size: bytes, reason: str) -> None:
        """Negative sizes make some versions of tarfile loop forever."""
        data = tar_header("g-1/x.py", b"0", size)
        assert reason in refused(gzip.compress(data), "g-1.tar.gz")

    @pytest.mark.parametrize(
        ("records", "reason"),
        [
            (b"17 size=99999999\n", "attribute size"),
            (b"10 size=1\n", "attribute size"),
            (b"27 GNU.sparse.realsize=999\n", "GNU.sparse"),
            (b"junk", "malformed"),
            (b"0 a=b\n", "malformed"),
            (b"99 a=b\n", "malformed"),
            (b"-5 a=b\n", "malformed"),
            (b"6 a=b\n6 ab\n", "malformed"),
            (b"9" * 5000 + b" a=b\n", "malformed"),
        ],
    )
    @pytest.mark.parametrize("kind", [b"x", b"g"])
    def test_attributes_in_tars(self, records: bytes, reason: str, kind: bytes) -> None:
        head = tar_header("pax", kind, b"%011o" % len(records))
        data = head + records + bytes(-len(records) % 512) + tar_header("g-1/x", b"0", b"0")
        assert reason in refused(gzip.compress(data + bytes(1024)), "g-1.tar.gz")

    @pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
    def test_great_attributes_in_tars(self, kind: bytes) -> None:
        data = tar_header("pax", kind, b"%011o" % (1 << 20)) + bytes(1 << 20)
        assert "too long" in refused(gzip.compress(data, 1), "g-1.tar.gz")

    def test_directory_with_contents(self) -> None:
        """tarfile would read these contents as headers."""
        for kind, name in ((b"5", "g-1/d"), (b"\0", "g-1/d/"), (b"2", "g-1/l"), (b"1", "g-1/l")):
            data = tar_header(name, kind, b"00000001000") + tar_header("x", b"0", b"\xff" * 12)
            message = refused(gzip.compress(data + bytes(1024)), "g-1.tar.gz")
            assert "link or directory with contents" in message

    def test_header_that_tarfile_takes_for_the_end(self) -> None:
        """A damaged header in the middle cut the archive off without a word."""
        plain = bytearray(gzip.decompress(tar_bytes({**INFO, "g-1/g/last.py": "y = 1"})))
        position = plain.index(b"g-1/g/last.py")
        for offset in (108, 148):  # the owner, and the checksum
            damaged = plain.copy()
            damaged[position + offset] = 0xFF
            message = refused(gzip.compress(damaged), "g-1.tar.gz")
            assert "an entry cannot be read" in message

    @pytest.mark.parametrize(
        ("kind", "body"), [(b"x", b"6 a=b\n"), (b"g", b"6 a=b\n"), (b"L", b"n\0")]
    )
    def test_many_headers_before_one_entry(self, kind: bytes, body: bytes) -> None:
        """tarfile calls itself for each of them, until there is no stack any more."""
        extension = tar_header("x", kind, b"%011o" % len(body)) + body.ljust(512, b"\0")
        data = extension * 3000 + tar_header("g-1/x.py", b"0", b"0") + bytes(1024)
        assert "too many headers" in refused(gzip.compress(data), "g-1.tar.gz")

    def test_long_names_in_tars(self) -> None:
        """Both ways to write long names are read, and checked as others are."""
        for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            for name, fine in (("g-1/g/" + "n" * 150 + ".py", True), ("../" * 60 + "x", False)):
                buffer = io.BytesIO()
                with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as archive:
                    for path, text in INFO.items():
                        member = tarfile.TarInfo(path)
                        member.size = len(text)
                        archive.addfile(member, io.BytesIO(text.encode()))
                    archive.addfile(tarfile.TarInfo(name))
                data = gzip.compress(buffer.getvalue())
                if fine:
                    assert name[4:] in collect([data], bytecode=False).files
                else:
                    assert "'..'" in refused(data, "g-1.tar.gz")

    def test_every_cut(self) -> None:
        """An archive that lacks its end is refused wherever it was cut."""
        wheel = wheel_bytes(GOOD)
        for size in range(0, len(wheel), 7):
            refused(wheel[:size])
        source = tar_bytes(INFO)
        for size in range(0, len(source) - 1, 5):
            refused(source[:size], "g-1.tar.gz")

    def test_every_flip(self) -> None:
        """Whatever byte is changed, there is a package or an InitializationError."""
        label, data = LABEL.replace("evil", "greet"), wheel_bytes(GOOD)
        messages = []
        for position, change in itertools.product(range(len(data)), (0xFF, 0x01, 0x80)):
            bad = bytearray(data)
            bad[position] ^= change
            try:
                collect([(label, bytes(bad))], bytecode=False)
            except InitializationError as error:
                messages.append(str(error))
        assert len(messages) > len(data)
        assert all(message.startswith(f"{label}: ") for message in messages)

    def test_every_flip_of_a_tar(self) -> None:
        plain = gzip.decompress(tar_bytes(INFO))
        messages = []
        for position, change in itertools.product(range(3072), (0xFF, 0x01)):
            bad = bytearray(plain)
            bad[position] ^= change
            try:
                collect([("g-1.tar.gz", gzip.compress(bytes(bad), 0))], bytecode=False)
            except InitializationError as error:
                messages.append(str(error))
        assert len(messages) > 1000
        assert all(message.startswith("g-1.tar.gz: ") for message in messages)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "no start or no end"),
            (b"PK\3\4", "no start or no end"),
            (b"PK\5\6", "cut off"),
            (b"junk" + zip_bytes({"a": "b"}), "no start"),
            (raw_zip([("a.py", b"\xff\xff", 5)]), "'a.py' is damaged"),
            (raw_zip([("a.py", b"", 0)], offset=5000), "outside"),
            (raw_zip([("a.py", b"", 0)], offset=0xFFFFFFFF), "zip64"),
            (raw_zip([("a.py", b"", 0)], count=0xFFFF), "zip64"),
            (raw_zip([("a.py", b"", 0)], size=2), "broken zip"),
        ],
    )
    def test_zips(self, data: bytes, reason: str) -> None:
        assert reason in refused(data)

    def test_methods_and_encryption(self) -> None:
        for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            data = zip_bytes({"greet/a.py": "x"}, compression=compression)
            assert "compression method" in refused(data)
        encrypted = bytearray(zip_bytes({"greet/a.py": "x"}))
        for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            encrypted[encrypted.index(magic) + offset] |= 1
        assert "is encrypted" in refused(bytes(encrypted))

    def test_gzip_members(self) -> None:
        """Several gzip streams in a row are one file, as everywhere; junk behind them is not."""
        data = gzip.decompress(tar_bytes(INFO))
        parts = gzip.compress(data[:1000]) + gzip.compress(data[1000:])
        assert collect([parts + bytes(512)]).packages
        assert "broken gzip" in refused(parts + b"junk", "g-1.tar.gz")

    def test_nothing_is_left_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """No files, no descriptors, no threads, whatever was wrong, also for whole factories."""
        for variable in ("TMPDIR", "ERYX_CACHE_DIR", "HOME"):
            monkeypatch.setenv(variable, str(tmp_path))
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.chdir(tmp_path)
        bad = [
            (LABEL, wheel_bytes(GOOD, more={"../evil.py": "x"})),
            (LABEL, wheel_bytes(GOOD, more={"zeros": bytes(64 << 20)})),
            (LABEL, wheel_bytes(GOOD)[:-30]),
            ("evil-1.0-cp313-cp313-linux_x86_64.whl", wheel_bytes(GOOD, name="evil")),
            ("g-1.tar.gz", tar_bytes(INFO, members=[tar_member("/x", tarfile.REGTYPE)])),
            ("g-1.tar.gz", tar_bytes(INFO)[:-20]),
        ]
        gc.collect()
        before = open_descriptors(), threading.active_count()
        for label, data in bad:
            refused(data, label)
            with pytest.raises(InitializationError, match=f"^{label}: "):
                eryx.SandboxFactory(packages=[(label, data)], cache=True)
        gc.collect()
        assert (open_descriptors(), threading.active_count()) == before
        assert list(tmp_path.iterdir()) == []

    def test_sandbox_works_after_errors(self, sandbox: eryx.Sandbox) -> None:
        for data in (b"", b"PK\3\4"):
            refused(data)
        assert sandbox.execute("print(1)").stdout == "1"


def test_limits_are_as_documented() -> None:
    assert (_tree.MAX_FILES, _tree.MAX_BYTES, _tree.MAX_RATIO) == (10_000, 512 << 20, 200)
