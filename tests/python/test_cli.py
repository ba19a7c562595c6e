"""The command eryx."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import eryx
from eryx._cli_commands import COMMANDS
from eryx._cli_doctor import _EXTRAS

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "eryx"]


def cli(
    *arguments: str,
    stdin: str | bytes | None = None,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs the command; without stdin it gets an empty pipe."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=data or b"",
        capture_output=True,
        timeout=60,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


class TestPrograms:
    def test_code(self) -> None:
        done = cli("-c", "print('hello')")
        assert (done.stdout, done.stderr, done.returncode) == ("hello\n", "", 0)

    def test_empty_code(self) -> None:
        done = cli("-c", "")
        assert (done.stdout, done.returncode) == ("", 0)

    def test_file(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_text("import sys\nprint('füle', sys.argv[1:])")
        done = cli(str(script), "a", "-b", "--", "--json", "--help")
        assert done.stdout == "füle ['a', '-b', '--', '--json', '--help']\n"
        assert done.returncode == 0

    def test_dashes_behind_a_file(self, tmp_path: Path) -> None:
        """They were needed once, and do nothing."""
        script = tmp_path / "script.py"
        script.write_text("import sys\nprint(sys.argv[1:])")
        assert cli(str(script), "--", "a", "--", "-b").stdout == "['a', '--', '-b']\n"

    def test_options_in_front_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "s.py").write_text("import sys\nprint(sys.argv)")
        for options in (["--timeout", "9s"], ["--timeout=9s", "--net"], ["-eA=1"], ["-e", "A=-m"]):
            done = cli(*options, "s.py", "--timeout", "x", cwd=tmp_path)
            assert done.stdout == "['s.py', '--timeout', 'x']\n"

    def test_name_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "script.py").write_text("import sys\nprint(sys.argv[0])\n1/0")
        done = cli("script.py", cwd=tmp_path)
        assert done.stdout == "script.py\n"
        assert '  File "script.py", line 3, in <module>' in done.stderr

    def test_name_that_a_terminal_could_act_on(self, tmp_path: Path) -> None:
        script = tmp_path / "a\x1b.py"
        script.write_text("1/0")
        assert "a\\x1b.py" in cli(str(script)).stderr

    def test_module(self) -> None:
        done = cli("-m", "json.tool", "--compact", stdin='{"a": [1, 2]}')
        assert (done.stdout, done.returncode) == ('{"a":[1,2]}\n', 0)

    def test_help_of_a_module_is_its_own(self) -> None:
        assert cli("-m", "json.tool", "--help").stdout.startswith("usage: eryx -m json.tool")

    def test_module_that_is_not_there(self) -> None:
        done = cli("-m", "nonexistent.module")
        assert done.returncode == 1
        assert "nonexistent" in done.stderr
        assert "Traceback" not in done.stderr

    def test_file_with_a_byte_order_mark(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_bytes(b"\xef\xbb\xbfprint(1)")
        assert cli(str(script)).stdout == "1\n"

    @pytest.mark.parametrize("arguments", [["script.py"], ["-"], []])
    def test_coding_cookie(self, tmp_path: Path, arguments: list[str]) -> None:
        source = "# -*- coding: latin-1 -*-\ns = 'caf\xe9'\nprint(s, len(s))\n".encode("latin-1")
        (tmp_path / "script.py").write_bytes(source)
        assert cli(*arguments, stdin=source, cwd=tmp_path).stdout == "café 4\n"

    def test_cookie_of_seven_bits(self, tmp_path: Path) -> None:
        """Such a file is UTF-8 as well, and something else in it."""
        script = tmp_path / "script.py"
        script.write_text("#!/usr/bin/python\n# coding=utf-7\nprint('+APw-')\n1/0\n")
        done = cli(str(script))
        assert done.stdout == "ü\n"
        assert "line 4" in done.stderr

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (b"# coding: nonsense\n", "SyntaxError: unknown encoding: nonsense"),
            (b"# coding: zlib\n", "SyntaxError"),
            (b"# coding: ascii\nprint('\xc3\xbc')", "SyntaxError: 'ascii' codec can't decode"),
            (b"\xef\xbb\xbf# coding: latin-1\n", "SyntaxError: encoding problem"),
        ],
    )
    def test_cookie_that_is_wrong(self, tmp_path: Path, source: bytes, message: str) -> None:
        script = tmp_path / "script.py"
        script.write_bytes(source)
        done = cli(str(script))
        assert done.returncode == 1
        assert message in done.stderr
        assert "encodings.py" not in done.stderr  # no frames of the runtime

    def test_cookie_in_code_is_a_comment(self) -> None:
        """As for python -c: what the shell gave is text already."""
        assert cli("-c", "# coding: latin-1\nprint('é')").stdout == "é\n"

    def test_endless_file(self) -> None:
        done = cli("--max-memory", str(64 << 20), "/dev/zero")
        assert done.returncode == 1
        assert (
            done.stderr == "eryx: /dev/zero: the program is larger than the memory of the guest\n"
        )

    def test_file_that_is_no_text(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_bytes(b"x = '\xff'")
        done = cli(str(script))
        assert done.returncode == 1
        assert "Error" in done.stderr

    @pytest.mark.parametrize("arguments", [[], ["-"]])
    def test_piped_program(self, arguments: list[str]) -> None:
        done = cli(*arguments, stdin="print('piped')")
        assert (done.stdout, done.returncode) == ("piped\n", 0)

    def test_piped_program_with_arguments(self) -> None:
        done = cli("-", "x", stdin="import sys; print(sys.argv[1:])")
        assert done.stdout == "['x']\n"

    def test_empty_pipe_prints_help(self) -> None:
        done = cli()
        assert done.returncode == 0
        assert done.stdout.startswith("usage: eryx")

    def test_terminal_without_program_is_a_prompt(self) -> None:
        """The rest of it is in test_prompt_of_command.py."""
        primary, secondary = pty.openpty()
        try:
            process = subprocess.Popen(
                COMMAND, stdin=secondary, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            os.write(primary, b"6 * 7\n\x04")
            output, errors = process.communicate(timeout=60)
        finally:
            os.close(primary)
            os.close(secondary)
        assert (output, process.returncode) == (b">>> 42\n>>> \n", 0)
        assert b"in a sandbox" in errors

    @pytest.mark.parametrize("option", ["--json", "--result", "--meter"])
    def test_prompt_and_options_of_a_program(self, option: str) -> None:
        primary, secondary = pty.openpty()
        try:
            done = subprocess.run(
                [*COMMAND, option], stdin=secondary, capture_output=True, timeout=60, check=False
            )
        finally:
            os.close(primary)
            os.close(secondary)
        assert done.returncode == 2
        assert f"argument {option}: there is no program".encode() in done.stderr

    def test_missing_file(self) -> None:
        done = cli("/nonexistent/script.py")
        assert done.returncode == 1
        assert "No such file" in done.stderr

    def test_directory(self, tmp_path: Path) -> None:
        done = cli(str(tmp_path))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr

    def test_installed_command(self) -> None:
        command = Path(sys.executable).with_name("eryx")
        if not command.exists():
            pytest.skip("the package is used from the build tree")
        done = subprocess.run(
            [command, "-c", "print(1)"], capture_output=True, text=True, check=True
        )
        assert done.stdout == "1\n"


def shell(script: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a script of sh in which $eryx is the command and $1 and so on are arguments."""
    return subprocess.run(
        ["sh", "-c", f'eryx() {{ "$python" -m eryx "$@"; }}; {script}', "sh", *arguments],
        capture_output=True,
        timeout=60,
        env={**os.environ, "python": sys.executable},
        check=False,
    )


class TestStandardInput:
    def test_of_a_script(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_text("print(int(input()) * 2)")
        done = cli(str(script), stdin="7\n")
        assert (done.stdout, done.returncode) == ("14\n", 0)

    def test_of_code(self) -> None:
        done = cli("-c", "import sys; print(sys.stdin.buffer.read())", stdin=b"\x00\xff\r\n")
        assert done.stdout == "b'\\x00\\xff\\r\\n'\n"

    def test_file(self, tmp_path: Path) -> None:
        (tmp_path / "data.csv").write_text("a,b\n1,2\n")
        done = shell(
            'eryx -c "import csv, sys; print(list(csv.reader(sys.stdin)))" < "$1"',
            str(tmp_path / "data.csv"),
        )
        assert done.stdout == b"[['a', 'b'], ['1', '2']]\n"

    def test_program_that_came_from_it_has_none(self) -> None:
        assert cli("-", stdin="import sys; print(repr(sys.stdin.read()))").stdout == "''\n"

    def test_is_streamed(self) -> None:
        """Each line is answered before the next is there."""
        process = subprocess.Popen(
            [*COMMAND, "-c", "while True: print(input(), flush=True)"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.wait(timeout=20) == 1
        process.stdout.close()

    def test_endless(self) -> None:
        done = shell('yes | eryx -c "print(input())"')
        assert (done.stdout, done.returncode) == (b"y\n", 0)

    def test_rest_is_for_the_next(self) -> None:
        done = shell("printf abcdef | { eryx -c 'import os; print(os.read(0, 2))'; cat; }")
        assert done.stdout == b"b'ab'\ncdef"

    def test_terminal(self) -> None:
        primary, secondary = pty.openpty()
        try:
            process = subprocess.Popen(
                [*COMMAND, "-c", "print(input('name? '))"], stdin=secondary, stdout=subprocess.PIPE
            )
            os.write(primary, b"somebody\n")
            assert process.communicate(timeout=20)[0] == b"name? somebody\n"
        finally:
            os.close(primary)
            os.close(secondary)

    def test_limit_of_time(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "--timeout", "300", "-c", "input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        assert process.stderr.read().splitlines()[-1].startswith(b"eryx: timeout: stopped after")
        assert process.wait(timeout=20) == 124
        process.stderr.close()
        assert process.stdin is not None
        process.stdin.close()


class TestClosedStreams:
    @pytest.mark.parametrize(
        ("script", "output", "errors", "code"),
        [
            ('eryx -c "print(1)" <&-', b"1\n", b"", 0),
            ("eryx -c 'import sys; print(repr(sys.stdin.read()))' <&-", b"''\n", b"", 0),
            ('eryx -c "print(1)" >&-', b"", b"", 0),
            ('eryx --json -c "print(1)" >&-', b"", b"", 0),
            ("eryx --version >&-", b"", b"", 0),
            ('eryx -c "print(1)" 2>&-', b"1\n", b"", 0),
            ('eryx -c "1/0" 2>&-', b"", b"", 1),
            ("eryx --nonsense 2>&-", b"", b"", 2),
            ("eryx /nonexistent 2>&-", b"", b"", 1),
            ('eryx -c "print(1)" <&- >&- 2>&-', b"", b"", 0),
            (
                'eryx -c "print(1)" >/dev/full',
                b"",
                b"eryx: cannot write to standard output: No space left on device\n",
                1,
            ),
            ("eryx --version >/dev/full", b"", None, None),
            ('eryx -c "1/0" 2>/dev/full', b"", b"", 1),
        ],
    )
    def test_no_traceback_of_the_host(
        self, script: str, output: bytes, errors: bytes | None, code: int | None
    ) -> None:
        done = shell(script)
        assert done.stdout == output
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr
        if errors is not None:
            assert (done.stderr, done.returncode) == (errors, code)

    @pytest.mark.parametrize(
        "command",
        ["eryx -c 'while True: print(1)'", "eryx --help", "eryx factory --help", "eryx doctor"],
    )
    def test_broken_pipe(self, command: str) -> None:
        done = shell(f"{command} | head -c 1")
        assert len(done.stdout) == 1
        assert done.stderr == b""


class TestLocales:
    @pytest.mark.parametrize(
        "environment",
        [
            {"LC_ALL": "C"},
            {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            {"PYTHONIOENCODING": "ascii"},
            {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"},
        ],
    )
    def test_text_is_utf_8_all_the_same(self, environment: dict[str, str]) -> None:
        code = "import sys; print('ü', sys.argv[1:]); result = 'ö'"
        done = cli("--result", "-c", code, "--", "ä", environment=environment)
        assert (done.stdout, done.stderr, done.returncode) == ("ü ['ä']\n\"ö\"\n", "", 0)
        done = cli("/nonexistent/ü", environment=environment)
        assert done.stderr.startswith("eryx: [Errno 2] No such file or directory: ")
        assert (
            "Traceback" not in cli("--allow-host", "ü", "-c", "1", environment=environment).stderr
        )

    def test_bytes_that_are_no_text(self) -> None:
        done = shell("eryx -c 'import sys; print(ascii(sys.argv[1:]))' -- \"$(printf '\\377')\"")
        assert done.stdout == b"['\\udcff']\n"
        done = shell("eryx -c \"$(printf '\\377')\"")
        assert done.stderr == b"eryx: the program text after -c is not UTF-8\n"


class TestUsage:
    def test_version(self) -> None:
        done = cli("--version")
        assert (done.stdout, done.returncode) == (f"eryx {eryx.__version__}\n", 0)

    def test_help(self) -> None:
        done = cli("-h")
        assert done.returncode == 0
        for option in ("--timeout", "--memory", "--max-output", "--fuel", "--meter"):
            assert option in done.stdout
        for command in COMMANDS:
            assert f"\n  {command} " in done.stdout
        assert "--json" in done.stdout
        assert "--result" in done.stdout

    @pytest.mark.parametrize(
        "arguments",
        [
            ["precompile", "/nonexistent.whl"],
            ["precompile", "/dev/null"],
            ["build-wheel", "/nonexistent"],
            ["factory", "inspect", "/nonexistent"],
            ["factory", "inspect", "/tmp"],
            ["factory", "build", "-o", "/nonexistent/x"],
            ["factory", "build", "-o", "x", "--setup", "/nonexistent"],
            ["--factory", "/nonexistent", "-c", "1"],
            ["--package", "/nonexistent", "-c", "1"],
            ["--import", "nonexistent", "-c", "1"],
        ],
    )
    def test_what_is_not_there(self, arguments: list[str]) -> None:
        done = cli(*arguments)
        assert done.returncode == 1
        assert re.fullmatch(r"eryx: [^\n]+\n(\n?There is no module [^\n]+\n)?", done.stderr)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_of_a_command(self, command: str) -> None:
        done = cli(command, "--help")
        assert (done.stderr, done.returncode) == ("", 0)
        assert done.stdout.startswith(f"usage: eryx {command} ")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--timeout", "soon"], "--timeout: must be a time such as 2s or 500ms, not 'soon'"),
            (["--timeout", "-1"], "--timeout: "),
            (["--timeout", f"{2**63}"], "--timeout: must not be greater than 2**63 - 1"),
            (["--memory", "much"], "--memory: must be a size such as 256M or 1G, not 'much'"),
            (["--max-memory", "x"], "--max-memory: must be a size"),
            (["--fuel", "1.5"], "--fuel: must be a whole number, not '1.5'"),
            (["--fuel", "-1"], "--fuel: must not be negative"),
            (["--max-output", "?"], "--max-output: must be a size"),
            (["-v", "nowhere"], "-v/--volume: must be HOST:GUEST"),
            (["-v", "/tmp:relative"], "-v/--volume: must be HOST:GUEST"),
            (["-v", "/tmp:/x:rx"], "-v/--volume: must be HOST:GUEST"),
            (["-v", "/nonexistent:/x"], "-v/--volume: there is no file or folder /nonexistent"),
            (["-e", "NO_SUCH_VARIABLE"], "-e/--env: there is no environment variable NO_SUCH_VAR"),
            (["-e", "=x"], "-e/--env: must be NAME or NAME=VALUE, not '=x'"),
            (["--allow-host", ""], "--allow-host: "),
            (["--allow-network", "10/8/7"], "--allow-network: "),
            (["--secret", "A=B"], "--secret: must have the form NAME=ENV@HOST"),
            (["--secret", "A=NO_SUCH@x.org"], "--secret: there is no environment variable NO_SUCH"),
        ],
    )
    def test_value_that_is_wrong(self, arguments: list[str], message: str) -> None:
        """The option is named as it was given, and no attribute of Python is."""
        done = cli(*arguments, "-c", "")
        assert done.returncode == 2
        assert f"eryx: error: argument {message}" in done.stderr
        assert "_ms" not in done.stderr
        assert "_bytes" not in done.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ["-c", "pass", "script.py"],
            ["--no-such-option"],
            ["--timeout", "soon", "-c", ""],
            ["--timeout", "-1", "-c", ""],
            ["--fuel", str(2**63), "-c", ""],
            ["-c"],
            ["-m"],
            ["-c", "pass", "-m", "this"],
            ["--factory", "x", "--package", "y", "-c", ""],
            ["factory"],
            ["build-wheel"],
            ["precompile", "--nonsense"],
        ],
    )
    def test_wrong_usage(self, arguments: list[str]) -> None:
        done = cli(*arguments)
        assert done.returncode == 2
        assert "usage: eryx" in done.stderr


class TestExitCodes:
    def test_exception(self) -> None:
        done = cli("-c", "print('x')\n1/0")
        assert done.returncode == 1
        assert done.stdout == "x\n"
        assert done.stderr.startswith("Traceback")
        assert done.stderr.count("ZeroDivisionError") == 1

    @pytest.mark.parametrize(("code", "expected"), [("3", 3), ("0", 0), ("'text'", 1), ("256", 1)])
    def test_exit(self, code: str, expected: int) -> None:
        done = cli("-c", f"import sys; sys.exit({code})")
        assert done.returncode == expected
        assert done.stderr == ("text\n" if "text" in code else "")

    def test_hard_exit(self) -> None:
        assert cli("-c", "import os; os._exit(7)").returncode == 7

    def test_timeout(self) -> None:
        done = cli("--timeout", "200", "-c", "print('x', flush=True)\nwhile True: pass")
        assert done.returncode == 124
        assert done.stdout == "x\n"
        assert done.stderr.count("Traceback") == 1
        assert re.search(r"\neryx: timeout: stopped after \d+ ms\n$", done.stderr)
        stubborn = "while True:\n try:\n  while True: pass\n except BaseException: pass"
        done = cli("--timeout", "200", "-c", stubborn)
        assert (done.returncode, done.stdout) == (124, "")
        assert re.fullmatch(r"eryx: timeout: stopped after \d+ ms\n", done.stderr)

    def test_meter(self) -> None:
        done = cli("--json", "--meter", "-c", "pass")
        assert json.loads(done.stdout)["fuel_consumed"] > 0

    def test_fuel(self) -> None:
        done = cli("--fuel", "2000000", "-c", "while True: pass")
        assert done.returncode == 125
        assert "fuel" in done.stderr

    def test_memory(self) -> None:
        for options in (["--memory", "64M"], ["--memory=64MiB"], ["--max-memory", "67108864"]):
            done = cli(*options, "-c", "x = bytearray(100_000_000)")
            assert done.returncode == 125
            assert "MemoryError: out of memory, the limit is 64 MiB" in done.stderr

    def test_error_of_the_program_that_looks_like_a_limit(self) -> None:
        assert cli("-c", "raise MemoryError").returncode == 1
        assert cli("-c", "raise TimeoutError").returncode == 1

    def test_no_limit(self) -> None:
        assert cli("--timeout", "none", "--memory", "none", "-c", "print(1)").stdout == "1\n"

    def test_crash(self) -> None:
        done = cli("-c", "import os; os.abort()")
        assert done.returncode != 0
        assert done.stderr != ""

    def test_interrupt(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "-c", "print('ready', flush=True)\nwhile True: pass"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 130
        assert "Traceback" not in errors

    def test_closed_output(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "-c", "while True: print('x')"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "x\n"
        process.stdout.close()
        assert process.wait(timeout=20) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stderr.close()


class TestSurroundings:
    def test_volumes(self, tmp_path: Path) -> None:
        (tmp_path / "in").write_text("hello")
        code = "open('/y/out', 'w').write(open('/x/in').read().upper())"
        done = cli("-v", f"{tmp_path}:/x:ro", "-v", f"{tmp_path}:/y", "-c", code)
        assert (done.stderr, done.returncode) == ("", 0)
        assert (tmp_path / "out").read_text() == "HELLO"
        assert "Read-only" in cli("-v", f"{tmp_path}:/x:ro", "-c", "open('/x/o', 'w')").stderr

    def test_volume_of_a_relative_path(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a").touch()
        done = cli("-v", "sub:/x", "-c", "import os; print(os.listdir('/x'))", cwd=tmp_path)
        assert done.stdout == "['a']\n"

    def test_overlay(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("kept")
        code = "open('/x/a', 'w').write('changed'); print(open('/x/a').read())"
        assert cli("-v", f"{tmp_path}:/x:overlay", "-c", code).stdout == "changed\n"
        assert (tmp_path / "a").read_text() == "kept"

    def test_files_that_are_left(self, tmp_path: Path) -> None:
        code = (
            "import os; os.makedirs('sub/dir'); open('sub/dir/a.bin', 'wb').write(b'\\xff\\0')\n"
            "open('gone', 'w'); os.remove('gone'); open('/tmp/other', 'w')\n"
            "os.symlink('/etc/passwd', 'link'); open('b', 'w').write('b')\n1/0"
        )
        out = tmp_path / "made" / "here"
        assert cli("--out", str(out), "-c", code).returncode == 1
        found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
        assert found == {"sub/dir/a.bin", "b"}
        assert (out / "sub" / "dir" / "a.bin").read_bytes() == b"\xff\0"
        assert "argument --out: " in cli("--out", "/dev/null/x", "-c", "1").stderr

    def test_here(self, tmp_path: Path) -> None:
        (tmp_path / "other.py").write_text("x = 42")
        (tmp_path / "s.py").write_text("import other, sys; print(other.x, other.__file__)")
        assert cli("--here", "s.py", cwd=tmp_path).stdout == "42 /here/other.py\n"
        done = cli("--here", "-c", "open('/here/new', 'w')", cwd=tmp_path)
        assert "Read-only" in done.stderr
        assert not (tmp_path / "new").exists()
        assert cli("--here", "-m", "other", cwd=tmp_path).returncode == 0

    def test_without_here(self, tmp_path: Path) -> None:
        (tmp_path / "other.py").touch()
        assert "No module named 'other'" in cli("-c", "import other", cwd=tmp_path).stderr

    def test_environment(self) -> None:
        code = "import os; print(os.environ['A'], os.environ['B'], os.environ.get('HOME'))"
        done = cli("-e", "A=x=y", "-e", "B", "-c", code, environment={"B": "b"})
        assert done.stdout == "x=y b None\n"

    def test_paths_of_modules(self, tmp_path: Path) -> None:
        (tmp_path / "other.py").write_text("x = 42")
        options = ("-v", f"{tmp_path}:/lib:ro", "-e", "PYTHONPATH=/lib")
        assert cli(*options, "-c", "import other; print(other.x)").stdout == "42\n"


class TestTrace:
    def test_lines(self, tmp_path: Path) -> None:
        (tmp_path / "s.py").write_text("def f(n):\n    return n\n\nprint(f(1))\n")
        done = cli("--trace", "s.py", cwd=tmp_path)
        assert done.stdout == "1\n"
        assert done.stderr.splitlines() == [
            "s.py:1: def f(n):",
            "s.py:4: print(f(1))",
            "s.py:1: f()",
            "  s.py:2: return n",
        ]

    def test_exception(self) -> None:
        done = cli("--trace", "-c", "1 / 0")
        assert "<string>:1: exception in <module>\n" in done.stderr
        assert "ZeroDivisionError" in done.stderr

    def test_json(self) -> None:
        document = json.loads(cli("--trace", "--json", "-c", "x = 1").stdout)
        assert [event["event"] for event in document["trace"]] == ["call", "line", "return"]


class TestDoctor:
    def test_text(self) -> None:
        done = cli("doctor")
        assert (done.stderr, done.returncode) == ("", 0)
        for name in ("eryx", "processor", "kernel", "memory", "cache", "programs", "extras"):
            assert f"{name}\n" in done.stdout
        assert re.search(r"ok  sandbox +Python 3\.14\.\d+, \d+ ms for the first", done.stdout)

    def test_json(self) -> None:
        document = json.loads(cli("doctor", "--json").stdout)
        assert document["eryx"]["sandbox"]["good"] is True
        assert document["memory"]["RLIMIT_AS"]["text"] == "no limit"

    def test_machine_that_has_too_little(self) -> None:
        done = shell("ulimit -v 4000000; eryx doctor")
        assert done.returncode == 1
        assert b"NO  sandbox" in done.stdout
        assert b"Traceback" not in done.stderr

    def test_missing_extra(self) -> None:
        code = (
            "from importlib import metadata as m; find = m.version\n"
            "def version(name):\n"
            "    if name == 'mcp': raise m.PackageNotFoundError(name)\n"
            "    return find(name)\n"
            "m.version = version\n"
            "from eryx._cli import main; main(['doctor'])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert re.search(r"--  mcp +.*pip install 'eryx-sandbox\[mcp\]'", done.stdout)

    def test_every_extra_is_told_of(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = project["optional-dependencies"]
        assert extras.keys() == _EXTRAS.keys()
        for name, (package, _) in _EXTRAS.items():
            assert any(re.match(rf"{package}\b", needed) for needed in extras[name]), name

    def test_worker_processes_and_the_compiler(self) -> None:
        document = json.loads(cli("doctor", "--json").stdout)
        assert document["kernel"]["worker processes"]["good"] is True
        assert document["kernel"]["seccomp"]["text"] == "there"
        assert "translates native modules" in document["programs"]["compiler"]["text"]


class TestCompletion:
    @pytest.fixture
    def complete(self, tmp_path: Path) -> Iterator[Callable[[str], str]]:
        """Types what begins a command in a real bash, presses Tab, and gives what stands there."""
        (tmp_path / "completion").write_text(cli("completion", "bash").stdout)
        (tmp_path / "report.py").write_text("")
        (tmp_path / "pylock.toml").write_text("")
        (tmp_path / "folder").mkdir()
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(tmp_path)
            environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "PS1": "$ ", "HOME": "/"}
            os.execvpe("bash", ["bash", "--norc", "--noprofile"], environment)
        seen = b""

        def wait_for(text: bytes) -> None:
            nonlocal seen
            while text not in seen:
                assert select.select([terminal], [], [], 20)[0], seen
                seen += os.read(terminal, 4096)

        def type_and_complete(words: str) -> str:
            nonlocal seen
            seen = b""
            # Ctrl-A leads to the start of the line, so that what was completed is printed.
            os.write(terminal, words.encode() + b"\t'\x01printf '<%s>\\n' '\n")
            wait_for(b">\r\n")
            return seen.decode().rpartition("\n<")[2].partition(">\r\n")[0]

        os.write(terminal, b"bind 'set enable-bracketed-paste off'; . ./completion\n")
        os.write(terminal, b"echo re''ady\n")
        wait_for(b"ready\r\n")
        yield type_and_complete
        os.close(terminal)
        os.waitpid(pid, 0)

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("eryx doc", "eryx doctor "),
            ("eryx --trac", "eryx --trace "),
            ("eryx serve --htt", "eryx serve --http "),
            ("eryx rep", "eryx report.py "),
            ("eryx --timeout 2s rep", "eryx --timeout 2s report.py "),
            ("eryx report.py pyl", "eryx report.py pylock.toml "),
            ("eryx -v fol", "eryx -v folder/"),
            ("eryx --out fol", "eryx --out folder/"),
            ("eryx factory build -r pyl", "eryx factory build -r pylock.toml "),
            ("eryx lock -o pyl", "eryx lock -o pylock.toml "),
        ],
    )
    def test_bash(self, complete: Callable[[str], str], words: str, expected: str) -> None:
        assert complete(words) == expected

    @pytest.mark.parametrize("shell_name", ["zsh", "tcsh"])
    def test_others(self, shell_name: str) -> None:
        done = cli("completion", shell_name)
        assert (done.stderr, done.returncode) == ("", 0)
        assert "build-wheel" in done.stdout

    def test_zsh_completes_scripts(self) -> None:
        script = cli("completion", "zsh").stdout
        assert "_describe 'eryx commands' _commands\n  _files\n" in script
        assert "\n        *) _files ;;\n      esac" in script
        assert ":HOST GUEST[ ro|rw|overlay]:_files" in script

    def test_without_shtab(self) -> None:
        code = (
            "import sys; sys.modules['shtab'] = None\n"
            "from eryx._cli import main; sys.exit(main(['completion', 'bash']))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 1
        assert "pip install 'eryx-sandbox[completion]'" in done.stderr


class TestColours:
    def test_traceback_on_a_terminal(self) -> None:
        """Once, in colours, and what the program wrote is as it was."""
        primary, secondary = pty.openpty()
        variables = {name: os.environ[name] for name in os.environ if name != "NO_COLOR"}
        try:
            done = subprocess.run(
                [*COMMAND, "-c", "import sys; print('own', file=sys.stderr)\n1/0"],
                stderr=secondary,
                timeout=60,
                check=False,
                env={**variables, "TERM": "xterm"},
            )
            time.sleep(0.1)
            output = os.read(primary, 65536).decode()
        finally:
            os.close(primary)
            os.close(secondary)
        assert done.returncode == 1
        assert output.startswith("own\r\nTraceback")
        assert output.count("ZeroDivisionError") == 1
        assert "\x1b[1;35mZeroDivisionError\x1b[0m: \x1b[35mdivision by zero" in output

    def test_none_in_a_pipe(self) -> None:
        assert "\x1b" not in cli("-c", "1/0").stderr
        environment = {"FORCE_COLOR": "1", "NO_COLOR": "1"}
        assert "\x1b" not in cli("-c", "1/0", environment=environment).stderr


class TestOutput:
    def test_is_streamed(self) -> None:
        process = subprocess.Popen(
            [*COMMAND, "-c", "import time\nprint('early', flush=True)\ntime.sleep(20)"],
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], 15)
            assert ready
            assert process.stdout.readline() == b"early\n"
            assert process.poll() is None
        finally:
            process.kill()
            process.communicate()

    def test_is_exact(self) -> None:
        done = subprocess.run(
            [
                *COMMAND,
                "-c",
                r"import os; os.write(1, b'\xff\x00\x1b[31m\n\n'); os.write(2, b'\xfe')",
            ],
            capture_output=True,
            check=True,
        )
        assert done.stdout == b"\xff\x00\x1b[31m\n\n"
        assert done.stderr == b"\xfe"

    def test_terminal_is_not_commanded(self) -> None:
        primary, secondary = pty.openpty()
        code = r"import os; os.write(1, '\x1b]0;owned\x07\x9b31mäb\ttab\n'.encode())"
        try:
            subprocess.run([*COMMAND, "-c", code], stdout=secondary, timeout=60, check=True)
            time.sleep(0.1)
            output = os.read(primary, 65536).decode()
        finally:
            os.close(primary)
            os.close(secondary)
        assert "\x1b" not in output
        assert "\x07" not in output
        assert "\x9b" not in output
        assert r"\x1b]0;owned\x07\x9b31mäb" in output

    def test_terminal_is_not_commanded_by_a_result(self) -> None:
        done = cli("--result", "-c", r"result = '\x9b31m\x1b'")
        assert done.stdout == '"\\u009b31m\\u001b"\n'

    def test_result(self) -> None:
        done = cli("--result", "-c", "print('x'); result = {'a': [1, 'é']}")
        first, second = done.stdout.splitlines()
        assert first == "x"
        assert json.loads(second) == {"a": [1, "é"]}

    def test_result_that_json_cannot_hold(self) -> None:
        done = cli("--result", "-c", "result = object()")
        assert done.returncode == 1
        assert "JSON" in done.stderr

    def test_no_result(self) -> None:
        done = cli("--result", "-c", "pass")
        assert (done.stdout, done.returncode) == ("", 0)

    def test_json(self) -> None:
        done = cli(
            "--json", "-c", "import sys; print('o'); print('e', file=sys.stderr); result = 1"
        )
        assert (done.stderr, done.returncode) == ("", 0)
        document = json.loads(done.stdout)
        assert (document["stdout"], document["stderr"], document["result"]) == ("o", "e", 1)
        assert document["error"] is None
        assert document["fuel_consumed"] is None
        assert document["duration_ms"] > 0
        assert document["peak_memory_bytes"] > 0
        assert document["stdout_truncated"] is False

    def test_json_of_an_exception(self) -> None:
        done = cli("--json", "-c", "print('o')\nraise KeyError('k')")
        assert done.returncode == 1
        document = json.loads(done.stdout)
        assert document["stdout"] == "o"
        assert document["error"]["type"] == "ExecutionError"
        assert document["error"]["exc_type"] == "KeyError"
        assert document["error"]["traceback"].startswith("Traceback")

    def test_json_of_a_timeout(self) -> None:
        done = cli("--json", "--timeout", "0.1s", "-c", "while True: pass")
        assert done.returncode == 124
        assert json.loads(done.stdout)["error"]["type"] == "TimeoutError"

    def test_output_limit(self) -> None:
        done = cli("--json", "--max-output", "100", "-c", "print('x' * 1000)")
        document = json.loads(done.stdout)
        assert document["stdout_truncated"] is True
        assert len(document["stdout"]) <= 100
