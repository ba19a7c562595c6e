"""os.dup(), os.dup2() and mmap in the guest."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

import eryx


def run(program: str, **options: object) -> str:
    return eryx.Sandbox(**options).execute(textwrap.dedent(program)).stdout  # type: ignore[arg-type]


class TestDup:
    def test_of_a_file(self) -> None:
        program = """
            import os
            file = open("/tmp/f", "w+b")
            file.write(b"one two")
            file.flush()
            copy = os.dup(file.fileno())
            print(copy != file.fileno(), os.lseek(copy, 0, os.SEEK_CUR))
            os.write(copy, b" three")
            file.close()
            os.lseek(copy, 0, os.SEEK_SET)
            print(os.read(copy, 100))
            os.close(copy)
        """
        assert run(program) == "True 7\nb'one two three'"

    def test_of_a_file_that_is_gone(self) -> None:
        program = """
            import os
            file = open("/tmp/f", "w+")
            file.write("text")
            file.flush()
            os.remove("/tmp/f")
            with open(os.dup(file.fileno())) as copy:
                copy.seek(0)
                print(copy.read(), os.path.exists("/tmp/f"))
        """
        assert run(program) == "text False"

    def test_of_a_file_that_is_only_read(self) -> None:
        program = """
            import os
            open("/tmp/f", "w").write("text")
            with open("/tmp/f") as file:
                copy = os.dup(file.fileno())
            print(os.read(copy, 9))
            try:
                os.write(copy, b"x")
            except OSError as error:
                print(type(error).__name__, open("/tmp/f").read())
        """
        assert run(program) == "b'text'\nOSError text"

    @pytest.mark.parametrize(
        ("call", "errno"),
        [("77", "EBADF"), ("-1", "EBADF")],
    )
    def test_of_something_else(self, call: str, errno: str) -> None:
        program = f"""
            import errno, os
            try:
                os.dup({call})
            except OSError as error:
                print(errno.errorcode[error.errno])
        """
        assert run(program) == errno

    def test_of_a_directory(self) -> None:
        program = """
            import os
            open("/tmp/f", "w").close()
            folder = os.open("/tmp", os.O_RDONLY)
            copy = os.dup(folder)
            os.close(folder)
            print(os.stat("f", dir_fd=copy).st_size, os.path.sameopenfile(copy, os.dup(copy)))
        """
        assert run(program) == "0 True"

    def test_of_devices(self) -> None:
        program = """
            import os
            print(os.read(os.dup(os.open("/dev/zero", os.O_RDONLY)), 2))
            null = os.dup(os.open(os.devnull, os.O_RDWR))
            print(os.write(null, b"abc"), os.read(null, 9))
        """
        assert run(program) == "b'\\x00\\x00'\n3 b''"

    def test_what_is_appended_to_stays_so(self) -> None:
        program = """
            import os
            with open("/tmp/f", "a") as file:
                copy = os.dup(file.fileno())
                os.write(file.fileno(), b"long text")
                os.write(copy, b" and more")
            print(open("/tmp/f").read())
        """
        assert run(program) == "long text and more"

    def test_number_that_is_the_next_free_one(self) -> None:
        program = """
            import os
            free = os.dup(1)
            os.close(free)
            print(os.dup2(1, free) == free, os.write(free, b"x"))
        """
        assert run(program) == "xTrue 1"

    def test_standard_streams_that_go_elsewhere_and_back(self) -> None:
        program = """
            import os
            saved = os.dup(1)
            with open("/tmp/f", "w+b") as file:
                print(os.dup2(file.fileno(), 1), file=open(os.dup(2), "w"))
                print("into the file")
                os.write(1, b"and this")
                os.dup2(saved, 1)
                os.close(saved)
            print(open("/tmp/f").read())
        """
        done = eryx.Sandbox().execute(textwrap.dedent(program))
        assert done.stdout == "into the file\nand this"
        assert done.stderr == "1"

    @pytest.mark.parametrize(
        "program",
        [
            "os.close(1), os.close(0)",
            "os.dup2(os.open('/tmp/f', os.O_CREAT | os.O_RDWR), 1), os.dup2(1, 0)",
            "os.dup2(os.pipe()[1], 1), os.dup2(os.open(os.devnull, os.O_RDONLY), 0)",
            "copy = os.dup(1); os.close(1); os.close(copy); os.close(0)",
            "os.dup2(2, 1), os.dup2(1, 0)",
            "os.closerange(0, 300)",
        ],
    )
    def test_each_run_has_its_standard_streams(self, program: str, tmp_path: Path) -> None:
        session = eryx.Session()
        for _ in range(2):
            session.execute(f"import os; {program}")
            assert session.execute("print(input())", stdin="text\n").stdout == "text"
        session.execute(f"import os; {program}")
        session.save(tmp_path / "saved")
        other = eryx.Session()
        other.load(tmp_path / "saved")
        for each in (session.fork(), other):
            assert each.execute("print(input())", stdin="text\n").stdout == "text"

    def test_a_number_that_is_free_or_taken(self) -> None:
        program = """
            import os
            file = os.open("/tmp/f", os.O_CREAT | os.O_RDWR)
            print(os.dup2(file, 200), os.write(200, b"abc"), os.dup2(200, 200))
            read, write = os.pipe()
            print(os.dup2(write, file) == file, os.write(file, b"pipe"))
            os.close(write), os.close(file)
            print(os.read(read, 9), os.read(read, 9), os.path.getsize("/tmp/f"))
            for number in (-1, 3, 1 << 20):
                try:
                    os.dup2(200, number)
                except OSError as error:
                    print(error.strerror)
            print(os.listdir("/tmp"))
        """
        assert run(program).splitlines() == [
            *("200 3 200", "True 4", "b'pipe' b'' 3"),
            *(["Bad file descriptor"] * 3),
            "['f']",
        ]

    @pytest.mark.parametrize("name", ["", "0", "xyz", "1" * 17, "1" * 400, "ff/..", "12\\0"])
    def test_paths_that_a_program_makes_up(self, name: str) -> None:
        program = f"""
            import os
            try:
                os.close(os.open("/\\1open/{name}", os.O_RDWR | os.O_CREAT))
            except (OSError, ValueError) as error:
                print("refused")
        """
        assert run(program) == "refused"

    def test_limit_of_files(self) -> None:
        program = """
            import os
            file = open("/tmp/f", "w")
            copies = []
            try:
                while True:
                    copies.append(os.dup(file.fileno()))
            except OSError:
                print(len(copies) > 10)
        """
        assert run(program) == "True"


class TestMmap:
    def test_without_a_file(self) -> None:
        program = """
            import mmap
            with mmap.mmap(-1, 10) as m:
                m.write(b"abc")
                m[5] = 65
                m[6:8] = b"BC"
                print(bytes(m), len(m), m.tell(), m.find(b"A"), m[:3], m[5])
            print(m.closed)
        """
        assert run(program) == r"b'abc\x00\x00ABC\x00\x00' 10 3 5 b'abc' 65" + "\nTrue"

    def test_file_is_written_when_it_is_flushed(self) -> None:
        program = """
            import mmap
            open("/tmp/f", "wb").write(b"hello world")
            with open("/tmp/f", "r+b") as file:
                m = mmap.mmap(file.fileno(), 0)
            m[:5] = b"HELLO"
            print(open("/tmp/f").read())
            m.flush()
            print(open("/tmp/f").read())
            m[6:] = b"WORLD"
            m.close()
            print(open("/tmp/f").read())
        """
        assert run(program) == "hello world\nHELLO world\nHELLO WORLD"

    def test_what_views_write_gets_there_as_well(self) -> None:
        program = """
            import mmap, struct
            open("/tmp/f", "wb").write(bytes(8192))
            with open("/tmp/f", "r+b") as file, mmap.mmap(file.fileno(), 8, offset=4096) as m:
                with memoryview(m) as view:
                    struct.pack_into("<q", view, 0, 7)
                    try:
                        m.close()
                    except BufferError as error:
                        print(error)
            print(open("/tmp/f", "rb").read()[4096:4104])
        """
        assert (
            run(program) == "cannot close exported pointers exist\n" + r"b'\x07" + r"\x00" * 7 + "'"
        )

    @pytest.mark.parametrize("access", ["ACCESS_READ", "ACCESS_COPY"])
    def test_access(self, access: str) -> None:
        program = f"""
            import mmap
            open("/tmp/f", "wb").write(b"text")
            with open("/tmp/f", "rb") as file:
                m = mmap.mmap(file.fileno(), 0, access=mmap.{access})
            try:
                m[0] = 84
            except TypeError as error:
                print(error, memoryview(m).readonly)
            else:
                print(bytes(m), memoryview(m).readonly)
            m.flush()
            print(open("/tmp/f").read())
        """
        read_only = "mmap can't modify a readonly memory map. True"
        expected = read_only if access == "ACCESS_READ" else "b'Text' False"
        assert run(program) == f"{expected}\ntext"

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ("f.fileno(), 5", "ValueError: mmap length is greater than file size"),
            ("f.fileno(), -1", "OverflowError: memory mapped length must be positive"),
            ("f.fileno(), 1, offset=3", "OSError: [Errno 22] Invalid argument"),
            ("-1, 0", "OSError: [Errno 22] Invalid argument"),
            ("99, 1", "OSError: [Errno 8] Bad file descriptor"),
            ("f.fileno(), 1, access=9", "ValueError: mmap invalid access parameter."),
        ],
    )
    def test_errors(self, arguments: str, error: str) -> None:
        program = f"""
            import mmap
            open("/tmp/f", "wb").write(b"text")
            f = open("/tmp/f", "r+b")
            try:
                mmap.mmap({arguments})
            except Exception as error:
                print(f"{{type(error).__name__}}: {{error}}")
        """
        assert run(program) == error

    def test_reading_seeking_and_moving(self) -> None:
        program = """
            import mmap
            m = mmap.mmap(-1, 12)
            m.write(b"one\\ntwo\\nend")
            m.seek(0)
            print(m.readline(), m.read(2), m.read_byte(), m.rfind(b"n", 0), m.read()[:4])
            m.move(0, 4, 3)
            m.resize(14)
            print(m[:8], len(m), b"end" in m, m.size())
        """
        assert run(program) == (
            r"b'one\n' b'tw' 111 9 b'\nend'" + "\n" + r"b'two\ntwo\n' 14 True 14"
        )
